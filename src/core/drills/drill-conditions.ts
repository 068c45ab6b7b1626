import { drillObject, isCompleted } from '../model/drill.ts';
import type { Condition } from '../plan/plan.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, formatInstant, type Millis } from '../units.ts';
import { describeResult } from './drill-result.ts';
import { drillBlocker, dueInstant, unrest } from './settle-drills.ts';

/** So long a drill that is due may wait without anybody being told. */
export const OVERDUE_AFTER_MS: Millis = 3_600_000;

/** What people should know of drills: one that failed, and one that should have been and was not. */
export function drillConditions(turn: Turn): Condition[] {
  return Object.values(turn.desired.drills ?? {}).flatMap((drill): Condition[] => {
    const object = drillObject(drill.name);
    const { origin } = drill;
    const last = turn.memory.drills?.[drill.name]?.last ?? null;
    const again = `\`revertd drill ${drill.name}\` rehearses it now`;
    const due = dueInstant(turn, drill);
    const conditions: Condition[] = [];
    if (last !== null && last.outcome === 'failed') {
      const message = `the last one ${describeResult(last)}. Mend it, then ${again}`;
      conditions.push({ type: 'DrillFailed', object, message, needsAttention: true, origin });
    }
    if (due !== null && turn.now - due > OVERDUE_AFTER_MS) {
      const why = drillBlocker(turn.memory) ?? unrest(turn, drill) ?? 'it is about to begin';
      const message = `due since ${formatInstant(due)}, for ${formatDuration(turn.now - due)}: ${why}`;
      conditions.push({ type: 'DrillOverdue', object, message, needsAttention: true, origin });
    } else if (last?.cause.kind === 'schedule' && !isCompleted(last.outcome)) {
      const message = `the one due at ${formatInstant(last.cause.due)} was ${last.outcome} (${last.reason}) and is not made up for by itself; ${again}`;
      conditions.push({ type: 'DrillOverdue', object, message, needsAttention: true, origin });
    }
    return conditions;
  });
}

/** When one that waits becomes overdue. */
export function overdueInstants(turn: Turn): Millis[] {
  return Object.values(turn.desired.drills ?? {}).flatMap((drill) => {
    const due = dueInstant(turn, drill);
    return due === null ? [] : [due + OVERDUE_AFTER_MS + 1];
  });
}
