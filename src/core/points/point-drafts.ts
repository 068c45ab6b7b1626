import type { EventSpec } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { Draft } from '../notifications/refusal-drafts.ts';
import type { Millis } from '../units.ts';

/** Whoever asks for the topic is told. */
const EVERYBODY = undefined;

export function pruneRefusedDraft(event: Extract<EventSpec, { type: 'points.pruneRefused' }>, at: Millis): Draft {
  const { policy, points, of, maxFraction } = event;
  return {
    id: `points/${policy}/refused/${at}`,
    topic: 'points',
    severity: 'warning',
    title: `PointPolicy ${policy} would prune ${points.length} of ${of} points`,
    text: `that is more than ${maxFraction} of them at once, so none is pruned. See \`revertd points prune --policy ${policy} --dry-run\`; with --confirm it is done`,
    facts: { policy },
    audience: EVERYBODY,
  };
}

/** That a point failed, or was found damaged; null for every other outcome. `memory` is as the event left it. */
export function failedPointDraft(
  { id }: Extract<EventSpec, { type: 'operation.finished' }>,
  { points }: Pick<Memory, 'points'>,
): Draft | null {
  const [, kind, point = ''] = /^(capture|validate):(.+)#\d+$/.exec(id) ?? [];
  const found = points[point];
  if (kind === undefined || found === undefined || (found.state !== 'failed' && found.state !== 'invalid')) return null;
  return {
    id: `points/${found.id}/${found.state}`,
    topic: 'points',
    severity: 'warning',
    title: `point ${found.id} ${found.state === 'failed' ? 'failed' : 'is damaged'}`,
    text: found.failure ?? '',
    facts: { point: found.id, ...(found.policy === null ? {} : { policy: found.policy }) },
    audience: EVERYBODY,
  };
}
