import type { Millis } from '../units.ts';

export type PointState =
  | 'creating'
  | 'capturing'
  | 'stored'
  | 'validating'
  | 'valid'
  | 'invalid'
  | 'failed'
  | 'expired'
  | 'pruned'
  | 'deleted';

/** What one target was. */
export type Snapshot = {
  readonly target: string;
  readonly type: 'files' | 'sqlite' | 'git' | 'flags' | 'http' | 'command' | 'postgres';
  /** SHA-256 of its manifest, by which the content store finds it. */
  readonly manifest: string;
  /** The span of its capture. */
  readonly from: Millis;
  readonly to: Millis;
  /** Plain content. */
  readonly bytes: number;
  /** What was new in the store, as stored. */
  readonly storedBytes: number;
  readonly compression: 'zstd' | 'gzip' | 'none';
  readonly encrypted: boolean;
  /** Identifies the state that was captured. */
  readonly fingerprint: string;
};
