import type { ComposeProject, ComposeVerb } from '../../../core/model/container-step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { Compose } from '../../containers/compose.ts';
import { containersOf, missingServices } from '../../containers/compose-containers.ts';
import { type ContainerState, type ContainerSummary, describeState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import type { ProcessEnd } from '../../process.ts';
import { type Fingerprint, failed, type Observation, type StepOutcome } from '../step-driver.ts';
import { type ContainerTask, withLogs } from './blame.ts';
import { describeProgress, progressOf, settle } from './settle.ts';

/**
 * Has compose do it, and then looks for itself: compose is done when the processes were started, and some versions end
 * with 0 whatever happened. Rejects with EngineError.
 */
export async function performOnProject(
  task: ContainerTask,
  project: ComposeProject,
  compose: Compose,
): Promise<StepOutcome> {
  const { engine, deadline, context } = task;
  await engine.greet(deadline.signal);
  const socket = await engine.socket();
  context.log(`asking compose to ${project.do.kind} ${project.on.file}`);
  const end = await compose(project, { signal: deadline.signal, secrets: context.secrets, socket });
  if (end.kind !== 'exited' || end.code !== 0) return judgeProgram(task, end);
  const found = containersOf(project.on, await engine.list(deadline.signal));
  return await judgeContainers(task, project, found, end.output);
}

function judgeProgram({ deadline, step }: ContainerTask, end: ProcessEnd): StepOutcome {
  switch (end.kind) {
    case 'exited':
      return failed('exitCode', withOutput(`compose ended with exit code ${end.code}`, end.output));
    case 'killed':
      return failed('killed', withOutput(`compose was killed by ${end.by}`, end.output));
    case 'stopped': {
      if (deadline.cause() !== 'timedOut') return failed('aborted', withOutput('compose was stopped', end.output));
      const text = `compose had not ended after ${formatDuration(step.timeoutMs)} and was stopped`;
      return failed('timedOut', withOutput(text, end.output));
    }
    case 'notStarted':
      return failed('notStarted', end.message);
  }
}

async function judgeContainers(
  task: ContainerTask,
  { on, do: verb }: ComposeProject,
  found: readonly ContainerSummary[],
  output: string,
): Promise<StepOutcome> {
  const { engine, deadline } = task;
  if (verb.kind === 'down') {
    if (found.length === 0) return { outcome: 'done', detail: `nothing of ${on.file} is there any more` };
    const left = found.map(({ name }) => name).join(', ');
    return failed('containerFailed', withOutput(`compose has left ${left}`, output));
  }
  const wanted = verb.kind === 'stop' ? 'down' : 'up';
  const missing = missingServices(on, found);
  if (wanted === 'up' && (missing.length > 0 || found.length === 0)) {
    const what = missing.length === 0 ? 'no container' : `no container of ${missing.join(', ')}`;
    return failed('containerFailed', withOutput(`compose has ended well, but there is ${what}`, output));
  }
  const ends = await Promise.all(found.map(({ id }) => settle(engine, id, wanted, deadline.signal, task.steadyMs)));
  const bad = ends.filter(({ progress }) => progress === 'failed').map(({ state }) => state);
  if (bad.length === 0) return { outcome: 'done', detail: ends.map(({ state }) => describe(state)).join('; ') };
  const text = bad.map((state) => `${state.name} is ${describeProgress(state)}`).join('; ');
  return await withLogs(task, 'containerFailed', text, bad);
}

function describe(state: ContainerState): string {
  return `${state.name} is ${describeState(state)}`;
}

function withOutput(text: string, output: string): string {
  const trimmed = output.trimEnd();
  return trimmed === '' ? text : `${text}\n${trimmed}`;
}

/** When each container was made and started last. Rejects with EngineError. */
export async function fingerprintOfProject(
  engine: ContainerEngine,
  { on }: ComposeProject,
  signal: AbortSignal,
): Promise<Fingerprint> {
  const states = await inspectProject(engine, on, signal);
  return { startedAt: states.map(({ startedAt }) => startedAt) };
}

/**
 * Compose brings things into a state, so that all of this may be repeated; what can be seen to be done need not be.
 * Whether `up` took the file as it is now cannot be seen. Rejects with EngineError.
 */
export async function observeProject(
  engine: ContainerEngine,
  { on, do: verb }: ComposeProject,
  before: Fingerprint,
  signal: AbortSignal,
): Promise<Observation> {
  const states = await inspectProject(engine, on, signal);
  return isSeen(verb, states, startsIn(before)) ? 'done' : 'notDone';
}

function isSeen(verb: ComposeVerb, states: readonly ContainerState[], before: readonly string[] | undefined): boolean {
  const isUp = (state: ContainerState) => progressOf('up', state) === 'reached';
  const isNew = ({ startedAt }: ContainerState) => before?.includes(startedAt) === false;
  switch (verb.kind) {
    case 'up':
      return false;
    case 'down':
      return states.length === 0;
    case 'stop':
      return states.every((state) => progressOf('down', state) === 'reached');
    case 'start':
      return states.length > 0 && states.every((state) => isUp(state) && (state.running || isNew(state)));
    case 'restart':
    case 'recreate':
      return states.length > 0 && states.every((state) => isUp(state) && isNew(state));
  }
}

async function inspectProject(engine: ContainerEngine, on: ComposeProject['on'], signal: AbortSignal) {
  const found = containersOf(on, await engine.list(signal));
  return await Promise.all(found.map(({ id }) => engine.inspect(id, signal)));
}

function startsIn(before: Fingerprint): readonly string[] | undefined {
  const found: unknown = before !== null && typeof before === 'object' ? Reflect.get(before, 'startedAt') : undefined;
  return Array.isArray(found) ? found.filter((start) => typeof start === 'string') : undefined;
}
