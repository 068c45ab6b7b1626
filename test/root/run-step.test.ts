import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { runStep } from '../../src/drivers/steps/run/index.ts';
import { unitOf } from '../../src/drivers/steps/run/run-as-unit.ts';
import type { Fingerprint, StepOf, StepOutcome } from '../../src/drivers/steps/step-driver.ts';
import { startTransient, transientState } from '../../src/drivers/transient-unit.ts';

const call = promisify(execFile);
const never = new AbortController().signal;
const secrets = createSecretResolver({ TOKEN: 'hunter22' });
let folder: string;
let operations = 0;

beforeAll(() => {
  if (!existsSync('/run/systemd/system')) throw new Error('needs a host, or a sandbox, that was booted with systemd');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-run-'));
  return () => rmSync(folder, { recursive: true });
});

const step = (script: string, rest: Partial<StepOf<'run'>> = {}): StepOf<'run'> => ({
  origin: { file: 'test.yaml', line: 1, column: 1 },
  timeoutMs: 30_000,
  kind: 'run',
  argv: ['/bin/sh', '-c', script],
  env: {},
  repeatable: false,
  unless: [],
  ...rest,
});

/** The same driver in the same life, as an operation of its own. */
function life(operation = `step:INC-${(operations += 1)}/a/do/0#1`) {
  const driver = runStep({
    secrets,
    allow: createAllowList({}),
    ask: () => Promise.resolve({ outcome: 'unknown', detail: '' }),
  });
  const remembered: Fingerprint[] = [];
  return {
    operation,
    remembered,
    perform: (task: StepOf<'run'>, signal = never, onRemember: () => void = () => undefined): Promise<StepOutcome> =>
      driver.perform(task, {
        signal,
        operation,
        once: operation,
        secrets,
        log: () => undefined,
        remember: (fingerprint) => {
          remembered.push(fingerprint);
          onRemember();
        },
      }),
    observe: (task: StepOf<'run'>, fingerprint: Fingerprint) => driver.observe(task, fingerprint, never),
  };
}

const isGone = async (operation: string, task: StepOf<'run'>) =>
  (await transientState(unitOf(operation, task.argv), never)).kind === 'absent';

