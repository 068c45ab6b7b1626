import { isObject } from '../../../core/json/canonical-json.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import type { FlagRecord, FlagState } from '../../../core/points/flag-state.ts';
import { TargetError } from '../target-driver.ts';

/** What a point holds of flags. @throws {TargetError} `format` if it says something else */
export function parseFlagState(bytes: Buffer): FlagState {
  const value = parsed(bytes.toString('utf8'));
  const { revision, flags } = isObject(value) ? value : {};
  if (typeof revision !== 'string' || !isObject(flags)) throw strange();
  const records = Object.entries(flags).map(([name, record]) => [name, recordOf(record)] as const);
  return { revision, flags: Object.fromEntries(records) };
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw strange(error);
  }
}

function recordOf(value: JsonValue): FlagRecord {
  const { variant, because, hold, cause } = isObject(value) ? value : {};
  if (typeof variant !== 'string' || (because !== 'git' && because !== 'latch' && because !== 'override')) {
    throw strange();
  }
  return { variant, because, hold: textOrNull(hold), cause: textOrNull(cause) };
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function strange(cause?: unknown): TargetError {
  const message = 'the flags of the point make no sense; they were written by something else';
  return new TargetError('format', message, cause);
}
