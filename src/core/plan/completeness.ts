import { isFreshTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { type Wants, wantsOf } from '../wants.ts';

/** Whether everything that the decision rests on was seen. */
export function isComplete(turn: Turn): boolean {
  const wants = wantsOf(turn.desired, turn.memory, turn.now);
  const documentsSeen = wants.documents.every((document) => {
    const sight = turn.observed.documents[document.key];
    if (sight === undefined || sight.at < document.freshAfter) return false;
    return sight.kind === 'unreadable' || document.entries.every((entry) => sight.entries.includes(entry));
  });
  return (
    documentsSeen &&
    wants.targets.every(({ name }) => Object.hasOwn(turn.observed.targets, name)) &&
    triggersSeen(turn, wants)
  );
}

function triggersSeen({ memory, now }: Turn, { triggers }: Wants): boolean {
  for (const [key, trigger] of triggers) if (!isFreshTrigger(memory, key, trigger, now)) return false;
  return true;
}
