import type { Incident } from '../model/incident.ts';
import { isClearSince, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { isStillFiring, judgedTriggers } from './verdict.ts';

/** Whether an incident still has its reason: `no` while a policy of it fires, `yes` if every trigger is clear with data. */
export function isOver(turn: Turn, incident: Incident): 'yes' | 'no' | 'unknown' {
  if (isStillFiring(turn, incident)) return 'no';
  const isClear = judgedTriggers(incident).every(({ key, trigger }) => {
    const view = viewTrigger(turn.memory, key, trigger, turn.now);
    return isClearSince(view, Number.NEGATIVE_INFINITY);
  });
  return isClear ? 'yes' : 'unknown';
}
