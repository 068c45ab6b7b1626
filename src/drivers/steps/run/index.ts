import { describeStep } from '../../../core/model/step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { type ProcessEnd, runProcess } from '../../process.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import { type Ask, failed, type StepContext, type StepDriver, type StepOf, type StepOutcome } from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';

/**
 * Runs a program. It gets PATH, HOME, LANG, the step's variables, and REVERTD_OPERATION, which is the same when the step
 * is repeated after a crash.
 */
export function runStep(host: { readonly allow: AllowList; readonly ask: Ask }): StepDriver<'run'> {
  return {
    describe: describeStep,
    prepare: () => Promise.resolve({}),
    perform: async (step, context) => {
      const refused = host.allow.mayRun(step.argv[0] ?? '');
      if (refused !== undefined) return failed('notAllowed', refused);
      const deadline = startDeadline(context.signal, step.timeoutMs);
      return (await outcomeBefore(step, host.ask, deadline.signal)) ?? (await run(step, context, deadline));
    },
    observe: (step, _, signal) => observeRepetition(step, host.ask, signal),
  };
}

async function run(step: StepOf<'run'>, context: StepContext, deadline: Deadline): Promise<StepOutcome> {
  try {
    const env = { REVERTD_OPERATION: context.operation, ...(await resolveTexts(step.env, context.secrets)) };
    const folder = step.cwd === undefined ? {} : { cwd: step.cwd };
    context.log(describeStep(step));
    const spec = { argv: step.argv, env, ...folder, secrets: context.secrets };
    return judge(step, deadline, await runProcess(spec, deadline.signal));
  } catch (error) {
    if (error instanceof SecretError) return failed('secret', error.message);
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
