import { isBeyond, type Trigger } from '../model/trigger.ts';

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const WIDTH = 60;

/**
 * Values as a line of bars, at most 60 of them: where there are more, each bar shows the worst of its share. A line of
 * `^` under a bar would not survive proportional fonts, so breaches are told by their height alone.
 */
export function sparkline(values: readonly number[], threshold: Trigger['threshold']): string {
  const shares = Math.min(WIDTH, values.length);
  const shown = Array.from({ length: shares }, (_, index) => {
    const from = Math.floor((index * values.length) / shares);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / shares));
    return worst(values.slice(from, to), threshold);
  });
  const low = Math.min(...shown);
  const span = Math.max(...shown) - low;
  return shown.map((value) => BARS[span === 0 ? 0 : Math.round(((value - low) / span) * (BARS.length - 1))]).join('');
}

function worst(values: readonly number[], threshold: Trigger['threshold']): number {
  if (threshold.kind === 'outside') {
    const beyond = values.find((value) => isBeyond(threshold, value));
    if (beyond !== undefined) return beyond;
  }
  const side = threshold.kind === 'baseline' ? threshold.side : threshold.kind;
  return side === 'below' ? Math.min(...values) : Math.max(...values);
}
