import type { Flag } from '../../../src/core/model/flag.ts';
import type { Hold } from '../../../src/core/model/hold.ts';
import type { Invariant } from './invariant.ts';

/** Git and a rollback do not fight: whatever is written is what the order of precedence says. */
export const EFFECTIVE_VALUE: Invariant = {
  name: 'effective-value',
  statement: 'effective flag = latch ?? override ?? git; a first sight is held until a person adopts it.',
  per: 'transition',
  violation: ({ plan, desired }) => {
    for (const { action } of plan.operations) {
      if (action.kind !== 'deliver') continue;
      for (const { flag: name, after, place } of action.changes) {
        const flag = desired.flags[name];
        const expected = flag === undefined ? undefined : asWritten(flag.variants[variantOf(flag, plan.memory.holds)]);
        if (expected !== after) return `${place} is set to ${JSON.stringify(after)} instead of ${expected}`;
        if (`adoption:${place}` in plan.memory.holds) return `${place} is written, although it waits for adoption`;
      }
    }
    return null;
  },
};

function variantOf(flag: Flag, holds: Readonly<Record<string, Hold>>): string {
  const own = Object.values(holds).flatMap((hold) =>
    (hold.kind === 'latch' || hold.kind === 'override') && hold.flag === flag.name && hold.variant in flag.variants
      ? [hold]
      : [],
  );
  const latches = own.filter(({ kind }) => kind === 'latch').sort((a, b) => b.since - a.since);
  const [first] = [...latches, ...own.filter(({ kind }) => kind === 'override')];
  return first?.variant ?? (flag.state === 'ENABLED' ? flag.defaultVariant : (flag.safeVariant ?? flag.defaultVariant));
}

function asWritten(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
