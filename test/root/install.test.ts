import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/server/status.ts';
import {
  commandsOf,
  done,
  property,
  refuseOutsideOfTheSandbox,
  sectionsWithCommands,
  shell,
  until,
} from '../support/installed-host.ts';
import { makeRepository, type Repository } from '../tools/git-repository.ts';

const POLICIES = '/srv/policies';
const UNIT = '/opt/revertd/node_modules/revertd/systemd/revertd.service';
const SHOP_ENV = '/etc/shop/shop.env';
const SHOP = `[Service]
EnvironmentFile=${SHOP_ENV}
ExecStart=/bin/sh -c 'echo "$PRICING" > /run/shop-pricing; exec sleep infinity'
`;
/** Like the real unit's, but fast enough to be watched. */
const QUICK_WATCHDOG = '[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n';

let policies: Repository;
const followed: string[] = [];

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  mkdirSync('/etc/shop');
  writeFileSync(SHOP_ENV, '# how the shop prices\nPRICING=v1\n', { mode: 0o640 });
  writeFileSync('/etc/systemd/system/shop.service', SHOP);
  mkdirSync('/etc/systemd/system/revertd.service.d');
  writeFileSync('/etc/systemd/system/revertd.service.d/quick.conf', QUICK_WATCHDOG);
  policies = makeRepository(POLICIES);
  policies.commit({ 'pricing.yaml': flag('v1') });
  await done('useradd --create-home ada && useradd --create-home eve && systemctl daemon-reload');
  await done('systemctl start shop.service');
});

afterAll(async () => {
  await shell('systemctl stop shop.service revertd.service');
});

function flag(variant: string): string {
  return `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: pricing }
spec:
  state: ENABLED
  variants: { v1: v1, v2: v2, v3: v3, v4: v4 }
  defaultVariant: ${variant}
  safeVariant: v1
  deliver:
    - envFile: { path: ${SHOP_ENV}, key: PRICING }
      then: [ { service: { unit: shop.service, do: restart } } ]
`;
}

/** Runs the commands of a section of docs/install.md. */
async function follow(section: string): Promise<string> {
  followed.push(section);
  return await done(commandsOf(section, POLICIES));
}

async function status(user?: string): Promise<Status> {
  return JSON.parse(await done('revertd status --json', user)) as Status;
}

/** Commits the variant and has it read at once; resolves when the shop runs with it. */
async function release(variant: string): Promise<void> {
  policies.commit({ 'pricing.yaml': flag(variant) });
  await done(commandsOf('Read the policies now, reload, restart', POLICIES));
  await until(`the shop prices by ${variant}`, async () =>
    readFileSync('/run/shop-pricing', 'utf8') === `${variant}\n` ? true : undefined,
  );
}

async function untilRestarted(before: number): Promise<void> {
  await until('systemd started it again', async () =>
    Number(await property('revertd', 'NRestarts')) > before && (await property('revertd', 'ActiveState')) === 'active'
      ? true
      : undefined,
  );
}

test('systemd knows every key of the unit, and rates it 3.2 or better', async () => {
  await done('systemd-sysusers /opt/revertd/node_modules/revertd/systemd/revertd.sysusers.conf');
  const verified = await shell(`systemd-analyze verify --recursive-errors=yes ${UNIT}`);
  expect(verified).toEqual({ code: 0, stdout: '', stderr: '' });
  const rated = await shell(`systemd-analyze security --no-pager --offline=true --threshold=32 ${UNIT}`);
  expect(rated.stdout).toContain('Overall exposure level for revertd.service');
  expect(rated.code).toBe(0);
});

test('it is installed as docs/install.md says, and is ready when the start returns', async () => {
  await follow('The service');
  await follow('The configuration');
  expect(await follow('Start')).toContain('pricing');
  expect(await property('revertd', 'ActiveState')).toBe('active');
  expect((await fetch('http://127.0.0.1:7433/health/ready')).status).toBe(200);
});

