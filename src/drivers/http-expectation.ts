import { isDeepStrictEqual } from 'node:util';
import { RE2JS } from 're2js';
import { parsePointer } from '../core/json-pointer.ts';
import type { HttpExpectation } from '../core/model/http-expectation.ts';
import type { HttpAuth } from '../core/model/metric-source.ts';
import type { JsonValue } from '../core/model/step.ts';
import type { HttpAnswer } from './http-exchange.ts';
import type { SecretResolver } from './secrets.ts';

/** So much of a body is looked at. */
export const SEARCHED_BYTES = 1024 * 1024;

const LONGEST_SHOWN = 200;

/** What the answer lacks, for people; undefined if it is as expected. */
export function unmetExpectation(expected: HttpExpectation, { status, body }: HttpAnswer): string | undefined {
  const isExpected = expected.status.length === 0 ? status >= 200 && status < 300 : expected.status.includes(status);
  if (!isExpected) {
    return `answered ${status}, expected ${expected.status.length === 0 ? '2xx' : expected.status.join(' or ')}`;
  }
  const { bodyContains, bodyLacks, bodyMatches } = expected;
  if (bodyContains !== undefined && !body.includes(bodyContains)) {
    return `answered ${status} without ${JSON.stringify(bodyContains)}`;
  }
  if (bodyLacks !== undefined && body.includes(bodyLacks)) {
    return `answered ${status} with ${JSON.stringify(bodyLacks)}`;
  }
  if (bodyMatches !== undefined && !RE2JS.compile(bodyMatches).matcher(body).find()) {
    return `answered ${status} without a match of ${bodyMatches}`;
  }
  return expected.json === undefined ? undefined : unmetValues(expected.json, status, body);
}

function unmetValues(wanted: NonNullable<HttpExpectation['json']>, status: number, body: string): string | undefined {
  const document = parse(body);
  if (document === undefined) return `answered ${status} with a body that is not JSON`;
  for (const { pointer, equals } of wanted) {
    const found = valueAt(document, parsePointer(pointer) ?? []);
    if (isDeepStrictEqual(found, equals)) continue;
    const shown = found === undefined ? 'nothing' : JSON.stringify(found).slice(0, LONGEST_SHOWN);
    return `answered ${status} with ${shown} at ${pointer}, expected ${JSON.stringify(equals)}`;
  }
  return undefined;
}

function parse(body: string): JsonValue | undefined {
  try {
    return JSON.parse(body) as JsonValue;
  } catch {
    return undefined;
  }
}

function valueAt(document: JsonValue, parts: readonly string[]): JsonValue | undefined {
  return parts.reduce<JsonValue | undefined>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value))
      return /^(?:0|[1-9]\d*)$/.test(part) ? (value as readonly JsonValue[])[Number(part)] : undefined;
    return new Map(Object.entries(value)).get(part);
  }, document);
}

/** The header that logs in, or none. Rejects with SecretError. */
export async function authorization(
  auth: HttpAuth | undefined,
  secrets: Pick<SecretResolver, 'resolve'>,
): Promise<Readonly<Record<string, string>>> {
  if (auth === undefined) return {};
  if (auth.kind === 'bearer') return { authorization: `Bearer ${await secrets.resolve(auth.token)}` };
  const pair = `${auth.username}:${await secrets.resolve(auth.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Sent as JSON unless it is a text. */
export function bodyOf(body: JsonValue | undefined): {
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string;
} {
  if (body === undefined) return { headers: {} };
  return typeof body === 'string'
    ? { headers: { 'content-type': 'text/plain; charset=utf-8' }, text: body }
    : { headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) };
}

/** So that a header of the policy replaces a default of the same name, however it is written. */
export function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
