import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

let host: E2eHost;
let first: string;

beforeEach(async () => {
  host = new E2eHost();
  await host.startApp();
  first = host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE }, 'First');
  host.writeConfig();
  await host.startDaemon();
  await host.untilStatus('the first revision is in force', ({ revision }) => revision === first);
});

afterEach(async () => {
  await host.close();
});

async function metric(pattern: RegExp): Promise<string | undefined> {
  return pattern.exec(await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text())?.[0];
}

test('an invalid commit is refused whole, with its faults; the last good revision stays, also across a restart', async () => {
  const bad = host.commit({ 'flags.yaml': FLAG().replace('safeVariant: "off"', 'safeVariant: "of"') }, 'Mistyped');
  const refused = await host.untilStatus(
    'the commit is refused',
    ({ policies }) => policies?.trouble?.kind === 'refused',
  );
  expect(refused.revision).toBe(first);
  expect(refused.policies?.trouble).toMatchObject({ code: 'invalid', revision: bad });
  expect(refused.policies?.trouble?.diagnostics[0]).toMatch(/^flags\.yaml:8:16 error\[E-[A-Z-]+\] .*"?of"?/);
  expect(await metric(/^revertd_source_trouble\{kind="refused",code="invalid"\} 1$/m)).toBeDefined();

  await host.stopDaemon('SIGKILL');
  await host.startDaemon();
  const after = await host.untilStatus(
    'the last good revision is in force again',
    ({ revision }) => revision === first,
  );
  expect(after.flags).toMatchObject([{ flag: 'fast-path', effective: 'on' }]);

  const mended = host.commit({ 'flags.yaml': FLAG(', "beta": true') }, 'Mended');
  await host.untilStatus(
    'the mended commit is in force',
    ({ revision, policies }) => revision === mended && policies?.trouble === null,
  );
});

test('while git is unreachable the last good revision stays in force, also across a restart', async () => {
  await host.stopDaemon();
  renameSync(host.repository, `${host.repository}.away`);
  await host.startDaemon();
  const status = await host.untilStatus('git is missed', ({ policies }) => policies?.trouble?.kind === 'unreachable');
  expect(status.revision).toBe(first);
  expect(status.flags).toMatchObject([{ flag: 'fast-path', effective: 'on' }]);
  renameSync(`${host.repository}.away`, host.repository);
  await host.untilStatus('git is back', ({ policies }) => policies?.trouble === null);
});

test('rewritten history is refused until a person accepts it', async () => {
  host.git?.git('commit', '--quiet', '--amend', '--allow-empty', '--message', 'Rewritten');
  const rewritten = host.git?.git('rev-parse', 'HEAD') ?? '';
  const status = await host.untilStatus(
    'it is refused',
    ({ policies }) => policies?.trouble?.code === 'historyRewritten',
  );
  expect(status.revision).toBe(first);
  expect(status.policies?.trouble?.message).toContain(`revertd source accept ${rewritten}`);
  const accepted = await host.runCommand('--config', host.config, 'source', 'accept', rewritten);
  expect(accepted.code).toBe(0);
  await host.untilStatus('it is in force', ({ revision }) => revision === rewritten);
});

test('an emptied folder is refused, and what was in force stays', async () => {
  host.commit({ 'flags.yaml': null, 'source.yaml': null, 'README.md': 'nothing' }, 'Emptied');
  const status = await host.untilStatus('it is refused', ({ policies }) => policies?.trouble?.code === 'emptied');
  expect(status.flags).toHaveLength(1);
});

test('a vanished branch is refused, and what was in force stays', async () => {
  host.git?.git('branch', '--quiet', '-m', 'main', 'trunk');
  const status = await host.untilStatus('it is missed', ({ policies }) => policies?.trouble?.code === 'branchGone');
  expect(status.flags).toHaveLength(1);
});

test('a plain folder is followed as it is saved, and a half-written file is refused', async () => {
  await host.stopDaemon();
  const folder = join(host.folder, 'plain');
  mkdirSync(folder);
  writeFileSync(join(folder, 'flags.yaml'), FLAG());
  const other = new E2eHost();
  await other.startApp();
  other.writeConfig();
  await other.startDaemon({}, ['--policies', `folder:${folder}`]);
  try {
    const before = await other.untilStatus(
      'the folder is in force',
      ({ revision }) => revision?.startsWith('folder:') === true,
    );
    writeFileSync(join(folder, 'flags.yaml'), FLAG().slice(0, 150));
    await other.untilStatus('the half file is refused', ({ policies }) => policies?.trouble?.kind === 'refused');
    writeFileSync(join(folder, 'flags.yaml'), FLAG(', "beta": true'));
    const after = await other.untilStatus('the whole file is in force', ({ policies }) => policies?.trouble === null);
    expect(after.revision).not.toBe(before.revision);
  } finally {
    await other.close();
  }
});
