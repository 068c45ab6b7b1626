import type { DocumentMemory, Memory, PlaceMemory, Retry } from '../../../src/core/memory.ts';
import type { Action, RestoreCause } from '../../../src/core/model/action.ts';
import type { Hold, Latch, Lift } from '../../../src/core/model/hold.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import { REPAIRS_AT_ONCE } from '../../../src/core/places/drift-fight.ts';
import type { SeenHold } from '../model/witness.ts';
import { MOST_ATTEMPTS } from './messages.ts';
import { age, left, nameOf, pointName, renamed, type Scope, stepName } from './scope.ts';

export function placesForm(scope: Scope, places: Memory['places']): string {
  let form = '';
  for (const key of Object.keys(places).sort()) form += `[${key}${placeForm(scope, places[key])}]`;
  return form;
}

/** How often in a row it was set back: more often than this it waits longest. */
const MOST_REPAIRS = 12;
const FORGIVEN_MS = 7_200_000 + 1;

function placeForm(scope: Scope, place: PlaceMemory | undefined): string {
  if (place === undefined) return '-';
  const { delivered, drift, repairs } = place;
  if (repairs === undefined) return `${delivered},${drift}`;
  const { attempts, retryAt, lastAt } = repairs;
  // Nobody is made to wait who cannot disturb a place often enough.
  if (scope.world.disturbances <= REPAIRS_AT_ONCE) return `${delivered},${drift},${left(scope, retryAt)}`;
  return `${delivered},${drift},${Math.min(MOST_REPAIRS, attempts)},${left(scope, retryAt)},${age(scope, lastAt, FORGIVEN_MS)}`;
}

export function documentsForm(scope: Scope, documents: Memory['documents']): string {
  let form = '';
  for (const key of Object.keys(documents).sort()) {
    const document = documents[key];
    if (document !== undefined) form += `[${key}${documentForm(scope, document)}]`;
  }
  return form;
}

function documentForm(scope: Scope, { writtenAt, owed, failing }: DocumentMemory): string {
  const failed = failing === null ? '' : `f${failing.key}${retryForm(scope, failing)}`;
  if (owed === null) return `${Math.max(0, writtenAt - scope.now)}${failed}`;
  const { digest, steps, places, done, retry } = owed;
  const waits = retry === null ? '' : retryForm(scope, retry);
  return `${Math.max(0, writtenAt - scope.now)}${failed}o${digest}${steps.map(stepName).join()}${places.join()}${done}${waits}`;
}

/** What failed is tried again within a tick, however often it failed; only a clock that is set back tells it apart. */
function retryForm(scope: Scope, { attempts, retryAt }: Retry): string {
  if (scope.world.moves.has('killAndSetBack')) return `r${Math.min(MOST_ATTEMPTS, attempts)},${left(scope, retryAt)}`;
  return retryAt > scope.now ? 'w' : 'r';
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
      const expires = hold.expiresAt === null ? '' : left(scope, hold.expiresAt);
      return `o${hold.flag}${hold.variant}${expires}`;
    }
    case 'targetAdoption':
      return `t${hold.target}${hold.tree}`;
    case 'quarantine': {
      const { target, tree, since } = hold;
      const isAfter = (scope.state.memory.targets[target]?.current?.since ?? since) > since;
      return `q${target}${tree}${isAfter ? '+' : ''}`;
    }
    case 'latch': {
      const { flag, variant, incident, lift } = hold;
      const older = olderLatches(holds, hold);
      const until = liftForm(scope, hold, lift);
      // Without its incident a latch counts from its own beginning.
      const own = Object.hasOwn(scope.state.memory.incidents, incident)
        ? ''
        : age(scope, hold.since, scope.horizons.liftMs);
      return `l${flag}${variant}${nameOf(scope, incident)}${until}${older}${own}`;
    }
  }
}

function liftForm({ state }: Scope, { since }: Latch, lift: Lift): string {
  switch (lift.kind) {
    case 'onFlagChange':
      return lift.digest;
    case 'onFix':
      return state.memory.targets[lift.target]?.good.some(({ at }) => at > since) === true ? 'fixed' : 'onFix';
    case 'manual':
    case 'after':
      return lift.kind;
  }
}

/** Targets of which a revision proved good after the hold was placed. */
function goodAfter({ state }: Scope, { placedMs }: SeenHold): string {
  const targets = Object.entries(state.witness.targets);
  return targets.flatMap(([name, { goodMs }]) => (goodMs !== null && goodMs > placedMs ? [name] : [])).join();
}

/** Of several latches over a flag the newest counts. */
function olderLatches(holds: Memory['holds'], { flag, since }: Latch): number {
  return Object.values(holds).filter((one) => one.kind === 'latch' && one.flag === flag && one.since < since).length;
}

export function seenHoldsForm(scope: Scope, seen: Readonly<Record<string, SeenHold>>): string {
  let form = Object.keys(seen).length === Object.keys(scope.state.memory.holds).length ? '' : Object.keys(seen).join();
  for (const id in scope.state.memory.holds) {
    const hold = seen[id];
    if (hold === undefined) form += '?';
    else
      form += `[${hold.digest}${hold.expiresMs === null ? '' : Math.max(0, hold.expiresMs - scope.elapsedMs)}${goodAfter(scope, hold)}]`;
  }
  return form;
}

export function operationsForm(scope: Scope, operations: Iterable<Operation>): string {
  let form = '';
  for (const { action, state } of operations) form += `[${actionForm(scope, action)}${state[0]}]`;
  return form;
}

function restoreName(scope: Scope, key: string, why: RestoreCause): string {
  switch (why.kind) {
    case 'rung':
      return renamed(scope, key, why.incident);
    case 'command':
      return key.replace(why.restore, `R${Object.keys(scope.state.memory.restores).indexOf(why.restore)}`);
    case 'deploy':
    case 'repair':
      return key;
  }
}

/** An action's key, and what it does not say. */
function actionForm(scope: Scope, action: Action): string {
  switch (action.kind) {
    case 'deliver':
      return `${action.key}${action.takeUp.map(stepName).join()}`;
    case 'takeUp':
      return `${action.key}${stepName(action.step)}`;
    case 'step':
    case 'report':
      return renamed(scope, action.key, action.incident);
    case 'restore': {
      const { why, undo, activate, to, snapshot } = action;
      return `${restoreName(scope, action.key, why)}>${snapshot === undefined ? to : pointName(scope, to)}${[...undo, ...activate].map(stepName).join()}`;
    }
    case 'activate':
      return `${action.key}${stepName(action.step)}`;
    case 'keep':
    case 'rehearse':
    case 'collect':
      return action.key;
    case 'capture':
    case 'validate':
      return `${action.kind}${pointName(scope, action.point)}`;
    case 'copy':
      return `copy${pointName(scope, action.point.id)}${action.copy.name}`;
    case 'notify':
      return action.notification.incident === undefined
        ? action.key
        : renamed(scope, action.key, action.notification.incident);
  }
}
