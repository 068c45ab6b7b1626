import { latchBlockers, overrideBlocker } from '../holds/release-holds.ts';
import type { LatchOrOverride } from '../model/hold.ts';
import { windowedPlaces } from '../places/deliveries.ts';
import { revisionToDeploy } from '../targets/moves.ts';
import type { Turn } from '../turn.ts';
import { type Blocking, blockedDeployment, blockingWindow, effectiveWithout } from './blocking-window.ts';

type Withheld = Blocking & { readonly variant: string };

/** Notes what windows keep waiting, each refusal once: flags that would leave their safe variant, new revisions of targets. */
export function settleWindows(turn: Turn): void {
  settleFlags(turn);
  settleDeployments(turn);
}

function settleDeployments(turn: Turn): void {
  for (const target of Object.values(turn.desired.targets)) {
    const { name } = target;
    const before = turn.memory.targets[name]?.withheld ?? null;
    const to = revisionToDeploy(turn, target);
    const blocking = to === null ? null : blockedDeployment(turn, target);
    if (to === null || blocking === null) {
      if (before !== null) turn.emit({ type: 'target.allowed', target: name });
    } else if (before?.window !== blocking.window || before.commit !== to.commit) {
      turn.emit({ type: 'target.withheld', target: name, commit: to.commit, ...blocking });
    }
  }
}

function settleFlags(turn: Turn): void {
  const withheld = withheldFlags(turn);
  for (const [flag, { window, variant, until }] of withheld) {
    const before = turn.memory.windowed[flag];
    if (before?.window === window && before.variant === variant) continue;
    turn.emit({ type: 'window.withheld', flag, window, variant, until });
  }
  for (const flag of Object.keys(turn.memory.windowed)) {
    if (!withheld.has(flag)) turn.emit({ type: 'window.passed', flag });
  }
}

function withheldFlags(turn: Turn): Map<string, Withheld> {
  const withheld = new Map<string, Withheld>();
  if (Object.keys(turn.desired.windows ?? {}).length === 0) return withheld;
  for (const { flag, effective, blocking } of windowedPlaces(turn)) {
    withheld.set(flag.name, { ...blocking, variant: effective.variant });
  }
  for (const hold of Object.values(turn.memory.holds)) {
    if ((hold.kind !== 'latch' && hold.kind !== 'override') || !waitsForWindowOnly(turn, hold)) continue;
    const flag = turn.desired.flags[hold.flag];
    if (flag === undefined) continue;
    const without = effectiveWithout(turn, flag, hold.id);
    const { variant } = without;
    const blocking = blockingWindow(turn, flag, without);
    if (blocking !== null) withheld.set(flag.name, { ...blocking, variant });
  }
  return withheld;
}

function waitsForWindowOnly(turn: Turn, hold: LatchOrOverride): boolean {
  if (hold.kind === 'override') return overrideBlocker(turn, hold) !== null;
  return latchBlockers({ ...turn, desired: { ...turn.desired, windows: {} } }, hold).length === 0;
}
