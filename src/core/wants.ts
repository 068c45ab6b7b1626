import { triggersInForce } from './effective-policies.ts';
import type { Memory } from './memory.ts';
import type { Check } from './model/check.ts';
import type { Desired } from './model/desired.ts';
import { type DocumentKey, type DocumentRef, documentKey } from './model/flag.ts';
import { isOpen, type VerifyingPhase } from './model/incident.ts';
import type { Target } from './model/target.ts';
import type { Trigger, TriggerKey } from './model/trigger.ts';
import type { Millis } from './units.ts';

/** What `decide` needs to have seen. Observing more is harmless; observing less holds things up, and nothing else. */
export type Wants = {
  readonly triggers: ReadonlyMap<TriggerKey, Trigger>;
  readonly documents: readonly WantedDocument[];
  readonly checks: readonly WantedCheck[];
  readonly targets: readonly Target[];
};

/** A sight from before `freshAfter` is of no use. */
export type WantedDocument = {
  readonly key: DocumentKey;
  readonly document: DocumentRef;
  readonly entries: readonly string[];
  readonly freshAfter: Millis;
};

export type WantedCheck = { readonly check: Check; readonly freshAfter: Millis };

export function wantsOf(desired: Desired, memory: Memory, now: Millis): Wants {
  return {
    triggers: triggersInForce(desired, memory),
    documents: wantedDocuments(desired, memory),
    checks: wantedChecks(memory, now),
    targets: Object.values(desired.targets),
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

function wantedChecks(memory: Memory, now: Millis): WantedCheck[] {
  return Object.values(memory.incidents).flatMap((incident) => {
    if (!isOpen(incident)) return [];
    const phase = verifyingPhase(incident.phase);
    if (phase === null || now < phase.settleAt) return [];
    const checks = incident.policy.ladder[phase.rung]?.verify.checks ?? [];
    return checks.map((check) => ({ check, freshAfter: phase.settleAt }));
  });
}

function verifyingPhase(phase: Memory['incidents'][string]['phase']): VerifyingPhase | null {
  if (phase.kind === 'verifying') return phase;
  return phase.kind === 'asking' && phase.about.kind === 'verifying' ? phase.about : null;
}
