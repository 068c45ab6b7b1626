import type { ComposeProject } from '../../../core/model/container-step.ts';
import { describeStep } from '../../../core/model/step.ts';
import type { Millis } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import type { Compose } from '../../containers/compose.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { EngineError } from '../../containers/engine-error.ts';
import { startDeadline } from '../../deadline.ts';
import {
  type Ask,
  type Fingerprint,
  failed,
  type Observation,
  type StepContext,
  type StepDriver,
  type StepOf,
  type StepOutcome,
} from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';
import { blame, type ContainerTask } from './blame.ts';
import { examineContainers } from './examine.ts';
import { fingerprintOfNamed, observeNamed, performOnNamed } from './named.ts';
import { fingerprintOfProject, observeProject, performOnProject } from './project.ts';
import { STEADY_MS } from './settle.ts';

type ContainerHost = {
  readonly allow: AllowList;
  readonly engine: ContainerEngine;
  readonly compose: Compose;
  readonly ask: Ask;
  readonly steadyMs?: Millis;
};

/** Containers by their names, through the engine; compose projects, by their own program. */
export function containerStep(host: ContainerHost): StepDriver<'container'> {
  return {
    describe: describeStep,
    examine: (step, signal) => examineContainers(host, step, signal),
    prepare: (step, signal) => fingerprint(host.engine, step, signal),
    perform: (step, context) => perform(host, step, context),
    observe: (step, before, signal) => observe(host, step, before, signal),
  };
}

type ProjectStep = Extract<StepOf<'container'>, ComposeProject>;

function isProject(step: StepOf<'container'>): step is ProjectStep {
  return step.on.kind === 'compose';
}

async function perform(host: ContainerHost, step: StepOf<'container'>, context: StepContext): Promise<StepOutcome> {
  const { on } = step;
  const touched = on.kind === 'compose' ? [on.file] : on.names;
  const refused = touched.map((name) => host.allow.mayTouchContainer(name)).find((reason) => reason !== undefined);
  if (refused !== undefined) return failed('notAllowed', refused);
  const deadline = startDeadline(context.signal, step.timeoutMs);
  const task: ContainerTask = { engine: host.engine, step, deadline, context, steadyMs: host.steadyMs ?? STEADY_MS };
  const early = await outcomeBefore(step, host.ask, deadline.signal);
  if (early !== undefined) return early;
  try {
    return isProject(step) ? await performOnProject(task, step, host.compose) : await performOnNamed(task, step);
  } catch (error) {
    if (error instanceof EngineError) return await blame(task, error);
    throw error;
  }
}

/** Empty if the engine cannot be asked: the step itself will then fail and say so. */
async function fingerprint(
  engine: ContainerEngine,
  step: StepOf<'container'>,
  signal: AbortSignal,
): Promise<Fingerprint> {
  try {
    if (isProject(step)) return await fingerprintOfProject(engine, step, signal);
    return await fingerprintOfNamed(engine, step, signal);
  } catch (error) {
    if (error instanceof EngineError) return {};
    throw error;
  }
}

async function observe(
  { engine, ask }: ContainerHost,
  step: StepOf<'container'>,
  before: Fingerprint,
  signal: AbortSignal,
): Promise<Observation> {
  if (step.do.kind === 'exec') return await observeRepetition(step, ask, signal);
  try {
    if (isProject(step)) return await observeProject(engine, step, before, signal);
    return await observeNamed(engine, step, before, signal);
  } catch (error) {
    if (error instanceof EngineError) return 'unknown';
    throw error;
  }
}
