import { isOpen } from '../../../src/core/model/incident.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import { describeStep } from '../../../src/core/model/step.ts';
import { formatDuration } from '../../../src/core/units.ts';
import { SET_BACK_MS } from './change.ts';
import type { Move } from './move.ts';
import { weatherOf } from './observe.ts';
import { type SmallWorld, TICK_MS } from './small-world.ts';
import type { State } from './state.ts';

/** A move in words, as seen from the state that it leaves. */
export function describeMove(world: SmallWorld, { host, memory }: State, move: Move): string {
  switch (move.kind) {
    case 'tick':
      return `${formatDuration(TICK_MS)} pass: ${weatherOf(world, move.weather).words}`;
    case 'finish': {
      const effect = move.outcome === 'done' ? '' : move.effect ? ', although the host was changed' : '';
      const end = `${describeOperation(host.running[move.operation])} ends: ${move.outcome}${effect}`;
      return move.killed ? `${end}; the daemon is killed before it decides, and starts anew` : end;
    }
    case 'kill':
      return describeKill(host.running, move);
    case 'killAndSetBack':
      return `the daemon is killed, the clock is set back by ${formatDuration(SET_BACK_MS)}, and it starts anew`;
    case 'setBack':
      return `the clock is set back by ${formatDuration(SET_BACK_MS)}`;
    case 'halt':
      return 'a person halts everything';
    case 'resume':
      return 'a person resumes';
    case 'commit':
      return `git: ${world.revisions[move.revision]?.words ?? '?'}`;
    case 'override': {
      const override = world.overrides[move.override];
      const ttlMs = override?.ttlMs ?? null;
      const span = ttlMs === null ? '' : ` for ${formatDuration(ttlMs)}`;
      return `a person overrides ${override?.flag ?? '?'} with ${override?.variant ?? '?'}${span}`;
    }
    case 'lift':
      return `a person lifts ${Object.keys(memory.holds)[move.hold] ?? '?'}`;
    case 'adopt':
      return 'a person adopts what waits';
    case 'abort':
      return `a person aborts ${openIncident(memory, move.incident)}`;
    case 'answer': {
      const end = `a person answers ${move.answer} to ${openIncident(memory, move.incident)}`;
      return move.killed ? `${end}; the daemon is killed before it decides, and starts anew` : end;
    }
    case 'edit': {
      const edit = world.edits[move.edit];
      const value = edit?.value ?? null;
      return `somebody ${value === null ? 'removes' : `writes ${value} to`} ${edit?.entry ?? '?'} by hand`;
    }
    case 'approve':
      return `${world.people[move.person]?.name ?? '?'} approves what ${openIncident(memory, move.incident)} asks`;
    case 'reject':
      return `${world.people[move.person]?.name ?? '?'} rejects what ${openIncident(memory, move.incident)} asks`;
    case 'grow':
      return 'more would be lost than before';
    case 'due':
      return `the schedule ${world.schedules[move.schedule] ?? '?'} comes`;
    case 'verify':
      return 'a person has all points read again';
    case 'pin':
      return 'a person pins the oldest point';
    case 'putBack':
      return 'a person restores from the newest point';
    case 'prune':
      return 'a person has points pruned, however many';
    case 'begin':
      return `${describeOperation(host.running[move.operation])} begins`;
    case 'push':
      return `somebody pushes ${world.pushes[move.push]?.revision ?? '?'}`;
    case 'checkout':
      return `somebody checks out ${world.checkoutsByHand[move.checkout]?.revision ?? '?'} by hand`;
    case 'hide':
      return 'documents and checkouts cannot be read any more';
    case 'show':
      return 'documents and checkouts can be read again';
  }
}

function describeKill(running: readonly Operation[], { begun }: Extract<Move, { kind: 'kill' }>): string {
  if (begun === null) {
    const of = running.length === 0 ? '' : ' before any operation had begun';
    return `the daemon is killed${of}, and starts anew`;
  }
  const what = describeOperation(running[begun.operation]);
  return `the daemon is killed when ${what} had ${begun.effect ? 'taken effect' : 'begun'}, and starts anew`;
}

function openIncident(memory: State['memory'], index: number): string {
  return Object.values(memory.incidents).filter(isOpen)[index]?.id ?? '?';
}

export function describeOperation(operation: Operation | undefined): string {
  if (operation === undefined) return '?';
  const { action } = operation;
  switch (action.kind) {
    case 'deliver':
      return `write ${action.changes.map(({ entry, after }) => `${entry}=${JSON.stringify(after)}`).join(' ')}`;
    case 'takeUp':
      return `take-up "${describeStep(action.step)}"`;
    case 'step':
      return `step "${describeStep(action.step)}" of ${action.incident}`;
    case 'restore':
      return `move of ${action.target.name} to ${action.to}`;
    case 'activate':
      return `activation "${describeStep(action.step)}" of ${action.target}`;
    case 'keep':
      return `keeping of ${action.commits.join(', ') || 'no revisions'} for ${action.target.name}`;
    case 'rehearse':
      return `rehearsal of ${action.drill}`;
    case 'capture':
    case 'validate':
    case 'copy':
    case 'collect':
      return action.key;
    case 'notify':
      return `message "${action.notification.title}"`;
    case 'report':
      return `report of ${action.incident}`;
  }
}