describe('the installed service', () => {
  test('reads the policies when it is reloaded, writes the flag and restarts the shop', async () => {
    await release('v2');
    expect(readFileSync(SHOP_ENV, 'utf8')).toBe('# how the shop prices\nPRICING=v2\n');
    expect(statSync(SHOP_ENV).mode & 0o777).toBe(0o640);
  });

  test('feeds the watchdog', async () => {
    const restarts = await property('revertd', 'NRestarts');
    const stamps = new Set<string>();
    await until('four signs of life', async () => {
      stamps.add(await property('revertd', 'WatchdogTimestampMonotonic'));
      return stamps.size >= 4 ? true : undefined;
    });
    expect(await property('revertd', 'NRestarts')).toBe(restarts);
  });

  test('is killed and started again when it hangs', async () => {
    const before = Number(await property('revertd', 'NRestarts'));
    await done('systemctl kill --kill-whom=main --signal=STOP revertd');
    await until('systemd misses its signs of life', async () =>
      (await property('revertd', 'Result')) === 'watchdog' || Number(await property('revertd', 'NRestarts')) > before
        ? true
        : undefined,
    );
    await untilRestarted(before);
    expect((await status()).flags).toMatchObject([{ flag: 'pricing' }]);
  });

  test('is started again after SIGKILL, and goes on', async () => {
    const before = Number(await property('revertd', 'NRestarts'));
    await done('systemctl kill --kill-whom=main --signal=KILL revertd');
    await untilRestarted(before);
    await release('v3');
    expect((await status()).flags).toMatchObject([{ flag: 'pricing', effective: 'v3' }]);
  });

  test('is looked at and halted by members of its group, under their names, and by nobody else', async () => {
    await follow('Operators');
    expect((await status('ada')).flags).toMatchObject([{ flag: 'pricing' }]);
    await done('revertd halt --reason "stocktaking"', 'ada');
    expect((await status()).halted).toMatchObject({ by: 'ada', reason: 'stocktaking' });
    await done('revertd resume', 'ada');
    expect((await status()).halted).toBeNull();

    const refused = await shell('revertd status', 'eve');
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('ask for membership in the group that owns it');
    expect((await shell('revertd halt', 'eve')).code).toBe(4);
  });

  test('gets its credentials from systemd, which shows them to nobody else', async () => {
    await follow('Credentials');
    const folder = '/run/credentials/revertd.service';
    expect(readFileSync(`${folder}/chat-url`, 'utf8')).toBe('https://chat.example.com/hooks/secret\n');
    expect((await shell(`cat ${folder}/chat-url`, 'ada')).code).not.toBe(0);
    expect((await shell('cat /etc/revertd/credentials/chat-url /etc/revertd/environment', 'ada')).stdout).toBe('');
  });

  test('works with only the folder writable that its policies name', async () => {
    await follow('What the service may do');
    await release('v4');
    expect(readFileSync(SHOP_ENV, 'utf8')).toBe('# how the shop prices\nPRICING=v4\n');
  });

  test('is upgraded', async () => {
    expect(await follow('Upgrade')).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await property('revertd', 'ActiveState')).toBe('active');
  });

  test('stops within seconds, and leaves nothing running', async () => {
    const started = Date.now();
    await done('systemctl stop revertd');
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(await property('revertd', 'Result')).toBe('success');
    expect(await property('revertd', 'ExecMainStatus')).toBe('0');
    expect(existsSync('/run/revertd')).toBe(false);
  });

  test('is uninstalled, and all that the guide told to run was run', async () => {
    await follow('Uninstall');
    expect(await property('revertd', 'LoadState')).toBe('not-found');
    expect(existsSync('/usr/local/bin/revertd')).toBe(false);
    expect(readFileSync(SHOP_ENV, 'utf8')).toBe('# how the shop prices\nPRICING=v4\n');
    const indirectly = 'Read the policies now, reload, restart';
    expect([...followed, indirectly].sort()).toEqual(sectionsWithCommands().sort());
  });
});
