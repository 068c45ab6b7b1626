import { LRUCache } from 'lru-cache';
import type { Millis } from '../../core/units.ts';

export type PieceCacheLimits = {
  /** Of plain content. */
  readonly bytes: number;
  readonly maxItems: number;
  readonly ttlMs: Millis;
};

/** Pieces of content by their SHA-256, each of which was verified. Nobody changes what is in it. */
export type PieceCache = {
  readonly get: (sha256: string) => Buffer | undefined;
  readonly set: (sha256: string, piece: Buffer) => void;
};

export const NO_CACHE: PieceCache = { get: () => undefined, set: () => undefined };

/**
 * One piece may take so much of the cache: small pieces are read again and again, those of databases once, and in their
 * order, which would drive out everything else.
 */
const LARGEST_SHARE = 1 / 64;

/** What was used least recently goes first. */
export function createPieceCache(limits: PieceCacheLimits | undefined): PieceCache {
  if (limits === undefined || limits.bytes === 0 || limits.maxItems === 0) return NO_CACHE;
  const cache = new LRUCache<string, Buffer>({
    max: limits.maxItems,
    maxSize: limits.bytes,
    maxEntrySize: Math.max(1, Math.floor(limits.bytes * LARGEST_SHARE)),
    sizeCalculation: (piece) => Math.max(1, piece.length),
    ttl: limits.ttlMs,
  });
  return {
    get: (sha256) => cache.get(sha256),
    set: (sha256, piece) => void cache.set(sha256, piece),
  };
}
