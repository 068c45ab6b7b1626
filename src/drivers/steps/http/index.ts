import { setTimeout as delay } from 'node:timers/promises';
import { describeStep, type HttpStep } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { exchange, type HttpAnswer, HttpFault } from '../../http-exchange.ts';
import { authorization, bodyOf, lowerCased, SEARCHED_BYTES, unmetExpectation } from '../../http-expectation.ts';
import { resolveTexts, SecretError, type SecretResolver } from '../../secrets.ts';
import { type Ask, failed, type StepContext, type StepDriver, type StepOf, type StepOutcome } from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';
import { examineRequest } from './examine.ts';

/** So much of the answer is told. */
const SHOWN_CHARACTERS = 2 * 1024;
const FIRST_RETRY_MS: Millis = 1000;
const LONGEST_RETRY_MS: Millis = 30_000;
/** Doing them twice is doing them once (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Sends one request. Others than idempotent ones carry an `Idempotency-Key`, the same when the step is repeated after a
 * crash. Redirects are not followed. What is sent again by `retries` either never arrived, or does no harm
 * a second time.
 */
export function httpStep(host: {
  readonly allow: AllowList;
  readonly ask: Ask;
  readonly secrets: SecretResolver;
}): StepDriver<'http'> {
  return {
    describe: describeStep,
    examine: (step) => examineRequest(host, step),
    prepare: () => Promise.resolve({}),
    perform: async (step, context) => {
      const refused = host.allow.mayCall(step.url);
      if (refused !== undefined) return failed('notAllowed', refused);
      const deadline = startDeadline(context.signal, step.timeoutMs);
      return (
        (await outcomeBefore(step, host.ask, deadline.signal)) ?? (await sendUntilAnswered(step, context, deadline))
      );
    },
    observe: async (step, _, signal) =>
      IDEMPOTENT.has(step.method) ? 'notDone' : await observeRepetition(step, host.ask, signal),
  };
}

async function sendUntilAnswered(step: StepOf<'http'>, context: StepContext, deadline: Deadline): Promise<StepOutcome> {
  for (let tries = 0; ; tries += 1) {
    const { outcome, mayRetry } = await send(step, context, deadline);
    if (!mayRetry || tries >= (step.retries ?? 0) || deadline.cause() !== undefined) return outcome;
    const pauseMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries);
    context.log(`${outcome.detail.split('\n', 1)[0]}; again in ${formatDuration(pauseMs)}`);
    await delay(pauseMs, undefined, { signal: deadline.signal }).catch(() => undefined);
    if (deadline.cause() !== undefined) return outcome;
  }
}

type Sent = { readonly outcome: StepOutcome; readonly mayRetry: boolean };

async function send(step: StepOf<'http'>, context: StepContext, deadline: Deadline): Promise<Sent> {
  const { secrets } = context;
  try {
    const { headers: ofBody, text } = bodyOf(step.body);
    const headers = {
      ...ofBody,
      ...(IDEMPOTENT.has(step.method) ? {} : { 'idempotency-key': context.once }),
      ...(await authorization(step.auth, secrets)),
      ...lowerCased(await resolveTexts(step.headers, secrets)),
    };
    const { method, url } = step;
    context.log(`sending ${describeStep(step)}`);
    const request = { method, url, headers, ...(text === undefined ? {} : { body: text }), keptBytes: SEARCHED_BYTES };
    const answer = await exchange(request, deadline.signal);
    return { outcome: judge(step, answer, secrets.redact(answer.body)), mayRetry: isPassing(step, answer) };
  } catch (error) {
    if (error instanceof SecretError) return { outcome: failed('secret', error.message), mayRetry: false };
    if (error instanceof HttpFault) return { outcome: blame(step, deadline, error), mayRetry: isHarmless(step, error) };
    throw error;
  }
}

function judge(step: HttpStep, answer: HttpAnswer, body: string): StepOutcome {
  const said = body === '' ? '' : `\n${body.slice(0, SHOWN_CHARACTERS)}`;
  const unmet = unmetExpectation(step, answer);
  if (unmet === undefined) return { outcome: 'done', detail: `${describeStep(step)} answered ${answer.status}${said}` };
  return failed('status', `${describeStep(step)} ${unmet}${said}`);
}

function maySendTwice({ method, repeatable }: HttpStep): boolean {
  return repeatable || IDEMPOTENT.has(method);
}

/** Answers of servers that are busy, or whose back end is not there yet (RFC 9110, 15.6; RFC 6585, 4). */
function isPassing(step: HttpStep, answer: HttpAnswer): boolean {
  return [429, 502, 503, 504].includes(answer.status) && !step.status.includes(answer.status) && maySendTwice(step);
}

/** A request that met nobody has done nothing. */
function isHarmless(step: HttpStep, { code }: HttpFault): boolean {
  switch (code) {
    case 'refused':
    case 'noName':
    case 'unreachable':
      return true;
    case 'reset':
    case 'protocol':
      return maySendTwice(step);
    case 'tls':
    case 'badRequest':
    case 'stopped':
      return false;
  }
}

/** Without an answer nobody knows whether the request took effect, unless it never got there. */
function blame(step: StepOf<'http'>, deadline: Deadline, fault: HttpFault): StepOutcome {
  const what = describeStep(step);
  if (fault.code !== 'stopped') {
    const doubt = fault.code === 'reset' || fault.code === 'protocol' ? '; it may have taken effect' : '';
    return failed('noAnswer', `${what}: ${fault.message}${doubt}`);
  }
  if (deadline.cause() !== 'timedOut') return failed('aborted', `${what} was stopped; it may have taken effect`);
  const span = formatDuration(step.timeoutMs);
  return failed('timedOut', `${what} had not answered after ${span}; it may have taken effect`);
}
