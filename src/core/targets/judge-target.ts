import type { TargetMemory } from '../memory.ts';
import type { CheckResult } from '../model/check.ts';
import { type CodeRevision, shortCommit } from '../model/target.ts';
import type { TargetSight } from '../observed.ts';
import { formatDuration, type Millis } from '../units.ts';

/** What is known of a target that policies still have. */
export type KnownTarget = {
  readonly name: string;
  readonly memory: TargetMemory | undefined;
  readonly sight: TargetSight | undefined;
};

export type TargetVerdict = Pick<CheckResult, 'outcome' | 'detail'>;

/**
 * Whether the target changed within the last `spanMs`. What it showed when revertd first looked may have come just
 * before: then only the commit itself can tell that it is new, and whether an old one is, is not known.
 */
export function judgeChange({ name, memory, sight }: KnownTarget, spanMs: Millis, now: Millis): TargetVerdict {
  const current = memory?.current ?? null;
  if (current === null) return { outcome: 'unknown', detail: `${name} was never looked at: ${whyUnseen(sight)}` };
  const at = `${name} is at ${shortCommit(current.commit)}`;
  const ageMs = Math.max(0, now - current.since);
  const age = formatDuration(ageMs);
  if (current.isFirst !== true) {
    return { outcome: ageMs <= spanMs ? 'true' : 'false', detail: `${at} since ${age}` };
  }
  const committedMs = committedAgo(current, sight, now);
  if (committedMs !== undefined && committedMs <= spanMs) {
    return { outcome: 'true', detail: `${at}, which was committed ${formatDuration(committedMs)} ago` };
  }
  if (ageMs > spanMs) return { outcome: 'false', detail: `${at} since before it was first looked at, ${age} ago` };
  return {
    outcome: 'unknown',
    detail: `${at}; it was first looked at ${age} ago, and since when it is there is not known`,
  };
}

function whyUnseen(sight: TargetSight | undefined): string {
  return sight?.kind === 'unreadable' ? sight.message : 'that comes first';
}

/** Undefined where it was not seen, or lies in the future: commits tell their time themselves. */
function committedAgo({ tree }: CodeRevision, sight: TargetSight | undefined, now: Millis): Millis | undefined {
  if (sight?.kind !== 'git' || sight.committedAt === undefined || sight.head.tree !== tree) return undefined;
  return sight.committedAt <= now ? now - sight.committedAt : undefined;
}

/** Intact if every check of the target is true; what is false weighs more than what is not known. */
export function judgeIntact(name: string, answers: readonly TargetVerdict[]): TargetVerdict {
  const decisive =
    answers.find(({ outcome }) => outcome === 'false') ?? answers.find(({ outcome }) => outcome === 'unknown');
  if (decisive !== undefined) return { outcome: decisive.outcome, detail: `${name}: ${decisive.detail}` };
  if (answers.length === 0) return { outcome: 'unknown', detail: `${name} has no \`check\` that could tell` };
  return { outcome: 'true', detail: `${name}: ${answers.map(({ detail }) => detail).join('; ')}` };
}
