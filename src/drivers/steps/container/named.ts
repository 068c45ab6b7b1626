import type { ContainerVerb, NamedContainers } from '../../../core/model/container-step.ts';
import { type ContainerState, type ContainerSummary, describeState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { findContainer } from '../../containers/find-container.ts';
import { type Fingerprint, failed, type Observation, type StepOutcome } from '../step-driver.ts';
import { type ContainerTask, withLogs } from './blame.ts';
import { describeProgress, progressOf, settle, type Wanted } from './settle.ts';

/** All names are looked up before the first container is touched. Rejects with EngineError. */
export async function performOnNamed(task: ContainerTask, { on, do: verb }: NamedContainers): Promise<StepOutcome> {
  const found = await findAll(task.engine, on.names, task.deadline.signal);
  const details: string[] = [];
  for (const container of found) {
    const outcome = await performOn(task, container, verb);
    if (outcome.outcome === 'failed') return outcome;
    details.push(outcome.detail);
  }
  return { outcome: 'done', detail: details.join('; ') };
}

async function findAll(engine: ContainerEngine, names: readonly string[], signal: AbortSignal) {
  return await Promise.all(names.map((name) => findContainer(engine, name, signal)));
}

async function performOn(task: ContainerTask, container: ContainerSummary, verb: ContainerVerb): Promise<StepOutcome> {
  const { engine, deadline, context } = task;
  const { id, name } = container;
  if (verb.kind === 'exec') return await execute(task, container, verb);
  context.log(`asking the engine to ${verb.kind} ${name}`);
  await engine.act(verb, id, deadline.signal);
  if (verb.kind === 'signal') return { outcome: 'done', detail: `sent ${verb.signal} to ${name}` };
  const { progress, state } = await settle(engine, id, wantedBy(verb), deadline.signal, task.steadyMs);
  if (progress === 'reached')
    return { outcome: 'done', detail: `${name} is ${describeState(state)}${killed(verb, state)}` };
  return await withLogs(task, 'containerFailed', `${name} is ${describeProgress(state)}`, [state]);
}

/** 137 is SIGKILL's: the engine sends it when the grace is over. */
function killed({ kind }: ContainerVerb, { running, exitCode }: ContainerState): string {
  return kind === 'stop' && !running && exitCode === 137 ? ' (killed, for it had not stopped by itself)' : '';
}

async function execute(
  { engine, deadline, context }: ContainerTask,
  { id, name }: ContainerSummary,
  { argv, exit }: Extract<ContainerVerb, { kind: 'exec' }>,
): Promise<StepOutcome> {
  context.log(`running ${argv[0]} in ${name}`);
  const env = { REVERTD_OPERATION: context.operation };
  const { exitCode, output } = await engine.exec({ id, argv, env }, deadline.signal);
  const said = output === '' ? '' : `\n${context.secrets.redact(output)}`;
  const detail = `${argv[0]} in ${name} ended with exit code ${exitCode}${said}`;
  if (exit.includes(exitCode)) return { outcome: 'done', detail };
  return failed('exitCode', exit.length === 1 && exit[0] === 0 ? detail : `expected ${exit.join(' or ')}: ${detail}`);
}

function wantedBy({ kind }: ContainerVerb): Wanted {
  switch (kind) {
    case 'stop':
      return 'down';
    case 'pause':
      return 'paused';
    default:
      return 'up';
  }
}

/** When each container was started last, so that a restart can be seen. Rejects with EngineError. */
export async function fingerprintOfNamed(
  engine: ContainerEngine,
  { on }: NamedContainers,
  signal: AbortSignal,
): Promise<Fingerprint> {
  const states = await inspectAll(engine, on.names, signal);
  return Object.fromEntries(states.map(({ name, startedAt }) => [name, startedAt]));
}

/** Rejects with EngineError. */
export async function observeNamed(
  engine: ContainerEngine,
  { on, do: verb }: NamedContainers,
  before: Fingerprint,
  signal: AbortSignal,
): Promise<Observation> {
  if (verb.kind === 'signal') return verb.signal === 'SIGHUP' ? 'notDone' : 'unknown';
  const states = await inspectAll(engine, on.names, signal);
  const seen = states.map((state) => observeState(verb, state, startOf(before, state.name)));
  if (seen.includes('notDone')) return 'notDone';
  return seen.includes('unknown') ? 'unknown' : 'done';
}

/** A new start shows in its time. One that has ended well may have done so long before the step, or because of it. */
function observeState(verb: ContainerVerb, state: ContainerState, startBefore: string | undefined): Observation {
  const wanted = wantedBy(verb);
  if (progressOf(wanted, state) !== 'reached') return 'notDone';
  const isPlain = wanted !== 'up' || (state.running && verb.kind !== 'restart');
  if (isPlain) return 'done';
  if (startBefore === undefined) return 'unknown';
  return state.startedAt === startBefore ? 'notDone' : 'done';
}

async function inspectAll(engine: ContainerEngine, names: readonly string[], signal: AbortSignal) {
  const found = await findAll(engine, names, signal);
  return await Promise.all(found.map(({ id }) => engine.inspect(id, signal)));
}

function startOf(before: Fingerprint, name: string): string | undefined {
  const start =
    before !== null && typeof before === 'object' && Object.hasOwn(before, name) && Reflect.get(before, name);
  return typeof start === 'string' ? start : undefined;
}
