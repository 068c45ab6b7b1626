import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Halt } from '../core/observed.ts';

/**
 * The emergency stop is a file in the data directory: it needs no daemon and no store, and outlives both. That it is
 * there stops everything; what it says is for people, so a damaged or hand-made one stops everything too.
 */
export function haltFile(dataFolder: string): string {
  return join(dataFolder, 'HALT');
}

export function readHalt(dataFolder: string): Halt | null {
  const path = haltFile(dataFolder);
  if (!existsSync(path)) return null;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isHalt(parsed)) return { since: parsed.since, by: parsed.by, reason: parsed.reason };
    return { since: Math.round(statSync(path).mtimeMs), by: 'unknown', reason: `${path} exists` };
  } catch {
    return existsSync(path) ? { since: 0, by: 'unknown', reason: `${path} exists` } : null;
  }
}

export function writeHalt(dataFolder: string, halt: Halt): void {
  const temporary = `${haltFile(dataFolder)}.new`;
  writeFileSync(temporary, `${JSON.stringify(halt)}\n`, { mode: 0o644 });
  renameSync(temporary, haltFile(dataFolder));
}

/** @returns whether there was a halt to remove. */
export function removeHalt(dataFolder: string): boolean {
  const existed = existsSync(haltFile(dataFolder));
  rmSync(haltFile(dataFolder), { force: true });
  return existed;
}

/** What a date can hold (ECMAScript, time values). */
const LATEST_INSTANT_MS = 8.64e15;

function isHalt(value: unknown): value is Halt {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'since' in value &&
    typeof value.since === 'number' &&
    Number.isSafeInteger(value.since) &&
    Math.abs(value.since) <= LATEST_INSTANT_MS &&
    'by' in value &&
    typeof value.by === 'string' &&
    'reason' in value &&
    typeof value.reason === 'string'
  );
}
