import type { EventSpec } from './event.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { type IncidentAnswer, isOpen } from './model/incident.ts';
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

export function answerIncident({ memory, actor }: Situation, id: string, answer: IncidentAnswer): EventSpec[] {
  const incident = openIncident(memory, id);
  if (incident.phase.kind !== 'asking') {
    const message = `${id} asks nothing: it is ${incident.phase.kind}. \`revertd incidents abort ${id}\` ends it`;
    throw new CommandError('refused', message);
  }
  const answered: EventSpec = { type: 'incident.answered', incident: id, answer, actor };
  if (answer !== 'done' || incident.phase.about.kind !== 'verifying') return [answered];
  const reason = `${actor} says that it is resolved`;
  return [answered, { type: 'incident.closed', incident: id, outcome: 'resolved', reason }];
}

export function abortIncident({ memory, actor }: Situation, id: string, reason: string | undefined): EventSpec[] {
  const incident = openIncident(memory, id);
  const why = `${actor} aborted it${reason === undefined ? '' : `: ${reason}`}; its latches stay until they are lifted`;
  return [{ type: 'incident.closed', incident: incident.id, outcome: 'aborted', reason: why }];
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

function openIncident(memory: Memory, id: string) {
  const incident = memory.incidents[id];
  if (incident === undefined || !isOpen(incident)) {
    const open = Object.values(memory.incidents)
      .filter(isOpen)
      .map((one) => one.id);
    throw notFound('open incident', id, open, 'revertd incidents list');
  }
  return incident;
}

function notFound(what: string, name: string, known: readonly string[], command: string): CommandError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  const all = known.length === 0 ? 'there is none' : `there are ${known.slice(0, 10).join(', ')}`;
  return new CommandError('notFound', `there is no ${what} ${name}; ${all} (\`${command}\`).${hint}`);
}
