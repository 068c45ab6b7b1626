import { pointObject } from '../model/point.ts';
import type { PointPolicy } from '../model/point-policy.ts';
import type { Condition } from '../plan/plan.ts';
import { isEmpty } from '../record.ts';
import type { Turn } from '../turn.ts';
import { formatInstant } from '../units.ts';
import { copyConditions } from './copy-points.ts';
import { overviewOf, pointsIn } from './points-by-state.ts';
import { pruneRuns } from './prune-points.ts';
import { captureRetry, MOST_RETRIES } from './retry-captures.ts';

/** What people should know of rollback points. */
export function pointConditions(turn: Turn): Condition[] {
  const { points } = turn.memory;
  if (isEmpty(points)) return [];
  return [
    ...refusals(turn),
    ...failures(turn),
    ...damaged(turn),
    ...unverified(turn),
    ...copyConditions(turn),
    ...collectionCondition(turn),
  ];
}

function refusals(turn: Turn): Condition[] {
  return pruneRuns(turn).flatMap(({ policy, valid, of, maxFraction, isTooMuch }): Condition[] => {
    if (!isTooMuch || policy === null) return [];
    const message = `${valid.length} of its ${of} points would be pruned, more than ${maxFraction} of them at once, so none is; \`revertd points prune --policy ${policy} --dry-run\` names them, \`revertd points prune --policy ${policy} --confirm\` does it`;
    return [{ type: 'PruneRefused', object: `PointPolicy/${policy}`, message, needsAttention: true }];
  });
}

/** The newest point of a policy is the one that a rollback would want. */
function failures({ memory, desired, now }: Turn): Condition[] {
  return Object.values(desired.pointPolicies ?? {}).flatMap((policy): Condition[] => {
    const { name, origin, suspend } = policy;
    const newest = overviewOf(memory.points).newestOf.get(name);
    if (suspend || newest?.state !== 'failed') return [];
    const message = `its newest point ${newest.id} failed: ${newest.failure ?? 'nobody knows why'}; ${retryText({ memory, now }, policy)}`;
    return [{ type: 'PointFailed', object: `PointPolicy/${name}`, message, needsAttention: true, origin }];
  });
}

function retryText({ memory, now }: Pick<Turn, 'memory' | 'now'>, policy: PointPolicy): string {
  const retry = captureRetry(memory, policy, now);
  if (retry === null) return 'it is not tried again by itself';
  return `it is tried again at ${formatInstant(retry.at)}, for the ${retry.number}. of ${MOST_RETRIES} times`;
}

function damaged({ memory }: Turn): Condition[] {
  return pointsIn(memory, 'invalid').map(({ id, failure }) => ({
    type: 'PointDamaged',
    object: pointObject(id),
    message: `its content is not as it was stored: ${failure ?? 'nobody knows how'}; it is not restored, and not counted`,
    needsAttention: true,
  }));
}

function unverified({ memory }: Turn): Condition[] {
  return overviewOf(memory.points).verifying.flatMap(({ id, verify }): Condition[] => {
    if (verify === null || verify.attempts === 0) return [];
    const message = `whether its content is intact could not be found out, tried ${verify.attempts} time(s); \`revertd points show ${id}\` tells why`;
    return [{ type: 'PointUnverified', object: pointObject(id), message, needsAttention: true }];
  });
}

function collectionCondition({ memory: { collection } }: Turn): Condition[] {
  if (collection === null || collection.attempts === 0) return [];
  const message = `content that no point needs could not be deleted, tried ${collection.attempts} time(s): ${collection.message ?? ''}`;
  return [{ type: 'CollectionFailing', object: 'Host', message, needsAttention: true }];
}
