import type {
  DrillEnd,
  DrillOutcome,
  DrillResult,
  DrillRun,
  PlannedRung,
  RehearsalOutcome,
  RehearsedItem,
  RungResult,
} from '../model/drill.ts';
import { formatDuration, type Millis } from '../units.ts';
import type { DrillMemory } from './drill-memory.ts';

/** What a drill comes to whose operation has ended so. */
export function resultOf(run: DrillRun, end: DrillEnd, measured: DrillMemory['measured'], now: Millis): DrillResult {
  const durationMs = end.kind === 'done' ? end.durationMs : Math.max(0, now - run.startedAt);
  const rungs = run.rungs.map((planned) => rungResult(run, planned));
  const judged = judge(run, end, rungs, durationMs);
  return { ...resultHead(run, measured, now), durationMs, rungs, ...judged };
}

/** Something goes before the drill: it ends with what it has come to. */
export function abortedResult(
  run: DrillRun,
  reason: string,
  measured: DrillMemory['measured'],
  now: Millis,
): DrillResult {
  const rungs = run.rungs.map((planned) => rungResult(run, planned));
  const durationMs = Math.max(0, now - run.startedAt);
  return { ...resultHead(run, measured, now), durationMs, rungs, outcome: 'aborted', reason };
}

function resultHead(
  { id, startedAt, cause, policy, mode, rtoMs }: DrillRun,
  measured: DrillMemory['measured'],
  now: Millis,
): Omit<DrillResult, 'durationMs' | 'rungs' | 'outcome' | 'reason'> {
  return { id, startedAt, cause, policy, mode, rtoMs, endedAt: now, beforeMs: measured[mode]?.durationMs ?? null };
}

type Judged = { readonly outcome: DrillOutcome; readonly reason: string };

function judge({ rtoMs }: DrillRun, end: DrillEnd, rungs: readonly RungResult[], durationMs: Millis): Judged {
  if (end.kind === 'interrupted') return { outcome: 'interrupted', reason: end.detail };
  const failed = firstOf(rungs, 'failed');
  if (failed !== undefined) return { outcome: 'failed', reason: failed };
  if (end.kind === 'failed') return { outcome: 'failed', reason: end.detail };
  if (rtoMs !== null && durationMs > rtoMs) {
    const reason = `it took ${formatDuration(durationMs)}, longer than the objective of ${formatDuration(rtoMs)}`;
    return { outcome: 'failed', reason };
  }
  const unsure = firstOf(rungs, 'inconclusive');
  return unsure === undefined ? { outcome: 'successful', reason: '' } : { outcome: 'inconclusive', reason: unsure };
}

function firstOf(rungs: readonly RungResult[], outcome: RehearsalOutcome): string | undefined {
  for (const { rung, items, ...result } of rungs) {
    if (items.length === 0 && result.outcome === outcome) return `rung "${rung}": nothing of it was rehearsed`;
    const item = items.find((one) => one.outcome === outcome);
    if (item !== undefined) return `rung "${rung}", ${item.summary}: ${item.detail.split('\n', 1)[0]}`;
  }
  return undefined;
}

/** A rung of which nothing was gone through says nothing. */
function rungResult({ items }: DrillRun, { rung }: PlannedRung): RungResult {
  const gone = items[rung] ?? [];
  const durationMs = gone.reduce((sum, item) => sum + item.durationMs, 0);
  return { rung, outcome: gone.length === 0 ? 'inconclusive' : worst(gone), durationMs, items: gone };
}

function worst(items: readonly RehearsedItem[]): RehearsalOutcome {
  const has = (outcome: RehearsalOutcome): boolean => items.some((item) => item.outcome === outcome);
  if (has('failed')) return 'failed';
  return has('inconclusive') ? 'inconclusive' : 'successful';
}

/** How it went, in one line. */
export function describeResult({ outcome, reason, durationMs, rtoMs, beforeMs }: DrillResult): string {
  const objective = rtoMs === null ? '' : `, objective ${formatDuration(rtoMs)}`;
  const before = beforeMs === null ? '' : `, the last one ${formatDuration(beforeMs)}`;
  return `${outcome} in ${formatDuration(durationMs)}${objective}${before}${reason === '' ? '' : `: ${reason}`}`;
}
