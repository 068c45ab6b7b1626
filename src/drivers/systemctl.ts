import { access } from 'node:fs/promises';
import { type ProcessEnd, runProcess } from './process.ts';

export type UnitVerb =
  | { readonly kind: 'start' | 'stop' | 'restart' | 'reload' }
  | { readonly kind: 'signal'; readonly signal: string };

/** Properties of a unit by systemd's names (org.freedesktop.systemd1(5)). */
export type UnitProperties = {
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly loadState: string;
  /** `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`, `maintenance`. */
  readonly activeState: string;
  readonly subState: string;
  /** `success`, or how it failed last. */
  readonly result: string;
  /** The service's `Type=`; empty for other kinds of units. */
  readonly type: string;
  /** Another with each start; empty if it was never started since the boot. */
  readonly invocationId: string;
  readonly canReload: boolean;
  /** A start or stop of it is queued or running. */
  readonly hasJob: boolean;
  /** Below the hierarchy's root, such as `/system.slice/app.service`; empty while nothing of it runs. */
  readonly controlGroup: string;
  /** How often systemd itself started the service again; 0 for other kinds of units. */
  readonly restarts: number;
};

/** The service manager. All methods reject with SystemdError. */
export type Systemctl = {
  readonly show: (unit: string, signal: AbortSignal) => Promise<UnitProperties>;
  /** Waits until systemd is done with it; rejects with `refused` if systemd did not do it. */
  readonly act: (verb: UnitVerb, unit: string, signal: AbortSignal) => Promise<void>;
  /** The unit's last lines in the journal; empty if there are none or they may not be read. */
  readonly journal: (unit: string, lines: number, signal: AbortSignal) => Promise<string>;
};

export type SystemdErrorCode = 'noSystemd' | 'refused' | 'stopped';

export class SystemdError extends Error {
  override readonly name = 'SystemdError';
  readonly code: SystemdErrorCode;

  constructor(code: SystemdErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'Type',
  'InvocationID',
  'CanReload',
  'Job',
  'ControlGroup',
  'NRestarts',
] as const;
/** Output of systemctl itself holds no secrets; the journal's is redacted where it is reported. */
const PLAIN = { redactor: () => ({ push: (piece: string) => piece, end: () => '' }) };

/** The service manager of this host, through its own program, so that its rights and its D-Bus are its own matter. */
export const hostSystemctl: Systemctl = {
  show: async (unit, signal) => {
    const output = await systemctl(['show', `--property=${PROPERTIES.join(',')}`, '--', unit], signal);
    return parseProperties(output);
  },
  act: async (verb, unit, signal) => {
    const argv = verb.kind === 'signal' ? ['kill', '--kill-who=main', `--signal=${verb.signal}`] : [verb.kind];
    await systemctl([...argv, '--', unit], signal);
  },
  journal: async (unit, lines, signal) => {
    const end = await call(
      ['journalctl', `--unit=${unit}`, `--lines=${lines}`, '--no-pager', '--output=cat', '--quiet'],
      signal,
    );
    return end.kind === 'exited' && end.code === 0 ? end.output.trimEnd() : '';
  },
};

async function systemctl(argv: readonly string[], signal: AbortSignal): Promise<string> {
  await requireSystemd();
  const end = await call(['systemctl', '--no-ask-password', '--no-pager', ...argv], signal);
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return end.output;
      throw new SystemdError('refused', end.output.trim() || `systemctl ended with exit code ${end.code}`);
    case 'killed':
      throw new SystemdError('refused', `systemctl was killed by ${end.by}`);
    case 'stopped':
      throw new SystemdError('stopped', 'systemctl was stopped before systemd was done');
    case 'notStarted':
      throw new SystemdError('noSystemd', `systemctl cannot be used: ${end.message}`);
  }
}

/** The test of sd_booted(3). */
export async function requireSystemd(): Promise<void> {
  try {
    await access('/run/systemd/system');
  } catch {
    const text = 'this host was not booted with systemd (/run/systemd/system does not exist)';
    throw new SystemdError('noSystemd', `${text}; name the process by a pidFile, or use a run step`);
  }
}

async function call(argv: readonly string[], signal: AbortSignal): Promise<ProcessEnd> {
  return await runProcess({ argv, env: { SYSTEMD_COLORS: '0', LC_ALL: 'C.UTF-8' }, secrets: PLAIN }, signal);
}

function parseProperties(output: string): UnitProperties {
  const pairs = new Map(
    output.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)] as const;
    }),
  );
  const get = (name: (typeof PROPERTIES)[number]) => pairs.get(name) ?? '';
  return {
    loadState: get('LoadState'),
    activeState: get('ActiveState'),
    subState: get('SubState'),
    result: get('Result'),
    type: get('Type'),
    invocationId: get('InvocationID'),
    canReload: get('CanReload') === 'yes',
    hasJob: get('Job') !== '' && get('Job') !== '0',
    controlGroup: get('ControlGroup'),
    restarts: Number(get('NRestarts')) || 0,
  };
}
