import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { unitCheck } from '../../src/drivers/checks/unit/index.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { serviceStep } from '../../src/drivers/steps/service/index.ts';
import { hostSystemctl } from '../../src/drivers/systemctl.ts';
import { describeServiceSteps, SUITE_UNITS, serviceSteps } from '../support/service-suite.ts';

const run = promisify(execFile);
const FOLDER = '/run/systemd/system';

const UNITS: Readonly<Record<string, string>> = {
  [SUITE_UNITS.good]: `ExecStart=/bin/sh -c 'trap : HUP; while :; do sleep 1000 & wait; done'\nExecReload=/bin/true`,
  [SUITE_UNITS.plain]: 'ExecStart=/bin/sleep 1000',
  [SUITE_UNITS.failing]: `Type=oneshot\nExecStart=/bin/sh -c 'echo this is why; exit 3'`,
  [SUITE_UNITS.hanging]: 'Type=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/sleep 1000',
  [SUITE_UNITS.oneshot]: 'Type=oneshot\nExecStart=/bin/true',
};

/** These tests are only meaningful on a real systemd as PID 1, and fail without it rather than pass unseen. */
beforeAll(async () => {
  if (!existsSync(FOLDER)) throw new Error('needs a host, or a sandbox, that was booted with systemd');
  await mkdir(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(UNITS)) await writeFile(`${FOLDER}/${name}`, `[Service]\n${text}\n`);
  await symlink('/dev/null', `${FOLDER}/${SUITE_UNITS.masked}`);
  await run('systemctl', ['daemon-reload']);
});
afterAll(async () => {
  const names = [...Object.keys(UNITS), SUITE_UNITS.masked];
  await run('systemctl', ['stop', ...names]).catch(() => undefined);
  for (const name of names) await rm(`${FOLDER}/${name}`, { force: true });
  await run('systemctl', ['daemon-reload']);
});

describeServiceSteps('a real systemd', async () => {
  await run('systemctl', ['stop', ...Object.keys(UNITS)]);
  await run('systemctl', ['reset-failed']);
  return hostSystemctl;
});

it('tells with a check that is false what the unit wrote last', async () => {
  await run('systemctl', ['start', SUITE_UNITS.failing]).catch(() => undefined);
  const check = {
    key: 'k',
    origin: { file: 'test.yaml', line: 1, column: 1 },
    kind: 'unit',
    unit: SUITE_UNITS.failing,
    is: 'active',
    journalLines: 50,
    timeoutMs: 10_000,
  } as const;
  const context = { signal: new AbortController().signal, secrets: createSecretResolver({}) };
  const answer = await unitCheck({ systemctl: hostSystemctl }).check(check, context);
  expect(answer).toMatchObject({ outcome: 'false', detail: expect.stringMatching(/is failed[\s\S]*this is why/) });
});

it('gives up on a unit that will not stop, and says what it wrote', async () => {
  const name = 'revertd-test-stubborn.service';
  const script = `trap 'echo not yet' TERM; while :; do sleep 0.1; done`;
  await writeFile(`${FOLDER}/${name}`, `[Service]\nTimeoutStopSec=infinity\nExecStart=/bin/sh -c "${script}"\n`);
  await run('systemctl', ['daemon-reload']);
  await run('systemctl', ['start', name]);
  const step = { ...serviceSteps(name, { kind: 'stop' }), timeoutMs: 1500 };
  const outcome = await serviceStep({ allow: createAllowList({}), systemctl: hostSystemctl }).perform(step, {
    signal: new AbortController().signal,
    operation: 'op-1',
    once: 'op-1',
    secrets: createSecretResolver({}),
    log: () => undefined,
    remember: () => undefined,
  });
  await run('systemctl', ['kill', '--signal=SIGKILL', name]);
  await rm(`${FOLDER}/${name}`);
  expect(outcome).toMatchObject({ code: 'timedOut', detail: expect.stringMatching(/systemd may go on[\s\S]*not yet/) });
});
