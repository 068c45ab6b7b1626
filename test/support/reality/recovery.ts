import type { Logged } from './installed-revertd.ts';

/** The instants of one recovery, all by the clock of the host. */
export type Recovery = {
  readonly fault: string;
  readonly brokenAt: number;
  readonly detectedAt: number;
  readonly actedAt: number;
  /** When the figures were good again; null if they never were. */
  readonly mendedAt: number | null;
  readonly endedAt: number;
};

/** `brokenAt` and `mendedAt` are somebody else's readings; the rest is what the log says. */
export function recoveryOf(
  fault: string,
  seen: { readonly brokenAt: number | null; readonly mendedAt: number | null },
  events: readonly Logged[],
): Recovery {
  const at = (what: string, event: Logged | undefined) => {
    if (event === undefined) throw new Error(`${fault}: the log has no ${what}`);
    return event.at;
  };
  if (seen.brokenAt === null) throw new Error(`${fault}: the figures were never bad`);
  return {
    fault,
    ...seen,
    brokenAt: seen.brokenAt,
    detectedAt: at(
      'opening',
      events.find(({ type }) => type === 'incident.opened'),
    ),
    actedAt: at(
      'step',
      events.find(({ type }) => type === 'step.started'),
    ),
    endedAt: at(
      'end',
      events.find(({ type }) => type === 'incident.closed'),
    ),
  };
}

/** In seconds from the moment at which the figures were bad. */
export function recoveryTable(recoveries: readonly Recovery[]): string {
  const seconds = (from: number, to: number | null) =>
    (to === null ? '–' : ((to - from) / 1000).toFixed(1)).padStart(9);
  const rows = recoveries.map(({ fault, brokenAt, detectedAt, actedAt, mendedAt, endedAt }) =>
    [fault.padEnd(38), ...[detectedAt, actedAt, mendedAt, endedAt].map((at) => seconds(brokenAt, at))].join(''),
  );
  const heads = ['detected', 'acted', 'mended', 'verified'].map((head) => head.padStart(9));
  return `${['s since the figures were bad'.padEnd(38), ...heads].join('')}\n${rows.join('\n')}\n`;
}
