import type { EventSpec } from '../../core/event.ts';
import type { DeliverAction, RehearseAction, RestoreAction } from '../../core/model/action.ts';
import { documentKey } from '../../core/model/flag.ts';
import type { Operation } from '../../core/model/operation.ts';
import type { Step } from '../../core/model/step.ts';
import { isSame } from '../../core/record.ts';
import type { Millis } from '../../core/units.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { Hands } from './hands.ts';
import { isHostStep } from './host-step.ts';

const OBSERVE_DEADLINE_MS: Millis = 15_000;

/**
 * What became of an operation that the log says was under way when the daemon died: its driver is asked whether the
 * effect is there. It is finished, decided anew (`notDone`), or `unknown`; never dropped and never blindly repeated.
 */
export async function recoverOperation(
  operation: Operation,
  hands: Pick<Hands, 'places' | 'steps' | 'targets'>,
  content?: () => Promise<ContentStore>,
): Promise<Extract<EventSpec, { type: 'operation.finished' }>> {
  const { outcome, detail, digest } = await observe(operation, hands, content);
  return {
    type: 'operation.finished',
    id: operation.id,
    outcome,
    detail: `after a restart: ${detail}`,
    durationMs: 0,
    ...(digest === undefined ? {} : { digest }),
  };
}

type Finding = {
  readonly outcome: 'done' | 'failed' | 'notDone' | 'unknown';
  readonly detail: string;
  readonly digest?: string;
};

async function observe(
  operation: Operation,
  hands: Pick<Hands, 'places' | 'steps' | 'targets'>,
  content?: () => Promise<ContentStore>,
): Promise<Finding> {
  const { action } = operation;
  switch (action.kind) {
    case 'deliver':
      return await observeDocument(action, hands);
    case 'takeUp':
    case 'activate':
    case 'step':
      return await observeStep(operation, action.step, hands);
    case 'restore':
      return await observeTarget(operation, action, hands, content);
    case 'capture':
      // What it stored is not named by any point, and is collected.
      return operation.state === 'planned'
        ? { outcome: 'notDone', detail: 'it had not begun' }
        : { outcome: 'failed', detail: 'the capture was interrupted' };
    // A drill is never resumed half.
    case 'rehearse':
      await tidy(action, hands);
      return { outcome: 'unknown', detail: 'the drill was interrupted' };
    case 'validate':
    case 'copy':
    case 'collect':
    case 'keep':
    // A message or a report twice is better than none; receivers tell repetitions by their id.
    case 'notify':
    case 'report':
      return { outcome: 'notDone', detail: 'it is done again' };
  }
}

/** What a rehearsal made in places of its own goes with it. */
async function tidy({ rungs }: RehearseAction, { targets }: Pick<Hands, 'targets'>): Promise<void> {
  const moves = rungs.flatMap(({ steps }) => steps.flatMap(({ move }) => move ?? []));
  for (const { target } of moves) {
    await targets[target.type.kind].tidy?.(target, AbortSignal.timeout(OBSERVE_DEADLINE_MS));
  }
}

async function observeDocument({ document, changes }: DeliverAction, hands: Pick<Hands, 'places'>): Promise<Finding> {
  const entries = changes.map((change) => change.entry);
  const signal = AbortSignal.timeout(OBSERVE_DEADLINE_MS);
  const reading = await hands.places[document.kind].read(document, entries, signal);
  if (reading.state === 'unreadable') return { outcome: 'unknown', detail: reading.message };
  const written = changes.every(({ entry, after }) => isSame(reading.values[entry], after));
  return written
    ? { outcome: 'done', detail: `${documentKey(document)} shows it`, digest: reading.digest }
    : { outcome: 'notDone', detail: `${documentKey(document)} does not show it` };
}

async function observeTarget(
  operation: Operation,
  action: RestoreAction,
  hands: Pick<Hands, 'targets'>,
  content?: () => Promise<ContentStore>,
): Promise<Finding> {
  if (operation.state === 'planned') return { outcome: 'notDone', detail: 'it had not begun' };
  const signal = AbortSignal.timeout(OBSERVE_DEADLINE_MS);
  const store = action.snapshot === undefined ? undefined : await content?.();
  const outcome = await hands.targets[action.target.type.kind].observe(action, signal, store);
  return { outcome, detail: EXPLANATIONS[outcome] };
}

async function observeStep(operation: Operation, step: Step, hands: Pick<Hands, 'steps'>): Promise<Finding> {
  if (operation.state === 'planned') return { outcome: 'notDone', detail: 'it had not begun' };
  if (!isHostStep(step)) return { outcome: 'notDone', detail: 'it is decided anew' };
  const outcome = await hands.steps.observe(step, operation.fingerprint, AbortSignal.timeout(OBSERVE_DEADLINE_MS));
  return { outcome, detail: EXPLANATIONS[outcome] };
}

const EXPLANATIONS = {
  done: 'its effect is there',
  notDone: 'it can safely be done again',
  unknown: 'whether it took effect cannot be seen, and repeating it is not safe',
} as const;
