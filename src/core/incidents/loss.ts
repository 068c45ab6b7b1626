import type { DataLoss } from '../model/measure.ts';
import type { Observed } from '../observed.ts';
import type { Millis } from '../units.ts';

/** A loss that cannot be counted does not hold an approval up for longer than this. */
export const COUNT_PATIENCE_MS: Millis = 15_000;

export type StatedLoss = {
  readonly text: string;
  /** By label, the count up to which an agreement holds; null where it is not known. */
  readonly covers: Readonly<Record<string, number | null>>;
};

/**
 * What would be lost, as counted since then; null while that is still awaited. Data that is alive grows while people
 * think: an agreement covers a count rounded up to two digits, and what was covered before stays so until it is beyond
 * that. None covers none, and what was not known covers nothing that becomes known.
 */
export function statedLoss(
  loss: DataLoss,
  measures: Observed['measures'],
  before: StatedLoss['covers'] | null,
  { since, now }: { readonly since: Millis; readonly now: Millis },
): StatedLoss | null {
  const counts = loss.counts.map(({ label, measure }) => {
    const result = measures?.[measure.key];
    return { label, result: result !== undefined && result.at >= since ? result : undefined };
  });
  if (counts.some(({ result }) => result === undefined) && now < since + COUNT_PATIENCE_MS) return null;
  const covers: Record<string, number | null> = {};
  const texts = loss.text === undefined ? [] : [loss.text];
  for (const { label, result } of counts) {
    const value = result?.value ?? null;
    const known = before?.[label] ?? null;
    covers[label] = value === null || (known !== null && value <= known) ? known : roundedUp(value);
    const count = value === null ? `not known (${result?.detail ?? 'not counted in time'})` : String(value);
    const limit = covers[label] === null || covers[label] === value ? '' : ` (agreed up to ${covers[label]})`;
    texts.push(`${label}: ${count}${limit}`);
  }
  return { text: texts.join('; ') || 'it is not said what', covers };
}

/** Up, to two significant digits. */
function roundedUp(value: number): number {
  if (!(value >= 100)) return Math.ceil(value);
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
}
