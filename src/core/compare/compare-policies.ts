import type { PolicySet } from '../model/desired.ts';
import type { Origin } from '../model/origin.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { type Field, fieldsOf } from './fields.ts';

/** What one object of the policies became from one revision to another. */
export type ObjectChange = {
  /** `Flag/NAME`, or a part of a policy: `RollbackPolicy/NAME trigger TRIGGER`, `RollbackPolicy/NAME rung RUNG`. */
  readonly object: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** In the newer revision, or in the older one for what is removed. */
  readonly origin: Origin;
  readonly fields: readonly FieldChange[];
};

/** `before` is absent for what is new, `after` for what is gone. */
export type FieldChange = {
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
  readonly origin: Origin;
};

type Part = { readonly value: object; readonly origin: Origin };

/**
 * What differs between two sets of policies: kinds in a fixed order, names in the alphabet's, parts of a policy as they
 * stand. What only moved to another line or file is no difference.
 */
export function comparePolicies(before: PolicySet, after: PolicySet): ObjectChange[] {
  const [older, newer] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...newer.keys(), ...older.keys()])].sort(
    (a, b) => rank(a) - rank(b) || compareTexts(a, b),
  );
  return names.flatMap((object) => {
    const change = compareParts(object, older.get(object), newer.get(object));
    return change === null ? [] : [change];
  });
}

const KINDS = ['RollbackPolicy', 'Flag', 'Target', 'PointPolicy', 'MetricSource', 'Notifier', 'Window', 'Drill'];

function rank(object: string): number {
  return KINDS.findIndex((kind) => object.startsWith(`${kind}/`));
}

/** The same order on every host, whatever its language. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function partsOf(set: PolicySet): Map<string, Part> {
  const parts = new Map<string, Part>();
  const add = (object: string, value: object, origin: Origin): void => void parts.set(object, { value, origin });
  for (const flag of Object.values(set.flags)) add(`Flag/${flag.name}`, flag, flag.origin);
  for (const target of Object.values(set.targets)) add(`Target/${target.name}`, target, target.origin);
  for (const source of Object.values(set.metricSources)) add(`MetricSource/${source.name}`, source, source.origin);
  for (const notifier of Object.values(set.notifiers)) add(`Notifier/${notifier.name}`, notifier, notifier.origin);
  for (const policy of Object.values(set.pointPolicies ?? {})) {
    add(`PointPolicy/${policy.name}`, policy, policy.origin);
  }
  for (const window of Object.values(set.windows ?? {})) add(`Window/${window.name}`, window, window.origin);
  for (const drill of Object.values(set.drills ?? {})) add(`Drill/${drill.name}`, drill, drill.origin);
  for (const policy of Object.values(set.policies)) {
    const object = `RollbackPolicy/${policy.name}`;
    add(object, headOf(policy), policy.origin);
    for (const trigger of policy.triggers) add(`${object} trigger ${trigger.name}`, trigger, trigger.origin);
    for (const rung of policy.ladder) add(`${object} rung ${rung.name}`, rung, rung.origin);
  }
  return parts;
}

/** Triggers and rungs are parts of their own; of the ladder its order remains. */
function headOf({ triggers: _triggers, ladder, ...head }: RollbackPolicy): object {
  return { ...head, ladder: ladder.map((rung) => rung.name).join(' → ') };
}

function compareParts(object: string, before: Part | undefined, after: Part | undefined): ObjectChange | null {
  const shown = after ?? before;
  if (shown === undefined) return null;
  const fields = compareFields(before, after);
  if (before !== undefined && after !== undefined && fields.length === 0) return null;
  const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { object, kind, origin: shown.origin, fields };
}

function compareFields(before: Part | undefined, after: Part | undefined): FieldChange[] {
  const older: ReadonlyMap<string, Field> =
    before === undefined ? new Map<string, Field>() : fieldsOf(before.value, before.origin);
  const newer: ReadonlyMap<string, Field> =
    after === undefined ? new Map<string, Field>() : fieldsOf(after.value, after.origin);
  return [...new Set([...newer.keys(), ...older.keys()])].flatMap((field) => {
    const [was, is] = [older.get(field), newer.get(field)];
    const origin = (is ?? was)?.origin;
    if (origin === undefined || was?.text === is?.text) return [];
    return [
      {
        field,
        ...(was === undefined ? {} : { before: was.text }),
        ...(is === undefined ? {} : { after: is.text }),
        origin: is === undefined && after !== undefined ? after.origin : origin,
      },
    ];
  });
}
