import { type Incident, isOpen, toldOf } from '../model/incident.ts';
import type { Outlook } from '../plan/plan.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { hearersOf } from './announce.ts';

/** A receiver of alerts that hears nothing for some minutes takes the alert for over. */
export const REALERT_EVERY_MS: Millis = 120_000;

/**
 * What time alone has people told of an open incident: levels of escalation and updates, counted from its opening.
 * Neither a halt nor a suspended policy stops them, and no answer does: only the incident's end. A level whose time
 * passed while nobody decided is told late, and once; of several updates that were missed only the last is told.
 */
export function tellByTime(turn: Turn): void {
  for (const incident of Object.values(turn.memory.incidents)) {
    if (!isOpen(incident)) continue;
    escalate(turn, incident);
    update(turn, incident);
    realert(turn, incident);
  }
}

function escalate(turn: Turn, incident: Incident): void {
  const told = toldOf(incident);
  const levels = incident.policy.escalate ?? [];
  for (const [index, { afterMs, notify }] of levels.entries()) {
    if (index < told.levels) continue;
    if (turn.now - told.since < afterMs) return;
    turn.emit({ type: 'incident.escalated', incident: incident.id, level: index + 1, afterMs, notify });
  }
}

function update(turn: Turn, incident: Incident): void {
  const { updates } = incident.policy;
  if (updates === undefined) return;
  const told = toldOf(incident);
  const number = Math.floor((turn.now - told.since) / updates.everyMs);
  if (number > told.updates) turn.emit({ type: 'incident.updated', incident: incident.id, number });
}

function realert(turn: Turn, incident: Incident): void {
  if (turn.now - toldOf(incident).alertedAt < REALERT_EVERY_MS) return;
  const notify = alertReceivers(turn, incident);
  if (notify.length > 0) turn.emit({ type: 'incident.realerted', incident: incident.id, notify });
}

function alertReceivers(turn: Pick<Turn, 'desired'>, incident: Incident): string[] {
  const hearers = hearersOf(incident);
  return Object.values(turn.desired.notifiers)
    .filter(({ type, suspend, on }) => type.kind === 'alertmanager' && !suspend && on.includes('opened'))
    .map(({ name }) => name)
    .filter((name) => hearers.includes(name));
}

/** When the next of these is due, for each open incident. */
export function tellingInstants(turn: Pick<Turn, 'desired' | 'memory' | 'now'>): Millis[] {
  return Object.values(turn.memory.incidents).flatMap((incident) => {
    if (!isOpen(incident)) return [];
    const { policy } = incident;
    const told = toldOf(incident);
    const level = policy.escalate?.[told.levels];
    return [
      ...(level === undefined ? [] : [told.since + level.afterMs]),
      ...(policy.updates === undefined ? [] : [told.since + (told.updates + 1) * policy.updates.everyMs]),
      ...(alertReceivers(turn, incident).length === 0 ? [] : [told.alertedAt + REALERT_EVERY_MS]),
    ];
  });
}

/** The next level and the next update of each open incident, for people who ask what would follow. */
export function tellingOutlook(turn: Pick<Turn, 'memory' | 'now'>): Outlook[] {
  return Object.values(turn.memory.incidents).flatMap((incident) => {
    if (!isOpen(incident)) return [];
    const { policy, id } = incident;
    const told = toldOf(incident);
    const level = policy.escalate?.[told.levels];
    const base = { object: `Incident/${id}`, on: 'it is still open', next: [], origin: policy.origin };
    const inMs = (at: Millis): Millis => Math.max(0, at - turn.now);
    return [
      ...(level === undefined
        ? []
        : [
            {
              ...base,
              afterMs: inMs(told.since + level.afterMs),
              what: `level ${told.levels + 1} is told: ${level.notify.join(', ')}`,
            },
          ]),
      ...(policy.updates === undefined
        ? []
        : [
            {
              ...base,
              afterMs: inMs(told.since + (told.updates + 1) * policy.updates.everyMs),
              what: 'people are told how it stands',
            },
          ]),
    ];
  });
}
