import { fingerprint } from '../../../src/core/fingerprint.ts';
import { documentKey } from '../../../src/core/model/flag.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { Step } from '../../../src/core/model/step.ts';
import type { Host } from './state.ts';

/** The host after an operation took effect. Only a write changes something that revertd looks at. */
export function withEffect(host: Host, operation: Operation | null): Host {
  if (operation?.action.kind !== 'deliver') return host;
  const { document, changes } = operation.action;
  const key = documentKey(document);
  const values: Record<string, string> = { ...host.files[key] };
  for (const { entry, after } of changes) values[entry] = typeof after === 'string' ? after : JSON.stringify(after);
  return { ...host, files: { ...host.files, [key]: values } };
}

/** Of the content that a write left; null for anything else. */
export function digestOf({ action }: Operation, host: Host): string | null {
  if (action.kind !== 'deliver') return null;
  return fingerprint(Object.entries(host.files[documentKey(action.document)] ?? {}).sort());
}

/** What a new life finds out about an operation of the old one, as `recoverOperation` and the drivers do. */
export function recoveryOf(
  { action }: Operation,
  host: Host,
  begun: { readonly effect: boolean } | null,
): 'done' | 'notDone' | 'unknown' {
  switch (action.kind) {
    case 'deliver': {
      if (host.hidden) return 'unknown';
      const values = host.files[documentKey(action.document)] ?? {};
      return action.changes.every(({ entry, after }) => values[entry] === after) ? 'done' : 'notDone';
    }
    case 'takeUp':
    case 'step':
      return begun === null ? 'notDone' : stepRecovery(action.step, begun.effect);
    case 'notify':
    case 'report':
      return 'notDone';
  }
}

function stepRecovery(step: Step, effect: boolean): 'done' | 'notDone' | 'unknown' {
  switch (step.kind) {
    case 'service':
      // systemd tells one start of a unit from the next.
      return effect ? 'done' : 'notDone';
    case 'run':
    case 'http':
      return step.repeatable ? 'notDone' : 'unknown';
    case 'setFlag':
      return 'notDone';
  }
}
