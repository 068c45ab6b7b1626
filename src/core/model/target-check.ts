import { formatDuration, type Millis } from '../units.ts';

/** What is known of a Target: revertd itself remembers when it changed, and the target says what makes it intact. */
export type TargetCheckSpec = {
  readonly kind: 'target';
  readonly target: string;
  readonly is: TargetCondition;
  readonly timeoutMs: Millis;
};

/** `intact`: all checks of the target's own list are true. `changedSince`: it shows another state than so long ago. */
export type TargetCondition = { readonly kind: 'intact' } | { readonly kind: 'changedSince'; readonly spanMs: Millis };

/** `target memory-code is changed since 1d`. */
export function describeTargetCheck({ target, is }: TargetCheckSpec): string {
  switch (is.kind) {
    case 'intact':
      return `target ${target} is intact`;
    case 'changedSince':
      return `target ${target} changed within the last ${formatDuration(is.spanMs)}`;
  }
}
