import { isOpen } from '../../../src/core/model/incident.ts';
import { isUnderWay } from '../../../src/core/model/point.ts';
import type { SmallWorld } from '../model/small-world.ts';
import type { State } from '../model/state.ts';
import { desiredAt } from '../model/world-facts.ts';
import { NOWHERE, type Visited } from './visited.ts';

/** What is left undone in a state that calm does not change any more; null if nothing is. */
export function restlessness(world: SmallWorld, { host, memory }: State): string | null {
  const { policies } = desiredAt(world, host.revision);
  const open = Object.values(memory.incidents).filter(
    (incident) => isOpen(incident) && policies[incident.policy.name]?.suspend !== true,
  );
  const waiting = Object.entries(memory.documents).filter(([, { owed, failing }]) => owed !== null || failing !== null);
  const moved = Object.entries(memory.targets).filter(([, { owed, failing }]) => owed !== null || failing !== null);
  const left = {
    operations: Object.keys(memory.operations),
    incidents: open.map(({ id, phase }) => `${id} (${phase.kind})`),
    documents: waiting.map(([key]) => key),
    targets: moved.map(([name]) => name),
    points: Object.values(memory.points).flatMap(({ id, state }) => (isUnderWay({ state }) ? [id] : [])),
    restores: Object.keys(memory.restores),
    collection: memory.collection === null ? [] : ['collect'],
    messages: Object.keys(memory.outbox),
    reports: Object.keys(memory.reportsOwed),
    brakes: Object.keys(memory.brakes),
  };
  const words = Object.entries(left).flatMap(([what, which]) =>
    which.length === 0 ? [] : [`${what}: ${which.join()}`],
  );
  return words.length === 0 ? null : `all is well for ever, and still there are ${words.join('; ')}`;
}

/** A state from which calm leads round in a circle of more than one; null if there is none. */
export function findUnrest(visited: Visited): number | null {
  const rounds = new Int32Array(visited.size);
  for (let start = 0; start < visited.size; start += 1) {
    let at = start;
    while (at !== NOWHERE && rounds[at] === 0) {
      rounds[at] = start + 1;
      at = visited.calmAfter(at);
    }
    const isCircle = at !== NOWHERE && rounds[at] === start + 1 && visited.calmAfter(at) !== at;
    if (isCircle) return at;
  }
  return null;
}
