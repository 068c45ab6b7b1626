import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyAction } from '../../core/model/action.ts';
import type { RunStep } from '../../core/model/step.ts';
import { ContentError } from '../../store/content/content-error.ts';
import { pointNote } from './point-note.ts';
import type { PointWork } from './point-operations.ts';

/**
 * Writes the point into a file of its own, and has the copy's program put that somewhere else. The file goes with it,
 * whatever becomes of that; what a killed daemon left is there under the same name, and is written anew.
 */
export async function copyPoint(
  { point, copy }: CopyAction,
  { hostName, content, scratch, signal, perform, log }: PointWork,
): Promise<{ readonly outcome: 'done' | 'failed'; readonly detail: string }> {
  const folder = join(scratch, 'copies');
  const file = join(folder, `${point.id}.tar`);
  try {
    const store = await content();
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const manifests = point.snapshots.map(({ manifest }) => manifest);
    const bytes = await store.pack(file, { manifests, note: pointNote(point, hostName), signal });
    log(`${point.id} is ${bytes} bytes in one file`);
    const { outcome, detail } = await perform({ ...copy.step, argv: filledIn(copy.step, { file, point: point.id }) });
    return outcome === 'done' ? { outcome, detail: `${bytes} bytes` } : { outcome: 'failed', detail };
  } catch (error) {
    if (error instanceof ContentError || (error instanceof Error && 'syscall' in error)) {
      return { outcome: 'failed', detail: error.message };
    }
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function filledIn({ argv }: RunStep, values: Readonly<Record<'file' | 'point', string>>): readonly string[] {
  return argv.map((argument) =>
    argument.replaceAll(/\$\{(file|point)\}/g, (_mark, name: 'file' | 'point') => values[name]),
  );
}
