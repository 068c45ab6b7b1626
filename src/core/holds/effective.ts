import type { Memory } from '../memory.ts';
import type { Flag } from '../model/flag.ts';
import type { LatchOrOverride } from '../model/hold.ts';

/** What a flag is, and the hold that makes it so; null where it is git's own value. */
export type EffectiveFlag = {
  readonly variant: string;
  readonly because: LatchOrOverride | null;
  /** False while git's targeting may give other variants to those who ask: the variant is only the default then. */
  readonly forEverybody: boolean;
};

/** latch ?? override ?? git. Of several latches the newest counts. */
export function effectiveFlag(flag: Flag, holds: Memory['holds']): EffectiveFlag {
  const because = newestOf(flag, holds, 'latch') ?? newestOf(flag, holds, 'override') ?? null;
  const forEverybody = because !== null || flag.targeting === undefined || flag.state === 'DISABLED';
  return { variant: because?.variant ?? gitVariant(flag), because, forEverybody };
}

/** A disabled flag shows its safe variant where it is written to a place; applications that ask get no value. */
export function gitVariant(flag: Flag): string {
  return flag.state === 'ENABLED' ? flag.defaultVariant : (flag.safeVariant ?? flag.defaultVariant);
}

function newestOf(flag: Flag, holds: Memory['holds'], kind: LatchOrOverride['kind']): LatchOrOverride | undefined {
  let newest: LatchOrOverride | undefined;
  for (const hold of Object.values(holds)) {
    if ((hold.kind !== 'latch' && hold.kind !== 'override') || hold.kind !== kind || hold.flag !== flag.name) continue;
    // A variant that git no longer has cannot be shown; such a hold stays visible and waits.
    if (!Object.hasOwn(flag.variants, hold.variant)) continue;
    const later = newest === undefined || hold.since > newest.since;
    if (later || (hold.since === newest?.since && hold.id > newest.id)) newest = hold;
  }
  return newest;
}
