import type { Snapshot } from '../../core/model/point.ts';
import type { ManifestLine } from '../../store/content/content-reader.ts';
import { faultText, type PointContext, type VerifyOutcome } from './captured-target.ts';

/** What a line of a manifest is about, for people. */
export type ShownLine = (line: ManifestLine) => string;

/** Reads every byte of a snapshot again. Never rejects. */
export async function verifySnapshot(
  { manifest }: Pick<Snapshot, 'manifest'>,
  { store, signal, progress }: PointContext,
  shownLine: ShownLine,
): Promise<VerifyOutcome> {
  try {
    const { bytes, blobs, faults } = await store.verify(manifest, { signal, progress });
    if (faults.length === 0) return { outcome: 'valid', detail: `${blobs} blobs, ${bytes} bytes`, bytes };
    const found = faults.map(({ message, lines }) =>
      lines.length === 0 ? message : `${message}; it is needed by ${lines.map(shownLine).join(', ')}`,
    );
    // A key that is not there says nothing about what it would open.
    if (faults.some(({ code }) => code === 'key')) return { outcome: 'failed', detail: found.join('; ') };
    return { outcome: 'invalid', detail: `${faults.length} of its blobs are damaged`, faults: found };
  } catch (error) {
    return { outcome: 'failed', detail: faultText(error) };
  }
}
