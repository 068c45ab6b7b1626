import type { Check } from '../../../core/model/check.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { exchange, HttpFault } from '../../http-exchange.ts';
import { authorization, bodyOf, lowerCased, SEARCHED_BYTES, unmetExpectation } from '../../http-expectation.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import type { CheckAnswer, CheckContext, CheckDriver } from '../check-driver.ts';

type HttpCheck = Extract<Check, { kind: 'http' }>;
type Verdict = Pick<CheckAnswer, 'outcome' | 'detail'>;

/**
 * Whether a server answers as it should. Nobody listening, a connection that is closed, an untrusted certificate and no
 * answer within the deadline are false, for that is what a broken service looks like. A name that cannot be resolved, a
 * network that cannot be reached, a missing credential are unknown: they say nothing about the service.
 */
export function httpCheck(host: { readonly allow: AllowList }): CheckDriver<'http'> {
  return {
    check: async (check, context) => {
      const refused = host.allow.mayCall(check.url);
      if (refused !== undefined) return { key: check.key, outcome: 'unknown', detail: refused };
      const deadline = startDeadline(context.signal, check.timeoutMs);
      const verdict = await ask(check, context, deadline).catch((error: unknown) => blame(check, deadline, error));
      return { key: check.key, ...verdict, detail: context.secrets.redact(verdict.detail) };
    },
  };
}

async function ask(check: HttpCheck, { secrets }: CheckContext, deadline: Deadline): Promise<Verdict> {
  const { headers: ofBody, text } = bodyOf(check.body);
  const headers = {
    ...ofBody,
    ...(await authorization(check.auth, secrets)),
    ...lowerCased(await resolveTexts(check.headers, secrets)),
  };
  const { method, url } = check;
  const request = { method, url, headers, ...(text === undefined ? {} : { body: text }), keptBytes: SEARCHED_BYTES };
  const answer = await exchange(request, deadline.signal);
  const unmet = unmetExpectation(check, answer);
  return {
    outcome: unmet === undefined ? 'true' : 'false',
    detail: `${method} ${url} ${unmet ?? `answered ${answer.status}`}`,
  };
}

function blame(check: HttpCheck, deadline: Deadline, error: unknown): Verdict {
  const what = `${check.method} ${check.url}`;
  if (error instanceof SecretError) return { outcome: 'unknown', detail: `${what}: ${error.message}` };
  if (!(error instanceof HttpFault)) throw error;
  switch (error.code) {
    case 'refused':
    case 'reset':
    case 'tls':
    case 'protocol':
      return { outcome: 'false', detail: `${what}: ${error.message}` };
    case 'stopped':
      return deadline.cause() === 'timedOut'
        ? { outcome: 'false', detail: `${what} had not answered after ${formatDuration(check.timeoutMs)}` }
        : { outcome: 'unknown', detail: `${what} was interrupted` };
    case 'noName':
    case 'unreachable':
    case 'badRequest':
      return { outcome: 'unknown', detail: `${what}: ${error.message}` };
  }
}
