import { describeStep, type HttpStep, type JsonValue } from '../../../core/model/step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { exchange, type HttpAnswer, HttpFault } from '../../http-exchange.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import { type Ask, failed, type StepContext, type StepDriver, type StepOf, type StepOutcome } from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';

const KEPT_BYTES = 2 * 1024;
/** Doing them twice is doing them once (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Sends one request. Others than idempotent ones carry the operation as `Idempotency-Key`, the same when the step is
 * repeated after a crash. Redirects are not followed.
 */
export function httpStep(host: { readonly allow: AllowList; readonly ask: Ask }): StepDriver<'http'> {
  return {
    describe: describeStep,
    prepare: () => Promise.resolve({}),
    perform: async (step, context) => {
      const refused = host.allow.mayCall(step.url);
      if (refused !== undefined) return failed('notAllowed', refused);
      const deadline = startDeadline(context.signal, step.timeoutMs);
      return (await outcomeBefore(step, host.ask, deadline.signal)) ?? (await send(step, context, deadline));
    },
    observe: async (step, _, signal) =>
      IDEMPOTENT.has(step.method) ? 'notDone' : await observeRepetition(step, host.ask, signal),
  };
}

async function send(step: StepOf<'http'>, context: StepContext, deadline: Deadline): Promise<StepOutcome> {
  const { secrets } = context;
  try {
    const headers = { ...defaultHeaders(step, context), ...lowerCased(await resolveTexts(step.headers, secrets)) };
    const body = step.body === undefined ? {} : { body: asText(step.body) };
    const { method, url } = step;
    context.log(`sending ${describeStep(step)}`);
    const answer = await exchange({ method, url, headers, ...body, keptBytes: KEPT_BYTES }, deadline.signal);
    return judge(step, { ...answer, body: secrets.redact(answer.body) });
  } catch (error) {
    if (error instanceof SecretError) return failed('secret', error.message);
    if (error instanceof HttpFault) return blame(step, deadline, error);
    throw error;
  }
}

function defaultHeaders(step: HttpStep, { operation }: StepContext): Readonly<Record<string, string>> {
  const type = typeof step.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    ...(step.body === undefined ? {} : { 'content-type': type }),
    ...(IDEMPOTENT.has(step.method) ? {} : { 'idempotency-key': operation }),
  };
}

/** So that a header of the step replaces the default of the same name, however it is written. */
function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function asText(body: JsonValue): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function judge(step: HttpStep, { status, body }: HttpAnswer): StepOutcome {
  const isDone = step.status.length === 0 ? status >= 200 && status < 300 : step.status.includes(status);
  const said = body === '' ? '' : `\n${body}`;
  if (isDone) return { outcome: 'done', detail: `${describeStep(step)} answered ${status}${said}` };
  const expected = step.status.length === 0 ? '2xx' : step.status.join(' or ');
  return failed('status', `${describeStep(step)} answered ${status}, expected ${expected}${said}`);
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
