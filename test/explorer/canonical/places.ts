import type { DocumentMemory, Memory } from '../../../src/core/memory.ts';
import type { Hold } from '../../../src/core/model/hold.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { SeenHold } from '../model/witness.ts';
import { age, left, nameOf, renamed, type Scope, stepName } from './scope.ts';

export function placesForm(_scope: Scope, places: Memory['places']): string {
  let form = '';
  for (const key of Object.keys(places).sort()) form += `[${key}${places[key]?.delivered},${places[key]?.drift}]`;
  return form;
}

export function documentsForm(scope: Scope, documents: Memory['documents']): string {
  let form = '';
  for (const key of Object.keys(documents).sort()) {
    const document = documents[key];
    if (document !== undefined) form += `[${key}${documentForm(scope, document)}]`;
  }
  return form;
}

/** Failed writes and take-ups are tried again within a tick, however often they failed. */
function documentForm({ now }: Scope, { writtenAt, owed, failing }: DocumentMemory): string {
  const failed = failing === null ? '' : `f${failing.key}${failing.retryAt > now ? 'w' : ''}`;
  if (owed === null) return `${left(now, writtenAt)}${failed}`;
  const { digest, steps, places, done, retry } = owed;
  const waits = retry === null ? '' : retry.retryAt > now ? 'w' : 'r';
  return `${left(now, writtenAt)}${failed}o${digest}${steps.map(stepName).join()}${places.join()}${done}${waits}`;
}

/** In the order of their age, for the newest counts. */
export function holdsForm(scope: Scope, holds: Memory['holds']): string {
  let form = '';
  for (const id in holds) {
    const hold = holds[id];
    if (hold !== undefined) form += `[${holdForm(scope, hold, holds)}]`;
  }
  return form;
}

function holdForm(scope: Scope, hold: Hold, holds: Memory['holds']): string {
  switch (hold.kind) {
    case 'adoption':
      return `a${hold.place}${JSON.stringify(hold.live)}`;
    case 'override': {
      const expires = hold.expiresAt === null ? '' : left(scope.now, hold.expiresAt);
      return `o${hold.flag}${hold.variant}${expires}`;
    }
    case 'latch': {
      const { flag, variant, incident, lift } = hold;
      const older = Object.values(holds).filter(({ since }) => since < hold.since).length;
      const until = lift.kind === 'onFlagChange' ? lift.digest : lift.kind;
      // Without its incident a latch counts from its own beginning.
      const own = Object.hasOwn(scope.state.memory.incidents, incident)
        ? ''
        : age(scope.now, hold.since, scope.horizons.liftMs);
      return `l${flag}${variant}${nameOf(scope, incident)}${until}${older}${own}`;
    }
  }
}

export function seenHoldsForm(scope: Scope, seen: Readonly<Record<string, SeenHold>>): string {
  let form = '';
  for (const id in scope.state.memory.holds) {
    const hold = seen[id];
    if (hold === undefined) form += '?';
    else form += `[${hold.digest}${hold.expiresMs === null ? '' : left(scope.elapsedMs, hold.expiresMs)}]`;
  }
  return form;
}

export function operationsForm(scope: Scope, operations: Iterable<Operation>): string {
  let form = '';
  for (const { action, state } of operations) {
    const incident = action.kind === 'step' || action.kind === 'report' ? action.incident : null;
    form += `[${incident === null ? action.key : renamed(scope, action.key, incident)}${state[0]}]`;
  }
  return form;
}
