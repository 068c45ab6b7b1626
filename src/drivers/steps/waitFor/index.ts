import { setTimeout as delay } from 'node:timers/promises';
import { describeCheck } from '../../../core/model/describe-check.ts';
import type { Examination } from '../../../core/model/drill.ts';
import { describeStep } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import { startDeadline } from '../../deadline.ts';
import {
  type Ask,
  failed,
  ready,
  type StepContext,
  type StepDriver,
  type StepOf,
  type StepOutcome,
  unsure,
} from '../step-driver.ts';

const POLL_MS: Millis = 1000;

/** Asks again until all checks are true, and were so for as long as is wanted. Waiting once more does no harm. */
export function waitForStep(host: { readonly ask: Ask; readonly elapsed: () => Millis }): StepDriver<'waitFor'> {
  return {
    describe: describeStep,
    examine: (step, signal) => examine(step, host.ask, signal),
    prepare: () => Promise.resolve({}),
    perform: (step, context) => wait(step, context, host),
    observe: () => Promise.resolve('notDone'),
  };
}

/** Each check is made once. That one is false now says nothing of the time when the step has its turn. */
async function examine({ checks }: StepOf<'waitFor'>, ask: Ask, signal: AbortSignal): Promise<Examination> {
  const answers = await Promise.all(
    checks.map(async (check) => {
      const { outcome, detail } = await ask(check, signal);
      return { outcome, text: `${describeCheck(check)} is ${outcome} now: ${detail}` };
    }),
  );
  const unknown = answers.filter(({ outcome }) => outcome === 'unknown');
  const text = (unknown.length > 0 ? unknown : answers).map((answer) => answer.text).join('; ');
  return unknown.length > 0 ? unsure(text) : ready(text);
}

type Answers = { readonly good: boolean; readonly text: string };

async function wait(
  step: StepOf<'waitFor'>,
  context: StepContext,
  host: { readonly ask: Ask; readonly elapsed: () => Millis },
): Promise<StepOutcome> {
  const deadline = startDeadline(context.signal, step.timeoutMs);
  let goodSince: Millis | undefined;
  let told = 'nothing was answered yet';
  while (deadline.cause() === undefined) {
    const asked = host.elapsed();
    const { good, text } = await askAll(step, host.ask, deadline.signal);
    if (deadline.cause() !== undefined) break;
    if (text !== told) context.log(text);
    told = text;
    goodSince = good ? (goodSince ?? asked) : undefined;
    if (goodSince !== undefined && host.elapsed() - goodSince >= step.forMs) return { outcome: 'done', detail: text };
    const restMs =
      goodSince === undefined ? POLL_MS : Math.max(1, Math.min(POLL_MS, goodSince + step.forMs - host.elapsed()));
    await delay(restMs, undefined, { signal: deadline.signal }).catch(() => undefined);
  }
  if (deadline.cause() === 'aborted') return failed('aborted', `${describeStep(step)} was stopped; last: ${told}`);
  return failed('timedOut', `not so after ${formatDuration(step.timeoutMs)}; last: ${told}`);
}

async function askAll({ checks }: StepOf<'waitFor'>, ask: Ask, signal: AbortSignal): Promise<Answers> {
  const answers = await Promise.all(
    checks.map(async (check) => {
      const { outcome, detail } = await ask(check, signal);
      return { isTrue: outcome === 'true', text: `${describeCheck(check)}: ${detail}` };
    }),
  );
  const wrong = answers.filter(({ isTrue }) => !isTrue);
  return { good: wrong.length === 0, text: (wrong.length === 0 ? answers : wrong).map(({ text }) => text).join('; ') };
}
