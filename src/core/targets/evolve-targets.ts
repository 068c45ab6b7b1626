import type { Event, TargetEvent } from '../event.ts';
import type { Memory, OwedSteps, TargetMemory } from '../memory.ts';
import type { ActivateAction, KeepAction, RestoreAction } from '../model/action.ts';
import type { Step } from '../model/step.ts';
import { backOff } from '../operations/back-off.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { mapValues, without } from '../record.ts';
import type { Millis } from '../units.ts';

const FIRST_RETRY_MS: Millis = 1_000;
const LONGEST_RETRY_MS: Millis = 60_000;
/** A failed deployment builds and stops services, so it is not tried again at once. */
const FIRST_DEPLOY_RETRY_MS: Millis = 30_000;
const LONGEST_DEPLOY_RETRY_MS: Millis = 1_800_000;

/** So many good revisions are remembered, and kept from git's garbage collection. */
export const GOOD_KEPT = 20;

const UNKNOWN_TARGET: TargetMemory = {
  isMet: false,
  current: null,
  good: [],
  arrived: null,
  owed: null,
  failing: null,
  repaired: [],
  kept: [],
  keepRetry: null,
};

export function evolveTargets(memory: Memory, event: TargetEvent & Pick<Event, 'at'>): Memory {
  if (event.type === 'target.released') return { ...memory, targets: without(memory.targets, [event.target]) };
  return change(memory, event.target, (target) => changeTarget(target, event));
}

function changeTarget(
  target: TargetMemory,
  event: Exclude<TargetEvent, { type: 'target.released' }> & Pick<Event, 'at'>,
): TargetMemory {
  switch (event.type) {
    case 'target.met':
      return { ...target, isMet: true };
    case 'target.moved': {
      const isGood = target.good.some(({ tree }) => tree === event.to.tree);
      const first = event.from === null ? { isFirst: true as const } : {};
      return { ...target, current: { ...event.to, since: event.at, calmSince: null, isGood, ...first } };
    }
    case 'target.calmed':
      return withCalm(target, event.at);
    case 'target.disturbed':
      return withCalm(target, null);
    case 'target.good': {
      const others = target.good.filter(({ tree }) => tree !== event.revision.tree);
      const good = [{ ...event.revision, at: event.at }, ...others].slice(0, GOOD_KEPT);
      const { current } = target;
      const isCurrent = current?.tree === event.revision.tree;
      return { ...target, good, current: current !== null && isCurrent ? { ...current, isGood: true } : current };
    }
    case 'target.settled':
      return { ...target, failing: null };
    case 'target.withheld':
      return { ...target, withheld: { window: event.window, commit: event.commit } };
    case 'target.allowed':
      return { ...target, withheld: null };
  }
}

/** What happened while the daemon was away nobody saw, so a revision that was baking begins anew. */
export function restartTargets(memory: Memory): Memory {
  return { ...memory, targets: mapValues(memory.targets, (target) => withCalm(target, null)) };
}

function withCalm(target: TargetMemory, calmSince: Millis | null): TargetMemory {
  return target.current === null ? target : { ...target, current: { ...target.current, calmSince } };
}

/** From here on services may be stopped: they are owed their start, also after a kill. */
export function evolveRestoring(memory: Memory, { target, paths, rows, undo }: RestoreAction): Memory {
  const isWhole = paths.length === 0 && rows === undefined;
  return change(memory, target.name, (known) => ({
    ...known,
    owed: owing(known.owed, undo),
    ...(isWhole ? { isMidway: true } : {}),
  }));
}

/** The same of a capture that stops services. */
export function evolveQuiesced(memory: Memory, target: string, undo: readonly Step[]): Memory {
  return undo.length === 0 ? memory : change(memory, target, (known) => ({ ...known, owed: owing(known.owed, undo) }));
}

export function evolveRestored(memory: Memory, action: RestoreAction, event: FinishedEvent): Memory {
  if (event.outcome === 'notDone') return memory;
  return change(memory, action.target.name, (begun) => {
    const known = { ...begun, isMidway: false };
    const { why } = action;
    const repaired =
      why.kind === 'repair' ? [...known.repaired.filter((tree) => tree !== why.tree), why.tree] : known.repaired;
    if (event.outcome === 'done') {
      const arrived = event.digest ?? known.arrived;
      return { ...known, arrived, owed: owing(known.owed, action.activate), failing: null, repaired };
    }
    const key = event.id.slice(0, event.id.lastIndexOf('#'));
    const before = known.failing?.key === key ? known.failing : null;
    const retry = backOff(before, event.at, FIRST_DEPLOY_RETRY_MS, LONGEST_DEPLOY_RETRY_MS);
    // A rung's failure is told by its incident, a person's by their restore; neither is tried again by itself.
    const isTold = why.kind === 'rung' || why.kind === 'command';
    const failing = isTold ? known.failing : { ...retry, key, message: event.detail };
    return { ...known, failing, repaired };
  });
}

export function evolveActivated(memory: Memory, action: ActivateAction, event: FinishedEvent): Memory {
  return change(memory, action.target, (known) => {
    const { owed } = known;
    // A restore that began meanwhile changed what is owed.
    if (owed === null || owed.done !== action.index) return known;
    switch (event.outcome) {
      case 'done': {
        const done = owed.done + 1;
        return { ...known, owed: done === owed.steps.length ? null : { ...owed, done, retry: null } };
      }
      case 'failed': {
        const retry = { ...backOff(owed.retry, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS), message: event.detail };
        return { ...known, owed: { ...owed, retry } };
      }
      // Owed at least once: what may not have happened is done again.
      case 'unknown':
      case 'notDone':
        return known;
    }
  });
}

export function evolveKept(memory: Memory, action: KeepAction, event: FinishedEvent): Memory {
  return change(memory, action.target.name, (known) => {
    if (event.outcome === 'done') return { ...known, kept: action.commits, keepRetry: null };
    if (event.outcome === 'notDone') return known;
    return { ...known, keepRetry: backOff(known.keepRetry, event.at, FIRST_RETRY_MS, LONGEST_RETRY_MS) };
  });
}

/** What was owed before comes first, from its beginning: a restore in between may have undone it. */
function owing(before: OwedSteps | null, steps: readonly Step[]): OwedSteps | null {
  const all = [...(before?.steps ?? []), ...steps];
  return all.length === 0 ? null : { steps: all, done: 0, retry: null };
}

function change(memory: Memory, name: string, how: (target: TargetMemory) => TargetMemory): Memory {
  return { ...memory, targets: { ...memory.targets, [name]: how(memory.targets[name] ?? UNKNOWN_TARGET) } };
}
