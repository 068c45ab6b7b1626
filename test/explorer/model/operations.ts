import { fingerprint } from '../../../src/core/fingerprint.ts';
import type { DeliverAction } from '../../../src/core/model/action.ts';
import { documentKey } from '../../../src/core/model/flag.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { Step } from '../../../src/core/model/step.ts';
import type { Millis } from '../../../src/core/units.ts';
import { aSnapshot } from '../../support/policies.ts';
import type { Checkout } from './small-world.ts';
import type { Host } from './state.ts';

/** The host after an operation took effect. Only a write or a move changes something that revertd looks at. */
export function withEffect(host: Host, operation: Operation | null): Host {
  switch (operation?.action.kind) {
    case 'deliver':
      return withWrite(host, operation.action);
    case 'restore': {
      const { target, to, paths } = operation.action;
      return paths.length > 0 ? host : withCheckout(host, target.name, { head: to });
    }
    default:
      return host;
  }
}

export function withCheckout(host: Host, target: string, change: Partial<Checkout>): Host {
  const before = host.checkouts[target];
  return before === undefined
    ? host
    : { ...host, checkouts: { ...host.checkouts, [target]: { ...before, ...change } } };
}

function withWrite(host: Host, { document, changes }: DeliverAction): Host {
  const key = documentKey(document);
  const values: Record<string, string> = { ...host.files[key] };
  for (const { entry, after } of changes) values[entry] = typeof after === 'string' ? after : JSON.stringify(after);
  return { ...host, files: { ...host.files, [key]: values } };
}

/** What a capture stored. */
export function snapshotsOf({ action }: Operation, now: Millis): { readonly snapshots?: readonly Snapshot[] } {
  return action.kind === 'capture' ? { snapshots: action.targets.map(({ name }) => aSnapshot(name, now)) } : {};
}

/** Of the content that a write left, or that a checkout arrived at; null for anything else. */
export function digestOf({ action }: Operation, host: Host): string | null {
  if (action.kind === 'restore') return action.snapshot === undefined ? action.to : null;
  if (action.kind !== 'deliver') return null;
  const entries = Object.entries(host.files[documentKey(action.document)] ?? {});
  return fingerprint(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a new life finds out about an operation of the old one, as `recoverOperation` and the drivers do. */
export function recoveryOf(
  { action, state }: Operation,
  host: Host,
  begun: { readonly effect: boolean } | null,
): 'done' | 'failed' | 'notDone' | 'unknown' {
  switch (action.kind) {
    case 'deliver': {
      if (host.hidden) return 'unknown';
      const values = host.files[documentKey(action.document)] ?? {};
      return action.changes.every(({ entry, after }) => values[entry] === after) ? 'done' : 'notDone';
    }
    case 'takeUp':
    case 'activate':
    case 'step':
      return begun === null ? 'notDone' : stepRecovery(action.step, begun.effect);
    case 'restore':
      return begun?.effect === true ? 'done' : 'notDone';
    case 'capture':
      return state === 'planned' ? 'notDone' : 'failed';
    case 'keep':
    case 'rehearse':
    case 'validate':
    case 'copy':
    case 'collect':
    case 'notify':
    case 'report':
      return 'notDone';
  }
}

/** Steps that may be repeated, or must not, have no trace that could be looked for; every other driver sees its own. */
function stepRecovery(step: Step, effect: boolean): 'done' | 'notDone' | 'unknown' {
  if ('repeatable' in step) return step.repeatable ? 'notDone' : 'unknown';
  return effect ? 'done' : 'notDone';
}
