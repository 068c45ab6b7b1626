import type { Memory } from '../memory.ts';
import type { Action, CopyAction } from '../model/action.ts';
import { isValid, type Point, pointObject } from '../model/point.ts';
import type { PointCopy } from '../model/point-policy.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import type { Condition } from '../plan/plan.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { pointsIn } from './points-by-state.ts';
import { newestFirst } from './verdicts.ts';

const FIRST_RETRY_MS: Millis = 60_000;
const LONGEST_RETRY_MS: Millis = 3_600_000;

/** Of what has waited longest; one that failed waits for its time, and the others go before it. */
export function copyActions(turn: Turn): Action[] {
  const [next] = missing(turn).filter(({ retryAt }) => turn.now >= retryAt);
  if (next === undefined) return [];
  const { point, copy } = next;
  return [
    {
      kind: 'copy',
      key: `copy:${point.id}:${copy.name}`,
      sign: '+',
      reason: `${pointObject(point.id)} is intact, and is to be copied to "${copy.name}"`,
      origin: copy.step.origin,
      losesData: false,
      preconditions: [],
      point,
      copy,
    },
  ];
}

type Missing = { readonly point: Point; readonly copy: PointCopy; readonly retryAt: Millis };

type Policies = Turn['desired']['pointPolicies'];

const known = new WeakMap<Memory['points'], { readonly policies: Policies; readonly found: readonly Missing[] }>();

/** What is to be copied, the oldest point first. Nothing is changed in place, so it is looked for once. */
function missing({
  desired: { pointPolicies: policies },
  memory,
}: Pick<Turn, 'desired' | 'memory'>): readonly Missing[] {
  const before = known.get(memory.points);
  if (before !== undefined && before.policies === policies) return before.found;
  const found = pointsIn(memory, 'valid')
    .flatMap((point) => missingOf(policies, point))
    .sort((a, b) => newestFirst(b.point, a.point));
  known.set(memory.points, { policies, found });
  return found;
}

function missingOf(policies: Policies, point: Point): Missing[] {
  return copiesOf(policies, point).flatMap((copy) => {
    const state = point.copies?.[copy.name];
    return state?.kind === 'copied' ? [] : [{ point, copy, retryAt: state?.retryAt ?? 0 }];
  });
}

/** What its policy wants of a point. */
export function copiesOf(policies: Policies, { policy: name }: Pick<Point, 'policy'>): readonly PointCopy[] {
  const policy = name === null ? undefined : policies?.[name];
  return policy === undefined || policy.suspend ? [] : policy.copies;
}

/** Whether it is known to be intact, and is everywhere that its policy wants it. */
export function isCopied(policies: Policies, point: Point): boolean {
  return isValid(point) && copiesOf(policies, point).every(({ name }) => point.copies?.[name]?.kind === 'copied');
}

export function evolveCopied(
  memory: Memory,
  { point: { id }, copy: { name } }: CopyAction,
  event: FinishedEvent,
): Memory {
  const point = memory.points[id];
  if (point === undefined || event.outcome === 'notDone') return memory;
  const before = point.copies?.[name];
  const state =
    event.outcome === 'done'
      ? ({ kind: 'copied', at: event.at } as const)
      : ({
          kind: 'failing',
          ...backOff(before?.kind === 'failing' ? before : null, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS),
          message: event.detail,
        } as const);
  return { ...memory, points: { ...memory.points, [id]: { ...point, copies: { ...point.copies, [name]: state } } } };
}

export function copyConditions(turn: Turn): Condition[] {
  return missing(turn).flatMap(({ point: { id, copies }, copy: { name, step } }): Condition[] => {
    const state = copies?.[name];
    if (state?.kind !== 'failing') return [];
    const message = `its copy "${name}" failed, tried ${state.attempts} time(s): ${state.message}`;
    return [{ type: 'CopyFailing', object: pointObject(id), message, needsAttention: true, origin: step.origin }];
  });
}

/** When one of them is to be tried again. */
export function copyInstants(turn: Pick<Turn, 'desired' | 'memory' | 'now'>): Millis[] {
  return missing(turn).flatMap(({ retryAt }) => (retryAt > turn.now ? [retryAt] : []));
}
