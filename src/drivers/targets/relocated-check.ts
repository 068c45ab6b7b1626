import type { Check } from '../../core/model/check.ts';
import { describeCheck } from '../../core/model/describe-check.ts';
import type { Examination } from '../../core/model/drill.ts';
import type { PostgresDatabase } from '../../core/model/metric-source.ts';
import { isSame } from '../../core/record.ts';
import { obstacle, ready, unsure } from '../steps/step-driver.ts';
import type { RehearsalContext } from './target-driver.ts';

/** What is live stands here, and its rehearsed copy there. */
export type Relocation =
  | { readonly live: string; readonly scratch: string; readonly database?: never }
  | { readonly database: PostgresDatabase; readonly scratch: string; readonly live?: never };

/**
 * Checks of a target that ask its files are asked of the rehearsed ones; others would ask what is live. `made` says what
 * there is to be checked.
 */
export async function checkRehearsed(
  checks: readonly Check[],
  places: readonly Relocation[],
  made: string,
  ask: RehearsalContext['ask'],
): Promise<Examination> {
  const found = [made];
  for (const check of checks) {
    const there = relocatedCheck(check, places);
    if (there === undefined) continue;
    const { outcome, detail } = await ask(there);
    const text = `${describeCheck(check)}: ${detail}`;
    if (outcome === 'unknown') return unsure(text);
    if (outcome === 'false') return obstacle(text);
    found.push(text);
  }
  return ready(found.join('; '));
}

/** The check as it asks the rehearsed copy; undefined if it asks nothing that was rehearsed. */
export function relocatedCheck(check: Check, places: readonly Relocation[]): Check | undefined {
  if (check.kind === 'sql') return relocatedQuestion(check, places);
  if (check.kind !== 'file' && check.kind !== 'sqlite') return undefined;
  const path = relocatedPath(check.path, places);
  return path === undefined ? undefined : { ...check, path };
}

function relocatedPath(path: string, places: readonly Relocation[]): string | undefined {
  for (const { live, scratch } of places) {
    if (live === undefined) continue;
    if (path === live) return scratch;
    if (path.startsWith(`${live}/`)) return `${scratch}${path.slice(live.length)}`;
  }
  return undefined;
}

function relocatedQuestion(check: Extract<Check, { kind: 'sql' }>, places: readonly Relocation[]): Check | undefined {
  const { database } = check;
  if (database.kind === 'sqlite') {
    const path = relocatedPath(database.path, places);
    return path === undefined ? undefined : { ...check, database: { ...database, path } };
  }
  const place = places.find(({ database: live }) => live !== undefined && isSame(live.dsn, database.dsn));
  return place === undefined ? undefined : { ...check, database: { ...database, scratch: place.scratch } };
}
