import type { UnitLimits } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { Deadline } from '../../deadline.ts';
import { resolveTexts } from '../../secrets.ts';
import { SystemdError } from '../../systemctl.ts';
import {
  removeTransient,
  startTransient,
  type TransientState,
  transientName,
  transientOutput,
  transientState,
  waitForTransient,
} from '../../transient-unit.ts';
import { failed, type StepContext, type StepOf, type StepOutcome } from '../step-driver.ts';

const JOURNAL_MS: Millis = 5000;

/** The unit that the step runs in: also that of an attempt before a crash. An operation may run several programs. */
export function unitOf(operation: string, argv: readonly string[]): string {
  return transientName(`${operation.replace(/#\d+$/, '')} ${JSON.stringify(argv)}`);
}

/** Whether a unit of that name is there, running or ended: then its outcome is the step's. Rejects with SystemdError. */
export async function isThere(unit: string, signal: AbortSignal): Promise<boolean> {
  return (await transientState(unit, signal)).kind !== 'absent';
}

/** Runs the step's program as a unit, or takes over one that an earlier life of revertd had begun. */
export async function runAsUnit(
  step: StepOf<'run'>,
  limits: UnitLimits,
  context: StepContext,
  deadline: Deadline,
): Promise<StepOutcome> {
  const unit = unitOf(context.operation, step.argv);
  let begun = false;
  try {
    begun = await isThere(unit, deadline.signal);
    if (begun) context.log(`taking over ${unit}, begun before a restart`);
    else begun = await begin(step, limits, unit, context, deadline);
    const outcome = await judge(step, unit, await waitForTransient(unit, deadline.signal), context);
    await removeTransient(unit);
    return outcome;
  } catch (error) {
    if (!(error instanceof SystemdError)) throw error;
    return await blame(step, unit, begun, error, context, deadline);
  }
}

async function begin(
  step: StepOf<'run'>,
  limits: UnitLimits,
  unit: string,
  context: StepContext,
  deadline: Deadline,
): Promise<true> {
  const env = { REVERTD_OPERATION: context.operation, ...(await resolveTexts(step.env, context.secrets)) };
  const { argv, cwd, user, timeoutMs } = step;
  // Written down first: a unit that nobody knows of would be begun a second time.
  context.remember({ unit });
  context.log(`starting ${unit}`);
  const spec = {
    name: unit,
    description: `revertd ${context.operation}`,
    argv,
    env,
    limits,
    longestMs: timeoutMs,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
  };
  await startTransient(spec, deadline.signal).catch(async (error: unknown) => {
    // What has ended before systemd-run could answer is told as a failure to start, but its unit knows how it ended.
    const hasRun = error instanceof SystemdError && error.code === 'refused' && (await isThere(unit, deadline.signal));
    if (!hasRun) throw error;
  });
  return true;
}

async function judge(
  step: StepOf<'run'>,
  unit: string,
  state: TransientState,
  context: StepContext,
): Promise<StepOutcome> {
  const program = step.argv[0] ?? '';
  const tell = (text: string) => withOutput(text, unit, context);
  switch (state.kind) {
    case 'exited': {
      const detail = await tell(`${program} ended with exit code ${state.code}`);
      return state.code === 0 ? { outcome: 'done', detail } : failed('exitCode', detail);
    }
    case 'killed':
      return failed('killed', await tell(`${program} was killed by signal ${state.by}`));
    case 'failed':
    case 'running':
      return failed(
        'unitFailed',
        await tell(`${unit} failed (${state.kind === 'failed' ? state.result : 'still running'})`),
      );
    case 'absent':
      return { outcome: 'unknown', detail: `${unit} is gone, and with it how ${program} ended` };
  }
}

async function blame(
  step: StepOf<'run'>,
  unit: string,
  begun: boolean,
  error: SystemdError,
  context: StepContext,
  deadline: Deadline,
): Promise<StepOutcome> {
  const program = step.argv[0] ?? '';
  if (deadline.cause() !== undefined && begun) {
    const text =
      deadline.cause() === 'timedOut'
        ? `${program} had not ended after ${formatDuration(step.timeoutMs)} and was killed with all it started`
        : `${program} was stopped`;
    await removeTransient(unit);
    return failed(deadline.cause() === 'timedOut' ? 'timedOut' : 'aborted', await withOutput(text, unit, context));
  }
  if (deadline.cause() !== undefined)
    return failed(deadline.cause() === 'timedOut' ? 'timedOut' : 'aborted', error.message);
  return failed(error.code === 'noSystemd' ? 'noSystemd' : 'notStarted', context.secrets.redact(error.message));
}

async function withOutput(text: string, unit: string, { secrets }: StepContext): Promise<string> {
  const output = await transientOutput(unit, AbortSignal.timeout(JOURNAL_MS));
  return secrets.redact(output === '' ? text : `${text}\n${output}`);
}
