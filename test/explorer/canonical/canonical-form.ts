import type { Memory } from '../../../src/core/memory.ts';
import { SET_BACK_MS } from '../model/change.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { Host, State } from '../model/state.ts';
import type { Witness } from '../model/witness.ts';
import { brakesForm, incidentsForm, rollbacksForm, seenRollbacksForm } from './incidents.ts';
import { outboxForm, pacesForm, reportsForm } from './messages.ts';
import { documentsForm, holdsForm, operationsForm, placesForm, seenHoldsForm } from './places.ts';
import { collectionForm, pointsForm, refusalsForm, restoresForm, schedulesForm, stockForm } from './points.ts';
import { nameOf, renamed, type Scope, scopeOf } from './scope.ts';
import { seenTargetsForm, targetsForm } from './targets.ts';
import { loggedForm, recordedForm, triggersForm, troublesForm, witnessedForm } from './triggers.ts';

type Forms<T> = { readonly [Key in keyof T]-?: (scope: Scope, value: T[Key]) => string };

/** Every field has its form, or is left out by name: the compiler points here when memory learns something new. */
const MEMORY: Forms<Memory> = {
  triggers: triggersForm,
  triggersRecordedAt: recordedForm,
  incidents: incidentsForm,
  rollbacks: rollbacksForm,
  brakes: brakesForm,
  holds: holdsForm,
  places: placesForm,
  documents: documentsForm,
  targets: targetsForm,
  points: pointsForm,
  schedules: schedulesForm,
  pruneRefusals: refusalsForm,
  restores: restoresForm,
  collection: collectionForm,
  operations: (scope, operations) => {
    const known = Object.values(operations);
    const { running } = scope.state.host;
    const isUsual =
      known.length === running.length &&
      known.every(({ id, state }, index) => state === running[index]?.state && id === running[index].id);
    return isUsual ? '=' : operationsForm(scope, known);
  },
  // What receivers tell a repetition by; nothing is decided by it.
  repeats: () => '',
  outbox: outboxForm,
  paces: pacesForm,
  reportsOwed: reportsForm,
  halt: (_, halt) => (halt === null ? '' : 'h'),
  windowed: (_, windowed) => JSON.stringify(windowed),
  // No world has a drill.
  drills: (_, drills) => JSON.stringify(drills ?? {}),
  troubles: troublesForm,
  // How long a rung took is only told.
  durations: () => '',
  // Part of each trigger's form.
  startedAt: () => '',
  // The host's, and only noted.
  revision: () => '',
  // Identities mean nothing but the order in which they were given.
  nextIncident: () => '',
  nextOperation: () => '',
  nextRestore: () => '',
};

const HOST: Forms<Host> = {
  elapsedMs: () => '',
  now: () => '',
  revision: (_, revision) => `${revision}`,
  files: (_, files) => JSON.stringify(files),
  checkouts: (_, checkouts) => JSON.stringify(checkouts),
  loss: (_, loss) => `${loss}`,
  // Whether one is due is told with those that were served.
  due: ({ world, now }, due) => world.schedules.map((key) => (due[key] === now ? 'n' : '')).join(''),
  dues: (_, dues) => `${dues}`,
  hidden: (_, hidden) => (hidden ? 'u' : ''),
  halted: (_, halted) => (halted ? 'h' : ''),
  weather: ({ world }, weather) => (world.weathers[weather]?.isFault === true ? `w${weather}` : ''),
  startedMs: ({ world, elapsedMs }, startedMs) =>
    elapsedMs - startedMs > world.coverMs ? '' : `${elapsedMs - startedMs}`,
  running: operationsForm,
};

const WITNESS: Forms<Witness> = {
  triggers: witnessedForm,
  rollbacks: seenRollbacksForm,
  holds: seenHoldsForm,
  targets: seenTargetsForm,
  approvals: (scope, approvals) =>
    Object.entries(approvals)
      .map(([id, { request, given }]) =>
        JSON.stringify([nameOf(scope, id), request.rung, request.covers, given.map(({ subject }) => subject)]),
      )
      .join(),
  stock: stockForm,
  done: (scope, done) => done.map(({ incident, step }) => renamed(scope, step, incident)).join(),
};

const STATE: Forms<State> = {
  host: (scope, host) => formOf(scope, host, HOST),
  memory: (scope, memory) => formOf(scope, memory, MEMORY),
  logged: loggedForm,
  recordedAt: ({ world, now }, recordedAt) =>
    world.moves.has('killAndSetBack') ? `${Math.min(SET_BACK_MS, now - recordedAt)}` : '',
  witness: (scope, witness) => formOf(scope, witness, WITNESS),
};

/**
 * A state as text: the same for two states from which the same can follow. Times are relative to the present and end
 * where no rule looks any further; identities are numbered in the order of their appearance; notes for people are out.
 */
export function canonicalForm(world: SmallWorld, state: State): string {
  return formOf(scopeOf(world, state), state, STATE);
}

function formOf<T extends object>(scope: Scope, value: T, forms: Forms<T>): string {
  let form = '';
  for (const key in forms) form += `${forms[key](scope, value[key])}|`;
  return form;
}
