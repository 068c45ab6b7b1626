import { takeKey, verifyKey } from '../model/point-policy.ts';
import type { Outlook } from '../plan/plan.ts';
import type { Turn } from '../turn.ts';
import { policiesOf } from './capturable.ts';

/** What the schedules of points ask for next. */
export function pointOutlook(turn: Turn): Outlook[] {
  return policiesOf(turn).flatMap((policy) => {
    const { name, origin, targets, verify } = policy;
    const base = { object: `PointPolicy/${name}`, next: [], origin };
    const rehearsed = verify?.restoreTest === true ? ', and restored beside the live system' : '';
    return [
      ...inSpan(turn, takeKey(name), { ...base, what: `a point of ${targets.join(', ')} is taken` }),
      ...inSpan(turn, verifyKey(name), { ...base, what: `its valid points are read again${rehearsed}` }),
    ];
  });
}

function inSpan({ observed, now }: Turn, key: string, item: Outlook): Outlook[] {
  const next = observed.schedules?.[key]?.next ?? null;
  return next === null ? [] : [{ ...item, afterMs: Math.max(0, next - now) }];
}
