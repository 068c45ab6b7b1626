import type { ContainerCheckSpec } from '../core/model/check.ts';
import type { ComposeProject, ComposeVerb, ContainerVerb, NamedContainers } from '../core/model/container-step.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import {
  argvAt,
  type BuildContext,
  composeNameAt,
  containerAt,
  durationAt,
  fault,
  pathAt,
  refuseUnless,
  SHORTEST_TIMEOUT,
} from './build-context.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawContainerCheck, RawContainerStep } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS: Millis = 5_000;

/** What a step does to containers. `timeoutMs` is the step's, which a `grace` has to fit into. */
export function buildContainerStep(
  context: BuildContext,
  path: Path,
  raw: RawContainerStep,
  timeoutMs: Millis,
): NamedContainers | ComposeProject {
  checkKeys(context, path, raw);
  const grace = graceAt(context, [...path, 'grace'], raw.grace, timeoutMs);
  if (raw.compose !== undefined) {
    return {
      on: composeAt(context, path, { ...raw, compose: raw.compose }),
      do: composeVerb(context, path, raw, grace),
    };
  }
  const names =
    raw.names === undefined
      ? [containerAt(context, [...path, 'name'], raw.name ?? '')]
      : raw.names.map((name, index) => containerAt(context, [...path, 'names', index], name));
  return { on: { kind: 'containers', names }, do: containerVerb(context, path, raw, grace) };
}

function composeAt(
  context: BuildContext,
  path: Path,
  { compose, project, services }: RawContainerStep & { readonly compose: string },
): ComposeProject['on'] {
  const file = pathAt(context, [...path, 'compose'], compose, 'read');
  if (file.startsWith('/') && !hasVariable(file)) {
    refuseUnless(context, [...path, 'compose'], context.allow.container?.(file));
  }
  return {
    kind: 'compose',
    file,
    ...(project === undefined ? {} : { project: composeNameAt(context, [...path, 'project'], project, 'a project') }),
    services: (services ?? []).map((name, index) =>
      composeNameAt(context, [...path, 'services', index], name, 'a service'),
    ),
  };
}

type Grace = { readonly graceMs?: Millis };

function graceAt(context: BuildContext, path: Path, text: string | undefined, timeoutMs: Millis): Grace {
  if (text === undefined) return {};
  const graceMs = durationAt(context, path, text, 0);
  if (graceMs >= timeoutMs) {
    const message = `\`grace\` (${text}) does not fit into the step's timeout (${formatDuration(timeoutMs)})`;
    fault(context, path, 'E-GRACE', { message, found: text, expected: `less than ${formatDuration(timeoutMs)}` });
  }
  return { graceMs };
}

function containerVerb(context: BuildContext, path: Path, raw: RawContainerStep, grace: Grace): ContainerVerb {
  const { do: verb } = raw;
  if (typeof verb === 'object') {
    if (verb.signal !== undefined) return { kind: 'signal', signal: verb.signal };
    // The program is one of the container's, so that the host's list of programs says nothing about it.
    const argv = argvAt({ ...context, allow: {} }, [...path, 'do', 'exec'], verb.exec ?? []);
    return { kind: 'exec', argv, exit: verb.exit ?? [0] };
  }
  switch (verb) {
    case 'stop':
    case 'restart':
      return { kind: verb, ...grace };
    case 'start':
    case 'pause':
    case 'unpause':
      return { kind: verb };
    case 'up':
    case 'down':
    case 'recreate': {
      const message = `\`do: ${verb}\` is for compose projects; name the project's file: compose: PATH`;
      fault(context, [...path, 'do'], 'E-CONTAINER', { message, found: verb });
      return { kind: 'start' };
    }
  }
}

function composeVerb(context: BuildContext, path: Path, { do: verb }: RawContainerStep, grace: Grace): ComposeVerb {
  switch (verb) {
    case 'stop':
    case 'restart':
    case 'down':
      return { kind: verb, ...grace };
    case 'start':
    case 'up':
    case 'recreate':
      return { kind: verb };
    default: {
      const found = typeof verb === 'string' ? verb : Object.keys(verb)[0];
      const message = `a compose project can be started, stopped, restarted, recreated, brought up and down; for \`do: ${found}\` name a container`;
      fault(context, [...path, 'do'], 'E-CONTAINER', { message });
      return { kind: 'start' };
    }
  }
}

/** Keys that say nothing beside what is done are a misunderstanding. */
function checkKeys(context: BuildContext, path: Path, raw: RawContainerStep): void {
  const isExec = typeof raw.do === 'object' && 'exec' in raw.do;
  const isSignal = typeof raw.do === 'object' && raw.do.signal !== undefined;
  const stops = raw.do === 'stop' || raw.do === 'restart' || raw.do === 'down';
  const idle = [
    isSignal && typeof raw.do === 'object' && raw.do.exit !== undefined
      ? ['do', 'has `exit`, which is for `exec`']
      : [],
    raw.compose === undefined && raw.project !== undefined ? ['project', 'needs `compose`'] : [],
    raw.compose === undefined && raw.services !== undefined ? ['services', 'needs `compose`'] : [],
    !stops && raw.grace !== undefined ? ['grace', 'is for stop, restart and down'] : [],
    !isExec && raw.repeatable !== undefined
      ? ['repeatable', 'is for exec: whether anything else was done can be seen']
      : [],
    !isExec && raw.unless !== undefined ? ['unless', 'is for exec: whether anything else was done can be seen'] : [],
  ];
  for (const [key, why] of idle) {
    if (key !== undefined) fault(context, [...path, key], 'E-CONTAINER', `\`${key}\` ${why}`);
  }
}

export function buildContainerCheck(context: BuildContext, path: Path, raw: RawContainerCheck): ContainerCheckSpec {
  const { is, exitCode, restartsBelow, image } = raw;
  if ([is, exitCode, restartsBelow, image].every((asked) => asked === undefined)) {
    const message = '`container` asks for nothing; name one or more of `is`, `exitCode`, `restartsBelow`, `image`';
    fault(context, path, 'E-CONTAINER', message);
  }
  if (exitCode !== undefined && (is === 'running' || is === 'healthy')) {
    fault(
      context,
      [...path, 'exitCode'],
      'E-CONTAINER',
      `a container that is ${is} has no exit code; leave one of both out`,
    );
  }
  return {
    kind: 'container',
    container: containerAt(context, [...path, 'name'], raw.name),
    ...(is === undefined ? {} : { is }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(restartsBelow === undefined ? {} : { restartsBelow }),
    ...(image === undefined ? {} : { image }),
    timeoutMs: durationAt(context, [...path, 'timeout'], raw.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
  };
}
