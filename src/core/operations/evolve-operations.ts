import { evolveRehearsed } from '../drills/evolve-drills.ts';
import type { Event, OperationEvent } from '../event.ts';
import { evolveStepOutcome } from '../incidents/evolve-incidents.ts';
import type { Memory } from '../memory.ts';
import { firstAttempt, type Operation } from '../model/operation.ts';
import { evolveNotified, evolveSending } from '../notifications/evolve-notifications.ts';
import { evolveDelivered, evolveTakenUp } from '../places/evolve-places.ts';
import { evolveCopied } from '../points/copy-points.ts';
import {
  evolveCaptured,
  evolveCapturing,
  evolveCollected,
  evolveValidated,
  evolveValidating,
  spoilCaptures,
} from '../points/evolve-points.ts';
import { evolveManualRestore } from '../points/manual-restores.ts';
import { without } from '../record.ts';
import { evolveActivated, evolveKept, evolveRestored, evolveRestoring } from '../targets/evolve-targets.ts';
import { backOff } from './back-off.ts';

type At = Pick<Event, 'at'>;
export type FinishedEvent = Extract<OperationEvent, { type: 'operation.finished' }> & At;

const REPORT_FIRST_RETRY_MS = 5_000;
const REPORT_LONGEST_RETRY_MS = 600_000;

/** planned → running → finished; a planned operation may finish without having run (`notDone`). */
export function evolveOperations(memory: Memory, event: OperationEvent & At): Memory {
  switch (event.type) {
    case 'operation.planned': {
      const { action } = event.operation;
      const { repeats = {} } = memory;
      return {
        ...(action.kind === 'notify' ? evolveSending(memory, action, event.at) : memory),
        repeats: without(repeats, [action.key]),
        operations: { ...memory.operations, [event.operation.id]: event.operation },
        nextOperation: memory.nextOperation + 1,
      };
    }
    case 'operation.running': {
      const operation = memory.operations[event.id];
      if (operation === undefined) return memory;
      const running: Operation = { ...operation, state: 'running', fingerprint: event.fingerprint };
      return noteRunning({ ...memory, operations: { ...memory.operations, [event.id]: running } }, running);
    }
    case 'operation.finished': {
      const operation = memory.operations[event.id];
      if (operation === undefined) return memory;
      const rest = { ...memory, operations: without(memory.operations, [event.id]) };
      return applyOutcome(noteRepeat(rest, operation, event), operation, event);
    }
  }
}

/** What had not begun when the daemon died was sent to nobody, and is no repetition; but it may be one already. */
function noteRepeat(memory: Memory, operation: Operation, { outcome }: FinishedEvent): Memory {
  if (outcome !== 'notDone' || (operation.state === 'planned' && operation.repeats === undefined)) return memory;
  if (!TOLD_APART.has(operation.action.kind)) return memory;
  return { ...memory, repeats: { ...memory.repeats, [operation.action.key]: firstAttempt(operation) } };
}

/** Those whose receivers are told of a repetition. */
const TOLD_APART: ReadonlySet<Operation['action']['kind']> = new Set(['step', 'takeUp', 'activate']);

function noteRunning(memory: Memory, { action }: Operation): Memory {
  switch (action.kind) {
    case 'restore':
      return spoilCaptures(evolveRestoring(memory, action), action);
    case 'capture':
      return evolveCapturing(memory, action);
    case 'validate':
      return evolveValidating(memory, action);
    default:
      return memory;
  }
}

function applyOutcome(memory: Memory, operation: Operation, event: FinishedEvent): Memory {
  const { action } = operation;
  switch (action.kind) {
    case 'deliver':
      return evolveDelivered(memory, action, event);
    case 'takeUp':
      return evolveTakenUp(memory, action, event);
    case 'step':
      return evolveStepOutcome(memory, action.incident, event);
    case 'restore': {
      const restored = evolveManualRestore(evolveRestored(memory, action, event), action, event);
      return action.why.kind === 'rung' ? evolveStepOutcome(restored, action.why.incident, event) : restored;
    }
    case 'activate':
      return evolveActivated(memory, action, event);
    case 'keep':
      return evolveKept(memory, action, event);
    case 'rehearse':
      return evolveRehearsed(memory, action, event);
    case 'capture':
      return evolveCaptured(memory, action, event);
    case 'validate':
      return evolveValidated(memory, action, event);
    case 'copy':
      return evolveCopied(memory, action, event);
    case 'collect':
      return evolveCollected(memory, action, event);
    case 'notify':
      return evolveNotified(memory, action, event);
    case 'report': {
      if (event.outcome === 'done') return { ...memory, reportsOwed: without(memory.reportsOwed, [action.incident]) };
      if (event.outcome === 'notDone') return memory;
      const retry = backOff(
        memory.reportsOwed[action.incident] ?? null,
        event.at,
        REPORT_FIRST_RETRY_MS,
        REPORT_LONGEST_RETRY_MS,
      );
      return { ...memory, reportsOwed: { ...memory.reportsOwed, [action.incident]: retry } };
    }
  }
}
