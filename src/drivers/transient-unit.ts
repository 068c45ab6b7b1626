import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { UnitLimits } from '../core/model/step.ts';
import type { Millis } from '../core/units.ts';
import { envFormat } from './places/envFile/format.ts';
import { DEFAULT_PATH, runProcess } from './process.ts';
import { requireSystemd, SystemdError } from './systemctl.ts';

/** A program as a systemd unit of its own, which outlives revertd and is known by its name. */
export type TransientSpec = {
  readonly name: string;
  readonly description: string;
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  /** May hold secrets: nobody but systemd gets to see them, not even in the unit's properties. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: UnitLimits;
  /** systemd ends it after so long even if revertd never comes back. */
  readonly longestMs: Millis;
};

/** `absent`: there is no such unit, or it has never run. `by`: the signal, by its number. */
export type TransientState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'running' }
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly by: number }
  /** systemd itself could not start it, or ended it: `exit-code`, `timeout`, `oom-kill`, … */
  | { readonly kind: 'failed'; readonly result: string };

const POLL_MS: Millis = 200;
const STOP_SECONDS = 5;
const KEPT_LINES = 100;
/** `si_code` values of SIGCHLD (sigaction(2)), as ExecMainCode gives them. */
const CLD_EXITED = '1';
const CLD_KILLED = '2';
const CLD_DUMPED = '3';
const PLAIN = { redactor: () => ({ push: (piece: string) => piece, end: () => '' }) };
const never = new AbortController().signal;

/** The same for the same key, so that what runs is found again after a crash. */
export function transientName(key: string): string {
  return `revertd-run-${createHash('sha256').update(key).digest('hex').slice(0, 24)}.service`;
}

/** Resolves when the program was started. Rejects with SystemdError. */
export async function startTransient(spec: TransientSpec, signal: AbortSignal): Promise<void> {
  await requireSystemd();
  const folder = await mkdtemp(join(process.env['RUNTIME_DIRECTORY'] ?? '/run', 'revertd-run-'));
  try {
    const file = join(folder, 'environment');
    const home = spec.user === undefined ? { HOME: homedir() } : {};
    const variables = Object.entries({ PATH: DEFAULT_PATH, LANG: 'C.UTF-8', ...home, ...spec.env });
    const text = envFormat.edit(
      '',
      variables.map(([entry, value]) => ({ entry, value })),
    );
    await writeFile(file, text, { mode: 0o600 });
    await call(
      ['systemd-run', '--quiet', '--no-ask-password', ...optionsOf(spec, file), '--', ...literal(spec.argv)],
      signal,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** systemd puts variables into arguments, as into `ExecStart=`; a policy's arguments are handed over as they are. */
function literal([program = '', ...rest]: readonly string[]): readonly string[] {
  return [program, ...rest.map((argument) => argument.replaceAll('$', '$$$$'))];
}

/** `Type=exec`: systemd-run answers when the program itself has begun, and so has read its environment. */
function optionsOf({ name, description, cwd, user, limits, longestMs }: TransientSpec, environment: string): string[] {
  const { memoryBytes, cpuPercent, tasks } = limits;
  const properties = [
    'Type=exec',
    // Without it systemd forgets a unit that ended well, and with it that it did.
    'RemainAfterExit=yes',
    `TimeoutStopSec=${STOP_SECONDS}s`,
    `RuntimeMaxSec=${Math.ceil(longestMs / 1000) + STOP_SECONDS}s`,
    `EnvironmentFile=${environment}`,
    ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`]),
    ...(cpuPercent === undefined ? [] : [`CPUQuota=${cpuPercent}%`]),
    ...(tasks === undefined ? [] : [`TasksMax=${tasks}`]),
  ];
  return [
    `--unit=${name}`,
    `--description=${description}`,
    ...properties.map((property) => `--property=${property}`),
    ...(cwd === undefined ? [] : [`--working-directory=${cwd}`]),
    ...(user === undefined ? [] : [`--uid=${user}`]),
  ];
}

/** Rejects with SystemdError. */
export async function transientState(name: string, signal: AbortSignal): Promise<TransientState> {
  await requireSystemd();
  const names = ['LoadState', 'ActiveState', 'SubState', 'Result', 'ExecMainCode', 'ExecMainStatus'];
  const output = await call(['systemctl', '--no-pager', 'show', `--property=${names.join(',')}`, '--', name], signal);
  const of = new Map(
    output.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  if (of.get('LoadState') !== 'loaded') return { kind: 'absent' };
  const status = Number(of.get('ExecMainStatus'));
  const active = of.get('ActiveState');
  if (active === 'activating' || (active === 'active' && of.get('SubState') === 'running')) return { kind: 'running' };
  switch (of.get('ExecMainCode')) {
    case CLD_EXITED:
      return { kind: 'exited', code: status };
    case CLD_KILLED:
    case CLD_DUMPED:
      return { kind: 'killed', by: status };
    default:
      return active === 'inactive' ? { kind: 'absent' } : { kind: 'failed', result: of.get('Result') ?? '' };
  }
}

/** Waits until the program has ended. Rejects with SystemdError `stopped` when the signal aborts. */
export async function waitForTransient(name: string, signal: AbortSignal): Promise<TransientState> {
  for (;;) {
    const state = await transientState(name, signal);
    if (state.kind !== 'running') return state;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new SystemdError('stopped', `${name} had not ended`);
  }
}

/** The newest lines that it wrote; empty if the journal may not be read. */
export async function transientOutput(name: string, signal: AbortSignal): Promise<string> {
  const argv = [
    'journalctl',
    `--unit=${name}`,
    `--lines=${KEPT_LINES}`,
    '--no-pager',
    '--output=cat',
    '--quiet',
    '_TRANSPORT=stdout',
  ];
  const end = await runProcess({ argv, secrets: PLAIN }, signal);
  return end.kind === 'exited' && end.code === 0 ? end.output.trimEnd() : '';
}

/** Ends all of its processes, and has systemd forget it. */
export async function removeTransient(name: string): Promise<void> {
  for (const verb of ['stop', 'reset-failed']) {
    // What is gone already is no fault of either.
    await call(['systemctl', '--no-ask-password', verb, '--', name], never).catch(() => undefined);
  }
}

async function call(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const end = await runProcess({ argv, env: { SYSTEMD_COLORS: '0', LC_ALL: 'C.UTF-8' }, secrets: PLAIN }, signal);
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return end.output;
      throw new SystemdError('refused', end.output.trim() || `${argv[0]} ended with exit code ${end.code}`);
    case 'killed':
      throw new SystemdError('refused', `${argv[0]} was killed by ${end.by}`);
    case 'stopped':
      throw new SystemdError('stopped', `${argv[0]} was stopped`);
    case 'notStarted':
      throw new SystemdError('noSystemd', end.message);
  }
}
