/** A sum in two parts that keeps what rounding would lose (Kahan's summation with Neumaier's improvement). */
export type KahanSum = { sum: number; compensation: number };

export function kahanAdd(total: KahanSum, value: number): void {
  const next = total.sum + value;
  if (next === Infinity || next === -Infinity) {
    total.compensation = 0;
  } else if (Math.abs(total.sum) >= Math.abs(value)) {
    total.compensation += total.sum - next + value;
  } else {
    total.compensation += value - next + total.sum;
  }
  total.sum = next;
}

/** A mean that sums up as long as the sum is finite, and goes over to an incremental mean before it would overflow. */
export type KahanMean = KahanSum & { count: number; incremental: boolean };

export function kahanMeanAdd(total: KahanMean, value: number): void {
  total.count += 1;
  if (!total.incremental) {
    const { sum, compensation } = total;
    kahanAdd(total, value);
    if (total.count === 1 || Math.abs(total.sum) !== Infinity) return;
    total.incremental = true;
    total.sum = sum / (total.count - 1);
    total.compensation = compensation / (total.count - 1);
  }
  const kept = (total.count - 1) / total.count;
  total.sum *= kept;
  total.compensation *= kept;
  kahanAdd(total, value / total.count);
}

export function kahanMean(total: KahanMean): number {
  if (total.incremental) return total.sum + total.compensation;
  return total.sum / total.count + total.compensation / total.count;
}
