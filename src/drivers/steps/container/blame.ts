import { describeStep } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { ContainerState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { EngineError } from '../../containers/engine-error.ts';
import type { Deadline } from '../../deadline.ts';
import { failed, type StepContext, type StepFault, type StepOf, type StepOutcome } from '../step-driver.ts';
import { NotSettled } from './settle.ts';

/** Reading the log of a container that failed must not take the time of the next rung. */
const LOGS_MS: Millis = 5000;

export type ContainerTask = {
  readonly engine: ContainerEngine;
  readonly step: StepOf<'container'>;
  readonly deadline: Deadline;
  readonly context: StepContext;
  readonly steadyMs: Millis;
};

/** The outcome of a step that an EngineError ended. */
export async function blame(task: ContainerTask, error: EngineError): Promise<StepOutcome> {
  const what = describeStep(task.step);
  if (error.code !== 'stopped') return failed(faultOf(error), `${what}: ${task.context.secrets.redact(error.message)}`);
  const states = error instanceof NotSettled ? [error.state] : [];
  if (task.deadline.cause() !== 'timedOut')
    return failed('aborted', `${what} was stopped; the engine may go on with it`);
  const seen = error instanceof NotSettled ? `; ${error.message}` : '';
  const text = `${what} was not done after ${formatDuration(task.step.timeoutMs)}${seen}; the engine may go on with it`;
  return await withLogs(task, 'timedOut', text, states);
}

/** The failure, with the last log lines of these containers. */
export async function withLogs(
  { engine, context }: ContainerTask,
  code: StepFault,
  text: string,
  states: readonly ContainerState[],
): Promise<StepOutcome> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOGS_MS)]);
  const parts = await Promise.all(states.map((state) => logsOf(engine, state, signal)));
  return failed(code, context.secrets.redact([text, ...parts].join('')));
}

async function logsOf(engine: ContainerEngine, state: ContainerState, signal: AbortSignal): Promise<string> {
  try {
    const lines = await engine.logs(state, signal);
    return lines === '' ? `\n${state.name} has logged nothing` : `\nlast lines of ${state.name}:\n${lines}`;
  } catch (error) {
    if (error instanceof EngineError) return `\nthe log of ${state.name} cannot be read: ${error.message}`;
    throw error;
  }
}

function faultOf({ code }: EngineError): StepFault {
  switch (code) {
    case 'noSocket':
    case 'notPermitted':
    case 'refused':
    case 'notAnEngine':
      return 'noEngine';
    case 'noSuchContainer':
      return 'noSuchContainer';
    case 'lost':
      return 'noAnswer';
    case 'stopped':
      return 'timedOut';
    case 'noSuchPath':
    case 'tooLarge':
    case 'engine':
      return 'engineRefused';
  }
}
