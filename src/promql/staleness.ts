/**
 * The bits of Prometheus' staleness marker (model/value/value.go): a NaN that says "this series ended here". JavaScript may
 * rewrite the payload of a NaN whenever it is a plain number, so markers are written and recognised in the buffer.
 */
export const STALE_NAN = 0x7ff0_0000_0000_0002n;

const HIGH_WORD = 0x7f_f0_00_00;
const LOW_WORD = 2;

/** Words of the buffer looked at last: neighbouring questions are nearly always about one series. */
let lastValues: Float64Array | undefined;
let lastWords: Uint32Array = new Uint32Array(0);

/** Whether the sample at `index` is a staleness marker; an ordinary NaN is not. */
export function isStale(values: Float64Array, index: number): boolean {
  const value = values[index];
  // Only a NaN differs from itself; this keeps the common case to one comparison.
  // oxlint-disable-next-line no-self-compare
  if (value === value) return false;
  if (lastValues !== values) {
    lastValues = values;
    lastWords = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  }
  const a = lastWords[index * 2];
  const b = lastWords[index * 2 + 1];
  return (a === LOW_WORD && b === HIGH_WORD) || (a === HIGH_WORD && b === LOW_WORD);
}

/** Makes the sample at `index` a staleness marker. */
export function writeStale(values: Float64Array, index: number): void {
  new BigUint64Array(values.buffer, values.byteOffset + index * 8, 1)[0] = STALE_NAN;
}
