import type { Millis } from '../core/units.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Where in its interval a source samples, from 0 to below `intervalMs`: from a hash (FNV-1a) of its name, so that
 * sources with one interval do not all sample at once, and that a restart changes nothing.
 */
export function phaseOf(name: string, intervalMs: Millis): Millis {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return Math.floor((hash / 2 ** 32) * intervalMs);
}

/** The first time later than `after` that lies on the phase. */
export function nextSlot(after: Millis, phaseMs: Millis, intervalMs: Millis): Millis {
  return Math.floor((after - phaseMs) / intervalMs + 1) * intervalMs + phaseMs;
}