describe('as a user', () => {
  it('has its identity, groups and home, and nothing of root', async () => {
    const { uid } = await call('id', ['-u', 'nobody']).then(({ stdout }) => ({ uid: stdout.trim() }));
    const outcome = await life().perform(
      step('id -u; id -G; echo $HOME; grep CapEff /proc/self/status', { user: 'nobody' }),
    );
    expect(outcome).toMatchObject({ outcome: 'done' });
    const [, own, groups, , capabilities] = outcome.detail.split('\n');
    expect(own).toBe(uid);
    expect(groups?.split(' ')).not.toContain('0');
    expect(capabilities).toMatch(/0{16}$/);
  });

  it('is ended with all that it started', async () => {
    const script = 'sleep 1000 & echo $! > pid; wait';
    const outcome = await life().perform(step(`chmod 777 . ; ${script}`, { cwd: folder, timeoutMs: 500 }));
    expect(outcome).toMatchObject({ code: 'timedOut' });
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  it('does not exist', async () => {
    expect(await life().perform(step('true', { user: 'no-such-user' }))).toMatchObject({ code: 'noSuchUser' });
  });
});

describe('as a unit', () => {
  const inUnit = (script: string, rest: Partial<StepOf<'run'>> = {}) => step(script, { unit: {}, ...rest });

  it('gives its exit code and output, and leaves no unit behind', async () => {
    const { perform, operation, remembered } = life();
    const task = inUnit('echo "hello $REVERTD_OPERATION"; echo "$S" >&2', { env: { S: { env: 'TOKEN' } } });
    const outcome = await perform(task);
    expect(outcome).toMatchObject({ outcome: 'done', detail: expect.stringContaining(`hello ${operation}`) });
    expect(outcome.detail).toContain('[redacted]');
    expect(outcome.detail).not.toContain('hunter22');
    expect(remembered).toStrictEqual([{ unit: unitOf(operation, task.argv) }]);
    expect(await isGone(operation, task)).toBe(true);
  });

  it('hands its arguments over as they are', async () => {
    const odd = ['$HOME', '${HOME}', '$$', '%n', '%%', 'a b', ';', '"', "'", '\\', ''];
    const { detail } = await life().perform(
      inUnit('', { argv: ['/bin/sh', '-c', 'printf "<%s>\\n" "$@"', 'sh', ...odd] }),
    );
    expect(detail.split('\n').slice(1)).toStrictEqual(odd.map((text) => `<${text}>`));
  });

  it.each([
    ['an exit code', 'exit 3', 'exitCode', 'ended with exit code 3'],
    ['a signal', 'kill -9 $$', 'killed', 'killed by signal 9'],
  ])('tells of %s', async (_, script, code, detail) => {
    const { perform, operation } = life();
    const task = inUnit(script);
    expect(await perform(task)).toMatchObject({ code, detail: expect.stringContaining(detail) });
    expect(await isGone(operation, task)).toBe(true);
  });

  it('tells of a program that is not there', async () => {
    const outcome = await life().perform(inUnit('', { argv: ['/no/such/program'] }));
    expect(outcome).toMatchObject({ outcome: 'failed', code: expect.stringMatching(/notStarted|unitFailed|exitCode/) });
  });

  it('runs as its user, in its folder, within its limits', async () => {
    const { perform } = life();
    // Its own unit is the last part of its control group.
    const script =
      'unit=$(cat /proc/self/cgroup); id -un; pwd; systemctl show "${unit##*/}" --property=MemoryMax,TasksMax,CPUQuotaPerSecUSec';
    const outcome = await perform(
      inUnit(script, {
        user: 'nobody',
        cwd: '/var',
        unit: { memoryBytes: 64 * 1024 * 1024, cpuPercent: 50, tasks: 20 },
      }),
    );
    expect(outcome).toMatchObject({ outcome: 'done' });
    for (const line of ['nobody', '/var', 'MemoryMax=67108864', 'TasksMax=20', 'CPUQuotaPerSecUSec=500ms'])
      expect(outcome.detail.split('\n')).toContain(line);
  });

  it('shows no secret to who asks systemd', async () => {
    const { perform, operation } = life();
    const stop = new AbortController();
    const task = inUnit('touch up; sleep 1000', { cwd: folder, env: { S: { env: 'TOKEN' } } });
    const performed = perform(task, stop.signal);
    while (!existsSync(join(folder, 'up'))) await delay(20);
    const { stdout } = await call('systemctl', ['show', unitOf(operation, task.argv)]);
    expect(stdout).not.toContain('hunter22');
    stop.abort();
    expect(await performed).toMatchObject({ code: 'aborted' });
  });

  it('is ended at its deadline with all that it started, also what ignores SIGTERM', async () => {
    const { perform, operation } = life();
    const script = `trap '' TERM; (trap '' TERM; setsid sleep 1000) & echo $! > pid; while :; do sleep 1; done`;
    const task = inUnit(script, { cwd: folder, timeoutMs: 1000 });
    const outcome = await perform(task);
    expect(outcome).toMatchObject({
      code: 'timedOut',
      detail: expect.stringContaining('was killed with all it started'),
    });
    expect(await isGone(operation, task)).toBe(true);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  it('survives revertd, which takes it over and learns how it ended', async () => {
    const script = 'until test -e go; do sleep 0.1; done; echo finished; exit 4';
    const second = life();
    const task = inUnit(script, { cwd: folder });
    const { argv } = task;
    const unit = unitOf(second.operation, argv);
    // What a crash leaves: a unit that runs, and nobody who waits for it.
    await startTransient(
      { name: unit, description: 'x', argv, cwd: folder, env: {}, limits: {}, longestMs: 60_000 },
      never,
    );
    expect(await second.observe(task, { unit })).toBe('notDone');
    const adopted = second.perform(task);
    await call('touch', [join(folder, 'go')]);
    expect(await adopted).toMatchObject({
      code: 'exitCode',
      detail: expect.stringMatching(/exit code 4[\s\S]*finished/),
    });
    expect(second.remembered).toStrictEqual([]);
    expect(await isGone(second.operation, task)).toBe(true);
  });

  it('is asked about if it is gone', async () => {
    const { observe } = life();
    expect(await observe(inUnit('true'), { unit: 'revertd-run-0.service' })).toBe('unknown');
    expect(await observe(inUnit('true', { repeatable: true }), { unit: 'revertd-run-0.service' })).toBe('notDone');
  });
});

it('leaves no file with the environment', () => {
  expect(readdirSync('/run').filter((name) => name.startsWith('revertd-run-'))).toStrictEqual([]);
});
