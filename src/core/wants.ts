import { triggersInForce } from './effective-policies.ts';
import { intactChecks } from './incidents/intact.ts';
import { judgedChecks } from './incidents/judged-checks.ts';
import type { Memory } from './memory.ts';
import type { Check } from './model/check.ts';
import type { Desired } from './model/desired.ts';
import { type DocumentKey, type DocumentRef, documentKey } from './model/flag.ts';
import type { Incident, VerifyingPhase } from './model/incident.ts';
import type { Measure } from './model/measure.ts';
import type { Target } from './model/target.ts';
import type { Trigger, TriggerKey } from './model/trigger.ts';
import { capturedUntil } from './targets/restore-age.ts';
import type { Millis } from './units.ts';

/** What `decide` needs to have seen. Observing more is harmless; observing less holds things up, and nothing else. */
export type Wants = {
  readonly triggers: ReadonlyMap<TriggerKey, Trigger>;
  readonly documents: readonly WantedDocument[];
  readonly checks: readonly WantedCheck[];
  readonly targets: readonly Target[];
  readonly measures: readonly WantedMeasure[];
};

/** A sight from before `freshAfter` is of no use. */
export type WantedDocument = {
  readonly key: DocumentKey;
  readonly document: DocumentRef;
  readonly entries: readonly string[];
  readonly freshAfter: Millis;
};

export type WantedCheck = { readonly check: Check; readonly freshAfter: Millis };
export type WantedMeasure = {
  readonly measure: Measure;
  readonly freshAfter: Millis;
  /** What `:point` stands for in it; null where nothing was captured that could be put back. */
  readonly pointAt: Millis | null;
};

export function wantsOf(desired: Desired, memory: Memory, now: Millis): Wants {
  return {
    triggers: triggersInForce(desired, memory),
    documents: wantedDocuments(desired, memory),
    checks: wantedChecks(desired, memory, now),
    targets: Object.values(desired.targets),
    measures: wantedMeasures(memory),
  };
}

function wantedDocuments(desired: Desired, memory: Memory): WantedDocument[] {
  const wanted = new Map<DocumentKey, WantedDocument>();
  const steppingSince = Math.max(Number.NEGATIVE_INFINITY, ...setFlagStarts(memory));
  for (const flag of Object.values(desired.flags)) {
    for (const { document, entry } of flag.deliver) {
      const key = documentKey(document);
      const known = wanted.get(key);
      const freshAfter = Math.max(memory.documents[key]?.writtenAt ?? Number.NEGATIVE_INFINITY, steppingSince);
      wanted.set(key, { key, document, entries: [...(known?.entries ?? []), entry], freshAfter });
    }
  }
  return [...wanted.values()];
}

function setFlagStarts(memory: Memory): Millis[] {
  return Object.values(memory.incidents).flatMap(({ phase, policy }) => {
    if (phase.kind !== 'executing' || phase.startedAt === null) return [];
    return policy.ladder[phase.rung]?.[phase.part][phase.step]?.kind === 'setFlag' ? [phase.startedAt] : [];
  });
}

function wantedChecks(desired: Desired, memory: Memory, now: Millis): WantedCheck[] {
  return Object.values(memory.incidents).flatMap((incident) => {
    const { phase } = incident;
    switch (phase.kind) {
      case 'entering':
        return since(incident.policy.ladder[phase.rung]?.when, phase.since);
      case 'awaiting-approval':
        return since(incident.policy.ladder[phase.rung]?.approval?.override?.when, phase.since);
      case 'executing': {
        const step = incident.policy.ladder[phase.rung]?.[phase.part][phase.step];
        if (phase.startedAt === null) return since(step?.when, phase.since);
        if (step?.kind !== 'restore' || phase.checkingSince === undefined) return [];
        return since(intactChecks({ desired }, step), phase.checkingSince);
      }
      case 'verifying':
        return verifyingChecks(incident, phase, now);
      case 'asking':
        return phase.about.kind === 'verifying' ? verifyingChecks(incident, phase.about, now) : [];
      case 'fixing-forward':
      case 'closed':
        return [];
    }
  });
}

function verifyingChecks(incident: Incident, phase: VerifyingPhase, now: Millis): WantedCheck[] {
  return now < phase.settleAt
    ? []
    : since(
        judgedChecks(incident, phase.rung).map(({ check }) => check),
        phase.settleAt,
      );
}

function since(checks: readonly Check[] | undefined, freshAfter: Millis): WantedCheck[] {
  return (checks ?? []).map((check) => ({ check, freshAfter }));
}

/** What would be lost is counted for as long as people are asked. */
function wantedMeasures(memory: Memory): WantedMeasure[] {
  return Object.values(memory.incidents).flatMap((incident): WantedMeasure[] => {
    const { phase, policy } = incident;
    if (phase.kind !== 'awaiting-approval') return [];
    const rung = policy.ladder[phase.rung];
    return (rung?.dataLoss?.counts ?? []).map(({ measure }) => {
      const target = measure.kind === 'sql' ? measure.point : undefined;
      const pointAt = target === undefined ? null : capturedUntil(memory, incident, rung, target);
      return { measure, freshAfter: phase.since, pointAt };
    });
  });
}
