import { effectiveFlag } from '../core/holds/effective.ts';
import { canonicalJson, isObject } from '../core/json/canonical-json.ts';
import type { Flag } from '../core/model/flag.ts';
import type { JsonValue } from '../core/model/step.ts';
import { nearestName } from '../core/nearest-name.ts';
import { type Millis, parseDuration } from '../core/units.ts';
import type { ApiHost, ApiRequest } from './api.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

/** Where the operators' guides set flags: `POST {"FLAG": false}`. */
export const ADMIN_FLAGS_PATH = '/admin/feature-flags';

type Wish = { readonly flag: Flag; readonly variant: string };

/**
 * Reads what flags are, or overrides them: all of a request or none. A flag goes by its name, or by the key under which one
 * of its places shows it; its value by itself, or by the name of its variant. `?reason=`, `?ttl=` and `?force=true` say
 * what the command line says with options. @throws HttpProblem | CommandError
 */
export function adminFlags({ view, control }: ApiHost, { method, body, query, actor }: ApiRequest): unknown {
  const flags = Object.values(view.desired()?.flags ?? {});
  if (method === 'GET') return shown(flags.map((flag) => [flag.name, valueNow(flag, view)]));
  if (method !== 'POST') throw new HttpProblem(405, 'method', `${method} is not possible on ${ADMIN_FLAGS_PATH}`);
  if (control === null) throw new HttpProblem(503, 'noDaemon', 'this needs the running daemon');
  const wishes = wishesIn(body, flags);
  const force = query.get('force') === 'true';
  if (!force) refuseHeld(wishes, view);
  const reason = query.get('reason')?.trim() || `set through ${ADMIN_FLAGS_PATH}`;
  const ttlMs = ttlIn(query);
  for (const { flag, variant } of wishes) {
    control.overrideFlag(actor, { flag: flag.name, variant, reason, ttlMs, force });
  }
  return shown(wishes.map(({ flag }) => [flag.name, valueNow(flag, view)]));
}

function shown(values: readonly (readonly [string, JsonValue])[]): unknown {
  return { schemaVersion: SCHEMA_VERSION, flags: Object.fromEntries(values) };
}

function valueNow(flag: Flag, view: ApiHost['view']): JsonValue {
  return flag.variants[effectiveFlag(flag, view.memory().holds).variant] ?? null;
}

function ttlIn(query: URLSearchParams): Millis | null {
  const text = query.get('ttl');
  if (text === null) return null;
  const ttlMs = parseDuration(text);
  if (ttlMs === undefined || ttlMs === 0) throw invalid(`\`ttl\` is no duration: found "${text}"; write 30m, 2h or 7d`);
  return ttlMs;
}

function wishesIn(body: unknown, flags: readonly Flag[]): readonly Wish[] {
  const given = body as JsonValue | undefined;
  if (!isObject(given) || Object.keys(given).length === 0) {
    throw invalid('the body is an object of flags and their values, such as {"NEW_PRICING": false}');
  }
  return Object.entries(given).map(([key, value]) => {
    const flag = flagBy(key, flags);
    return { flag, variant: variantOf(flag, value) };
  });
}

function flagBy(key: string, flags: readonly Flag[]): Flag {
  const named = flags.find(({ name }) => name === key);
  if (named !== undefined) return named;
  const [found, second] = flags.filter(({ deliver }) => deliver.some(({ entry }) => keyOf(entry) === key));
  if (second !== undefined) {
    throw invalid(`"${key}" is the key of several flags (${found?.name}, ${second.name}); say which by its name`);
  }
  if (found !== undefined) return found;
  const names = flags.flatMap(({ name, deliver }) => [name, ...deliver.map(({ entry }) => keyOf(entry))]);
  const nearest = nearestName(key, names);
  const meant = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  throw new HttpProblem(404, 'notFound', `there is no flag "${key}", and no place with that key${meant}`);
}

/** The variable of an environment file, or the last part of a JSON pointer. */
function keyOf(entry: string): string {
  const last = entry.startsWith('/') ? (entry.split('/').at(-1) ?? '') : entry;
  return last.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Of several variants with the value, the one that git serves or that is safe. */
function variantOf(flag: Flag, value: JsonValue): string {
  const wanted = canonicalJson(value);
  const fitting = Object.keys(flag.variants).filter((name) => canonicalJson(flag.variants[name] ?? null) === wanted);
  const best = [flag.defaultVariant, flag.safeVariant].find((name) => name !== undefined && fitting.includes(name));
  const found = best ?? fitting[0] ?? (typeof value === 'string' && Object.hasOwn(flag.variants, value) ? value : null);
  if (found !== null) return found;
  const known = Object.entries(flag.variants).map(([name, one]) => `${JSON.stringify(one)} (${name})`);
  const share = typeof value === 'number' && value > 0 && value < 1 ? '; shares of users are not supported yet' : '';
  throw invalid(`${flag.name} has no variant with the value ${wanted}; it can be ${known.join(', ')}${share}`);
}

/** Said before anything is set, so that a request is done wholly or not at all. */
function refuseHeld(wishes: readonly Wish[], view: ApiHost['view']): void {
  for (const hold of Object.values(view.memory().holds)) {
    if (hold.kind !== 'latch' || !wishes.some(({ flag }) => flag.name === hold.flag)) continue;
    const message = `a rollback holds ${hold.flag} (${hold.id}) and wins over an override; ?force=true releases it`;
    throw new HttpProblem(409, 'refused', message);
  }
}

function invalid(detail: string): HttpProblem {
  return new HttpProblem(400, 'invalid', detail);
}
