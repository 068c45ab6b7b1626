import type { Memory } from '../memory.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import { isValid, type Point, type PointId } from '../model/point.ts';
import type { Step } from '../model/step.ts';
import { ancestorIn } from './merging-restores.ts';
import type { Protections } from './verdicts.ts';

/** As ids are made: see `pointId`. */
const ID = /\d{8}T\d{6}Z-[A-Za-z0-9._-]+/g;

/**
 * Points that something rests on: an open incident or an operation names them or merges against them, or they hold a good
 * revision in use.
 * Whoever has nothing to judge need not ask.
 */
export function protectionsOf(memory: Memory): Protections {
  const found = new Map<PointId, string[]>();
  const add = (id: PointId, reason: string): void => void found.set(id, [...(found.get(id) ?? []), reason]);
  const open = Object.values(memory.incidents).filter(isOpen);
  for (const incident of open) {
    for (const id of namedBy(incident)) add(id, `${incident.id} names it`);
    for (const id of ancestorsOf(memory, incident)) add(id, `${incident.id} merges against it`);
  }
  for (const { id, action } of Object.values(memory.operations)) {
    if (action.kind === 'capture' || action.kind === 'validate') add(action.point, `operation ${id} is under way`);
    if (action.kind === 'restore') add(action.to, `operation ${id} is under way`);
  }
  for (const { id, point, safety, merge } of Object.values(memory.restores)) {
    if (merge !== undefined) add(merge.ancestor, `${id} merges against it`);
    add(point, `${id} restores from it`);
    add(safety, `${id} is undone by it`);
  }
  const ids = new Set(open.map(({ id }) => id));
  for (const point of Object.values(memory.points)) {
    const { cause } = point;
    if (cause.kind === 'rollback' && ids.has(cause.incident)) add(point.id, `${cause.incident} took it`);
    if (holdsGoodRevision(memory, point)) add(point.id, 'it holds a good revision in use');
  }
  return found;
}

/** Where its restores go, as settled or as people are asked, and what its ladder names. */
function namedBy(incident: Incident): PointId[] {
  const { phase } = incident;
  const about = phase.kind === 'asking' ? phase.about : phase;
  const settled = about.kind === 'executing' && about.destination !== undefined ? [about.destination] : [];
  const asked = about.kind === 'awaiting-approval' ? (about.request?.point?.match(ID) ?? []) : [];
  const written = stepsOf(incident).flatMap((step) =>
    step.kind === 'restore' && step.to.kind === 'point' ? [step.to.point] : [],
  );
  return [...new Set([...settled, ...asked, ...written])];
}

/** What its ladder may merge live against: a newer point would be from after things went wrong. */
function ancestorsOf(memory: Memory, incident: Incident): PointId[] {
  const targets = stepsOf(incident).flatMap((step) =>
    step.kind === 'restore' && step.merge !== undefined ? [step.target] : [],
  );
  return [...new Set(targets)].flatMap((target) => ancestorIn(memory, incident, target)?.id ?? []);
}

function stepsOf({ policy }: Incident): readonly Step[] {
  return policy.ladder.flatMap((rung) => [...rung.do, ...rung.onFailure]);
}

function holdsGoodRevision({ targets }: Memory, point: Point): boolean {
  return point.snapshots.some(({ target, type, fingerprint }) => {
    if (type !== 'git' || !isValid(point)) return false;
    const { current = null, good = [] } = targets[target] ?? {};
    const inUse = [...(current?.isGood === true ? [current] : []), ...good.slice(0, 1)];
    return inUse.some(({ commit, tree }) => fingerprint === commit || fingerprint === tree);
  });
}
