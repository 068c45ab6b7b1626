import type { Memory } from '../memory.ts';
import type { Action } from '../model/action.ts';
import { documentKey } from '../model/flag.ts';
import type { Observed } from '../observed.ts';
import { isSame } from '../record.ts';
import type { Plan } from './plan.ts';

/** What becomes of the actions of a saved plan, held against the plan of now. */
export type Judgement = {
  /** Still to be done, exactly as saved. */
  readonly same: readonly Action[];
  /** Begun already, by the daemon itself. */
  readonly underWay: readonly Action[];
  /** The host shows already what they were to bring about. */
  readonly done: readonly Action[];
  /** Neither: what they rested on is different now. */
  readonly moved: readonly MovedAction[];
};

export type MovedAction = { readonly action: Action; readonly why: string };

/** Messages and reports are the daemon's own, and change nothing: they are left out. */
export function judgeSavedPlan(
  saved: Pick<Plan, 'actions' | 'withheld'>,
  present: Pick<Plan, 'actions' | 'withheld'>,
  { memory, documents }: { readonly memory: Memory; readonly documents: Observed['documents'] },
): Judgement {
  const due = new Map([...present.actions, ...present.withheld].map((action) => [action.key, action]));
  const running = new Set(Object.values(memory.operations).map(({ action }) => action.key));
  const judgement = {
    same: [] as Action[],
    underWay: [] as Action[],
    done: [] as Action[],
    moved: [] as MovedAction[],
  };
  for (const action of [...saved.actions, ...saved.withheld].filter(({ sign }) => sign !== '>')) {
    const now = due.get(action.key);
    if (now !== undefined && isSame(now.preconditions, action.preconditions)) judgement.same.push(now);
    else if (now !== undefined) judgement.moved.push({ action, why: movedPreconditions(action, now) });
    else if (running.has(action.key)) judgement.underWay.push(action);
    else if (isDone(action, memory, documents)) judgement.done.push(action);
    else judgement.moved.push({ action, why: 'it would not be done now any more' });
  }
  return judgement;
}

function movedPreconditions(saved: Action, now: Action): string {
  const gone = saved.preconditions.filter((one) => !now.preconditions.includes(one));
  const come = now.preconditions.filter((one) => !saved.preconditions.includes(one));
  return `it rested on ${gone.join(', ') || 'less'}, and would rest on ${come.join(', ') || 'less'}`;
}

function isDone(action: Action, memory: Memory, documents: Observed['documents']): boolean {
  switch (action.kind) {
    case 'deliver': {
      const sight = documents[documentKey(action.document)];
      return sight?.kind === 'read' && action.changes.every(({ entry, after }) => isSame(sight.values[entry], after));
    }
    case 'takeUp': {
      const owed = memory.documents[action.document]?.owed ?? null;
      return owed === null || (owed.digest === action.digest && owed.done > action.index);
    }
    case 'activate': {
      const owed = memory.targets[action.target]?.owed ?? null;
      return owed === null || owed.done > action.index;
    }
    case 'step':
    case 'restore':
    case 'keep':
    case 'rehearse':
    case 'capture':
    case 'validate':
    case 'copy':
    case 'collect':
    case 'notify':
    case 'report':
      return false;
  }
}
