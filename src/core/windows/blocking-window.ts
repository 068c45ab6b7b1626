import { type EffectiveFlag, effectiveFlag } from '../holds/effective.ts';
import type { Flag } from '../model/flag.ts';
import type { Target } from '../model/target.ts';
import type { Window } from '../model/window.ts';
import type { Span } from '../observed.ts';
import type { Turn } from '../turn.ts';
import { formatInstant, type Millis } from '../units.ts';

/** The window for which a change has to wait, and when that is over; null where nobody knows. */
export type Blocking = { readonly window: string; readonly until: Millis | null };

type Seen = Pick<Turn, 'desired' | 'now'> & { readonly observed: Pick<Turn['observed'], 'windows'> };

/**
 * Whether a window keeps the flag from becoming this variant now: never the safe one. A window whose times are not
 * known keeps it too, for to refuse is better than to guess.
 */
export function blockingWindow(
  turn: Seen,
  flag: Flag,
  { variant, forEverybody }: Pick<EffectiveFlag, 'variant' | 'forEverybody'>,
): Blocking | null {
  return forEverybody && variant === flag.safeVariant ? null : windowOver(turn, ({ flags }) => isFor(flags, flag.name));
}

/** Whether a window keeps the target from a new revision of what it tracks. A restore and a repair it never keeps. */
export function blockedDeployment(turn: Seen, { name }: Pick<Target, 'name'>): Blocking | null {
  return windowOver(turn, ({ targets }) => isFor(targets, name));
}

function windowOver(turn: Seen, isMeant: (window: Window) => boolean): Blocking | null {
  const windows = Object.values(turn.desired.windows ?? {}).filter((window) => !window.suspend && isMeant(window));
  for (const window of windows.filter(({ type }) => type === 'deny')) {
    const spans = turn.observed.windows?.[window.name];
    const span = spans?.find((one) => contains(one, turn.now));
    if (spans === undefined || span !== undefined) return { window: window.name, until: span?.to ?? null };
  }
  return outsideOfAll(
    turn,
    windows.filter(({ type }) => type === 'allow'),
  );
}

function outsideOfAll(turn: Seen, windows: readonly Window[]): Blocking | null {
  const [first] = windows;
  if (first === undefined) return null;
  const spans = windows.flatMap(({ name }) => turn.observed.windows?.[name] ?? []);
  if (spans.some((span) => contains(span, turn.now))) return null;
  const next = Math.min(...spans.map(({ from }) => from).filter((from) => from > turn.now));
  return { window: first.name, until: Number.isFinite(next) ? next : null };
}

function isFor(names: readonly string[] | null, name: string): boolean {
  return names === null || names.includes(name);
}

function contains({ from, to }: Span, now: Millis): boolean {
  return from <= now && now < to;
}

/** What the flag would be without this hold. */
export function effectiveWithout(turn: Pick<Turn, 'memory'>, flag: Flag, hold: string): EffectiveFlag {
  const { [hold]: _gone, ...others } = turn.memory.holds;
  return effectiveFlag(flag, others);
}

export function describeBlocking({ window, until }: Blocking): string {
  return `Window/${window}${until === null ? '' : ` until ${formatInstant(until)}`}`;
}
