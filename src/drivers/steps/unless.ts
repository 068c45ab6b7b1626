import type { Repetition } from '../../core/model/step.ts';
import type { Ask, Observation, StepOutcome } from './step-driver.ts';
import { failed } from './step-driver.ts';

/** What the checks under `unless` say together: `true` if all are, `false` if one is, else `unknown`. */
type Answer = { readonly outcome: 'true' | 'false' | 'unknown'; readonly detail: string };

async function askAll({ unless }: Repetition, ask: Ask, signal: AbortSignal): Promise<Answer> {
  const answers = await Promise.all(unless.map((check) => ask(check, signal)));
  const decisive =
    answers.find(({ outcome }) => outcome === 'false') ?? answers.find(({ outcome }) => outcome !== 'true');
  return decisive ?? { outcome: 'true', detail: answers.map(({ detail }) => detail).join('; ') };
}

/** The outcome of a step that need not, or must not, be begun; undefined if it is to be done. */
export async function outcomeBefore(step: Repetition, ask: Ask, signal: AbortSignal): Promise<StepOutcome | undefined> {
  if (step.unless.length === 0) return undefined;
  const { outcome, detail } = await askAll(step, ask, signal);
  switch (outcome) {
    case 'true':
      return { outcome: 'done', detail: `already so: ${detail}` };
    case 'false':
      return undefined;
    case 'unknown':
      return failed('checkUnknown', `not done, for it cannot be told whether it is needed: ${detail}`);
  }
}

/** What is to be thought of a step whose effect cannot be seen itself, after a crash hid its outcome. */
export async function observeRepetition(step: Repetition, ask: Ask, signal: AbortSignal): Promise<Observation> {
  if (step.unless.length === 0) return step.repeatable ? 'notDone' : 'unknown';
  const { outcome } = await askAll(step, ask, signal);
  if (outcome === 'true') return 'done';
  return outcome === 'false' || step.repeatable ? 'notDone' : 'unknown';
}
