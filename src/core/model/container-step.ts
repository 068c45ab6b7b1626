import { formatDuration, type Millis } from '../units.ts';
import type { Repetition } from './step.ts';

/** Something done to containers, through the engine of the host, or to a compose project. */
export type ContainerStep = { readonly kind: 'container' } & Repetition & (NamedContainers | ComposeProject);

/** One after the other, in this order. */
export type NamedContainers = {
  readonly on: { readonly kind: 'containers'; readonly names: readonly string[] };
  readonly do: ContainerVerb;
};

/** The project of a compose file; all its services if none is named. */
export type ComposeProject = {
  readonly on: {
    readonly kind: 'compose';
    readonly file: string;
    /** The project's name, where it is not the one that compose itself would take. */
    readonly project?: string;
    readonly services: readonly string[];
  };
  readonly do: ComposeVerb;
};

export type ContainerVerb =
  | { readonly kind: 'start' | 'pause' | 'unpause' }
  | StopVerb<'stop' | 'restart'>
  | { readonly kind: 'signal'; readonly signal: string }
  /** A program inside of the container, without a shell; `exit` are the exit codes that count as done. */
  | { readonly kind: 'exec'; readonly argv: readonly string[]; readonly exit: readonly number[] };

/** `recreate` makes the containers anew even if nothing of theirs changed. */
export type ComposeVerb = { readonly kind: 'start' | 'up' | 'recreate' } | StopVerb<'stop' | 'restart' | 'down'>;

/** After `graceMs` the engine kills what has not stopped; without it, after the container's own time. */
type StopVerb<K extends string> = { readonly kind: K; readonly graceMs?: Millis };

/** One line for plans, logs and people, which says everything that the step's `on` and `do` do. */
export function describeContainerStep(step: NamedContainers | ComposeProject): string {
  const { on } = step;
  const more = describeMore(step.do);
  if (on.kind === 'compose') {
    const project = on.project === undefined ? '' : ` as ${on.project}`;
    const services = on.services.length === 0 ? '' : `: ${on.services.join(', ')}`;
    return `compose ${step.do.kind} ${on.file}${project}${services}${more}`;
  }
  const names = on.names.length === 1 ? `container ${on.names[0]}` : `containers ${on.names.join(', ')}`;
  return `${describeVerb(step.do)} ${names}${more}`;
}

function describeVerb(verb: ContainerVerb | ComposeVerb): string {
  switch (verb.kind) {
    case 'signal':
      return `send ${verb.signal} to`;
    case 'exec':
      return `run ${describeArgv(verb.argv)} in`;
    default:
      return verb.kind;
  }
}

function describeMore(verb: ContainerVerb | ComposeVerb): string {
  if (verb.kind === 'exec') return verb.exit.join() === '0' ? '' : ` (done with exit code ${verb.exit.join(' or ')})`;
  const graceMs = 'graceMs' in verb ? verb.graceMs : undefined;
  return graceMs === undefined ? '' : ` (killed after ${formatDuration(graceMs)})`;
}

/** As people would type it; what would not survive that is quoted. */
export function describeArgv(argv: readonly string[]): string {
  return argv.map((argument) => (/^[\w@%+=:,./-]+$/.test(argument) ? argument : JSON.stringify(argument))).join(' ');
}
