import { describeStep } from '../../../core/model/step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { type ProcessEnd, runProcess } from '../../process.ts';
import { resolveTexts, SecretError, type SecretResolver } from '../../secrets.ts';
import { SystemdError } from '../../systemctl.ts';
import {
  type Ask,
  type Fingerprint,
  failed,
  type StepContext,
  type StepDriver,
  type StepOf,
  type StepOutcome,
} from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';
import { examineProgram } from './examine.ts';
import { isThere, runAsUnit, unitOf } from './run-as-unit.ts';
import { asUser, UserFault } from './run-as-user.ts';

/**
 * Runs a program. It gets PATH, HOME, LANG, the step's variables, and REVERTD_OPERATION, which is the same when the step
 * is repeated after a crash.
 */
export function runStep(host: {
  readonly allow: AllowList;
  readonly ask: Ask;
  readonly secrets: SecretResolver;
}): StepDriver<'run'> {
  return {
    describe: describeStep,
    examine: (step, signal) => examineProgram(host, step, signal),
    prepare: () => Promise.resolve({}),
    perform: async (step, context) => {
      const refused = host.allow.mayRun(step.argv[0] ?? '');
      if (refused !== undefined) return failed('notAllowed', refused);
      const deadline = startDeadline(context.signal, step.timeoutMs);
      if (context.signal.aborted) return failed('aborted', `${describeStep(step)} was stopped before it began`);
      return (await before(step, context, host.ask, deadline)) ?? (await run(step, context, deadline));
    },
    // A unit that is still there is taken over by doing the step again, which begins no second one.
    observe: async (step, fingerprint, signal) => {
      const unit = rememberedUnit(fingerprint);
      const isAdoptable = unit !== undefined && (await isThere(unit, signal).catch(ignoreSystemd)) === true;
      return isAdoptable ? 'notDone' : await observeRepetition(step, host.ask, signal);
    },
  };
}

/** What is running already need not be asked whether it is needed. */
async function before(
  step: StepOf<'run'>,
  context: StepContext,
  ask: Ask,
  deadline: Deadline,
): Promise<StepOutcome | undefined> {
  const isRunning =
    step.unit !== undefined &&
    (await isThere(unitOf(context.operation, step.argv), deadline.signal).catch(ignoreSystemd)) === true;
  return isRunning ? undefined : await outcomeBefore(step, ask, deadline.signal);
}

function rememberedUnit(fingerprint: Fingerprint): string | undefined {
  const fields = new Map(Object.entries(typeof fingerprint === 'object' ? (fingerprint ?? {}) : {}));
  const unit = fields.get('unit');
  return typeof unit === 'string' ? unit : undefined;
}

function ignoreSystemd(error: unknown): undefined {
  if (!(error instanceof SystemdError)) throw error;
}

async function run(step: StepOf<'run'>, context: StepContext, deadline: Deadline): Promise<StepOutcome> {
  try {
    if (step.unit !== undefined) return await runAsUnit(step, step.unit, context, deadline);
    const as = step.user === undefined ? undefined : await asUser(step.user, step.argv, deadline.signal);
    const home = as === undefined ? {} : { HOME: as.home };
    const env = { ...home, REVERTD_OPERATION: context.operation, ...(await resolveTexts(step.env, context.secrets)) };
    const folder = step.cwd === undefined ? {} : { cwd: step.cwd };
    context.log(describeStep(step));
    const spec = { argv: as?.argv ?? step.argv, env, ...folder, secrets: context.secrets };
    return judge(step, deadline, await runProcess(spec, deadline.signal));
  } catch (error) {
    if (error instanceof SecretError) return failed('secret', error.message);
    if (error instanceof UserFault) return failed(error.code, error.message);
    throw error;
  }
}

function judge(step: StepOf<'run'>, deadline: Deadline, end: ProcessEnd): StepOutcome {
  const program = step.argv[0] ?? '';
  switch (end.kind) {
    case 'exited': {
      const detail = withOutput(`${program} ended with exit code ${end.code}`, end.output);
      return end.code === 0 ? { outcome: 'done', detail } : failed('exitCode', detail);
    }
    case 'killed':
      return failed('killed', withOutput(`${program} was killed by ${end.by}`, end.output));
    case 'stopped': {
      if (deadline.cause() !== 'timedOut') return failed('aborted', withOutput(`${program} was stopped`, end.output));
      const text = `${program} had not ended after ${formatDuration(step.timeoutMs)} and was killed with all it started`;
      return failed('timedOut', withOutput(text, end.output));
    }
    case 'notStarted':
      return failed('notStarted', end.message);
  }
}

function withOutput(text: string, output: string): string {
  const trimmed = output.trimEnd();
  return trimmed === '' ? text : `${text}\n${trimmed}`;
}
