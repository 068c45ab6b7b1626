import { table } from './report.ts';

export type Aim = {
  readonly what: string;
  readonly atMost: number;
  readonly figure: number;
  /** Of both numbers, behind them. */
  readonly unit: string;
  readonly digits: number;
};

/** Each aim beside what was measured, and whether that is within it. Nothing is asserted: others may use the machine too. */
export function aimsTable(aims: readonly Aim[]): string {
  const rows = aims.map(({ what, atMost, figure, unit, digits }) => [
    what,
    `${atMost}${unit}`,
    `${figure.toFixed(digits)}${unit}`,
    figure <= atMost ? 'met' : 'MISSED',
  ]);
  return table(['aim', 'at most', 'measured', ''], rows);
}
