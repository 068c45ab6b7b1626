import type { EventSpec } from './event.ts';
import { brakeOf } from './incidents/brakes.ts';
import { firstRung } from './incidents/first-rung.ts';
import { workingOn } from './incidents/open-incidents.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { type Incident, type IncidentAnswer, isOpen } from './model/incident.ts';
import { nearestName } from './nearest-name.ts';
import { asText } from './places/flag-places.ts';
import { formatDuration, type Millis } from './units.ts';

/** What a person asked for and why it cannot be; `notFound` names something that is not there. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: 'notFound' | 'refused' | 'invalid';

  constructor(code: CommandError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export type Situation = {
  readonly desired: Desired | null;
  readonly memory: Memory;
  readonly now: Millis;
  readonly actor: string;
};

/** Lifts a hold, whatever it waits for: the operator outranks the daemon. */
export function liftHold({ memory, desired, actor }: Situation, id: string, reason: string | undefined): EventSpec[] {
  const hold = memory.holds[id];
  if (hold === undefined) throw notFound('hold', id, Object.keys(memory.holds), 'revertd holds list');
  const why = `${actor}${reason === undefined ? '' : `: ${reason}`}`;
  const lifted: EventSpec = { type: 'hold.lifted', id, object: hold.object, reason: why };
  if (hold.kind !== 'adoption') return [lifted];
  const place = desired?.flags[hold.flag];
  return place === undefined
    ? [lifted]
    : [lifted, { type: 'place.adopted', place: hold.place, flag: hold.flag, live: asText(hold.live) }];
}

/** Lets git's value in for one object (`Flag/NAME`), or for all that wait. */
export function adopt(situation: Situation, object: string | undefined): EventSpec[] {
  const waiting = Object.values(situation.memory.holds).filter(
    (hold) => hold.kind === 'adoption' || hold.kind === 'targetAdoption',
  );
  const chosen = waiting.filter((hold) => object === undefined || hold.object === object);
  if (chosen.length === 0 && object !== undefined) {
    throw notFound(
      'object waiting for adoption',
      object,
      waiting.map((hold) => hold.object),
      'revertd holds list',
    );
  }
  return chosen.flatMap((hold) => liftHold(situation, hold.id, 'adopted'));
}

/** While people mend, `next` rolls back at once, also against a brake, which is then reported; `done` ends it. */
export function answerIncident(situation: Situation, id: string, answer: IncidentAnswer): EventSpec[] {
  const { memory, actor } = situation;
  const incident = openIncident(memory, id);
  const answered: EventSpec = { type: 'incident.answered', incident: id, answer, actor };
  if (incident.phase.kind === 'fixing-forward') return [answered, ...answerMending(situation, incident, answer)];
  if (incident.phase.kind !== 'asking') {
    const message = `${id} asks nothing: it is ${incident.phase.kind}. \`revertd incidents abort ${id}\` ends it`;
    throw new CommandError('refused', message);
  }
  if (answer !== 'done' || incident.phase.about.kind === 'executing') return [answered];
  return [answered, resolvedBy(incident, actor)];
}

function answerMending(situation: Situation, incident: Incident, answer: IncidentAnswer): EventSpec[] {
  const { memory, now, actor } = situation;
  switch (answer) {
    case 'done':
      return [resolvedBy(incident, actor)];
    case 'retry':
      throw new CommandError('refused', `${incident.id} waits to be mended: there is nothing to retry; next or done`);
    case 'next': {
      const reason = `${actor} does not wait for it to be mended`;
      refuseBeside(memory, incident.conflictSet);
      const brake = brakeOf(incident.policy, incident.conflictSet, memory, now);
      const overridden: EventSpec[] =
        brake === null ? [] : [{ type: 'brake.overridden', policy: incident.policy.name, brake, actor, reason }];
      return [...overridden, { type: 'fixForward.ended', incident: incident.id, rung: firstRung(incident), reason }];
    }
  }
}

/** Of ladders that touch the same things only one is walked, whoever says so. @throws CommandError */
export function refuseBeside(memory: Memory, touched: readonly string[]): void {
  const other = workingOn(memory.incidents, touched);
  if (other === undefined) return;
  const message = `${other.id} (${other.policy.name}) works on the same things; wait for it, or end it: \`revertd incidents abort ${other.id}\``;
  throw new CommandError('refused', message);
}

function resolvedBy(incident: Incident, actor: string): EventSpec {
  const reason = `${actor} says that it is resolved`;
  return { type: 'incident.closed', incident: incident.id, outcome: 'resolved', reason, byHand: true };
}

export function abortIncident({ memory, actor }: Situation, id: string, reason: string | undefined): EventSpec[] {
  const incident = openIncident(memory, id);
  const why = `${actor} aborted it${reason === undefined ? '' : `: ${reason}`}; its latches stay until they are lifted`;
  return [{ type: 'incident.closed', incident: incident.id, outcome: 'aborted', reason: why, byHand: true }];
}

export type OverrideRequest = {
  readonly flag: string;
  readonly variant: string;
  readonly ttlMs: Millis | null;
  readonly reason: string;
  /** Releases the latches of a rollback, which otherwise win. */
  readonly force: boolean;
};

export function overrideFlag({ desired, memory, now, actor }: Situation, request: OverrideRequest): EventSpec[] {
  const flags = desired?.flags ?? {};
  const flag = flags[request.flag];
  if (flag === undefined) throw notFound('flag', request.flag, Object.keys(flags), 'revertd flags list');
  if (!Object.hasOwn(flag.variants, request.variant)) {
    throw notFound(`variant of ${flag.name}`, request.variant, Object.keys(flag.variants), 'revertd flags get');
  }
  const latches = Object.values(memory.holds).filter((hold) => hold.kind === 'latch' && hold.flag === flag.name);
  if (latches.length > 0 && !request.force) {
    const names = latches.map((hold) => hold.id).join(', ');
    const message = `a rollback holds ${flag.name} (${names}) and wins over an override; --force releases it`;
    throw new CommandError('refused', message);
  }
  const released: EventSpec[] = latches.map((hold) => ({
    type: 'hold.lifted',
    id: hold.id,
    object: hold.object,
    reason: `${actor} forced an override: ${request.reason}`,
  }));
  const life = request.ttlMs === null ? 'until it is lifted' : `for ${formatDuration(request.ttlMs)}`;
  return [
    ...released,
    {
      type: 'hold.placed',
      hold: {
        kind: 'override',
        id: `override:${flag.name}`,
        object: `Flag/${flag.name}`,
        since: now,
        cause: `${actor} ${life}: ${request.reason}`,
        flag: flag.name,
        variant: request.variant,
        actor,
        expiresAt: request.ttlMs === null ? null : now + request.ttlMs,
      },
    },
  ];
}

export function openIncident(memory: Memory, id: string): Incident {
  const incident = memory.incidents[id];
  if (incident === undefined || !isOpen(incident)) {
    const open = Object.values(memory.incidents)
      .filter(isOpen)
      .map((one) => one.id);
    throw notFound('open incident', id, open, 'revertd incidents list');
  }
  return incident;
}

export function notFound(what: string, name: string, known: readonly string[], command: string): CommandError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  const all = known.length === 0 ? 'there is none' : `there are ${known.slice(0, 10).join(', ')}`;
  return new CommandError('notFound', `there is no ${what} ${name}; ${all} (\`${command}\`).${hint}`);
}
