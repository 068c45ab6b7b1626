/**
 * Staleness markers: one particular NaN says that a series ended, every other NaN is an ordinary value.
 * The bits are Prometheus' (model/value: StaleNaN), so that samples can be compared with a server's.
 */
const STALE_HIGH_BITS = 0x7ff00000;
const STALE_LOW_BITS = 0x00000002;

const marker = new Float64Array(1);
const markerView = new DataView(marker.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
markerView.setUint32(littleEndian ? 4 : 0, STALE_HIGH_BITS, littleEndian);
markerView.setUint32(littleEndian ? 0 : 4, STALE_LOW_BITS, littleEndian);

/**
 * The marker as a number, for readers. An engine may canonicalise a NaN that passes through a variable, so markers are
 * written with `writeStale` and recognised with `isStale`, never by storing or comparing this value.
 */
export const STALE_NAN: number = marker[0] ?? Number.NaN;

/** Whether the sample at `index` is a stale marker. */
export function isStale(values: Float64Array, index: number): boolean {
  if (!Number.isNaN(values[index])) return false;
  const view = new DataView(values.buffer, values.byteOffset + index * Float64Array.BYTES_PER_ELEMENT);
  const high = view.getUint32(littleEndian ? 4 : 0, littleEndian);
  const low = view.getUint32(littleEndian ? 0 : 4, littleEndian);
  return high === STALE_HIGH_BITS && low === STALE_LOW_BITS;
}

/** Makes the sample at `index` a stale marker. Copying between arrays of one type keeps the bits. */
export function writeStale(values: Float64Array, index: number): void {
  values.set(marker, index);
}
