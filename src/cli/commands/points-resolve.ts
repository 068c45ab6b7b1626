import { readFileSync, writeFileSync } from 'node:fs';
import type { ConflictItem, Decision, MergeReport } from '../../core/merge/merge-report.ts';
import type { RestoreStatus } from '../../server/point-status.ts';
import { CliError, EXIT } from '../exit-code.ts';

/** What people decide, and what it is about: it is written for an editor, and read back. */
export type DecisionFile = {
  readonly restore: string;
  readonly point: string;
  readonly ancestor: string;
  readonly target: string;
  /** Of each conflict `take` is to become `live` or `snapshot`. */
  readonly conflicts: readonly (ConflictItem & { readonly take: string | null })[];
};

/** Writes what is to be decided; an existing file is not overwritten. @throws CliError */
export function writeDecisions(path: string, found: RestoreStatus, ancestor: string): void {
  const pending = Object.entries(found.merges ?? {}).find(([, { end }]) => end === 'pending');
  if (pending === undefined) return;
  const [target, report] = pending;
  refuseTooMany(report);
  const conflicts = report.items.map((item) => ({ take: null, ...item }));
  const file: DecisionFile = { restore: found.restore, point: found.point, ancestor, target, conflicts };
  try {
    writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new CliError(`${path} cannot be written: ${error instanceof Error ? error.message : ''}`, EXIT.error);
  }
}

function refuseTooMany({ conflicts, items }: MergeReport): void {
  if (conflicts <= items.length) return;
  throw new CliError(
    `${conflicts} conflicts are too many to be decided one by one; restore a part of it`,
    EXIT.partial,
  );
}

/** The decided file of this restore. @throws CliError */
export function readDecisions(
  path: string,
  restore: string,
): DecisionFile & { readonly decisions: readonly Decision[] } {
  const file = parsed(path);
  if (file.restore !== restore) {
    throw new CliError(`${path} is about ${file.restore}, not about ${restore}`, EXIT.usage);
  }
  const decisions = file.conflicts.map(({ item, digest, take }): Decision => {
    if (take === 'live' || take === 'snapshot') return { item, digest, take };
    throw new CliError(
      `${path}: \`take\` of "${item}" must be "live" or "snapshot"; found ${JSON.stringify(take)}`,
      EXIT.usage,
    );
  });
  return { ...file, decisions };
}

function parsed(path: string): DecisionFile {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isFile(value)) return value;
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${error instanceof Error ? error.message : ''}`, EXIT.usage);
  }
  throw new CliError(`${path} is not what \`points restore --decisions\` writes`, EXIT.usage);
}

function isFile(value: unknown): value is DecisionFile {
  if (typeof value !== 'object' || value === null) return false;
  const { restore, point, ancestor, target, conflicts }: { [K in keyof DecisionFile]?: unknown } = value;
  const isNamed = [restore, point, ancestor, target].every((one) => typeof one === 'string');
  return isNamed && Array.isArray(conflicts) && conflicts.every(isConflict);
}

function isConflict(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { item, digest }: { item?: unknown; digest?: unknown } = value;
  return typeof item === 'string' && typeof digest === 'string';
}
