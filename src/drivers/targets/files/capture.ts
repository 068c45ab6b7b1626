import type { TargetOf } from '../../../core/model/target.ts';
import type { CaptureSession } from '../../../store/content/capture-session.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { CaptureContext, CaptureOutcome } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';
import { readAttributes } from './extended-attributes.ts';
import { entryLine, type FileEntry, headLine, TreeFingerprint } from './file-entry.ts';
import { noNotes, notesText, type ScanNotes, scan } from './scan.ts';
import { entriesOf, headOf, noEntries } from './snapshot-content.ts';
import { type OpenRoot, openRoot, shownBelow } from './walk.ts';

/** Opens the roots for as long as `use` runs. */
export async function withRoots<T>(paths: readonly string[], use: (roots: readonly OpenRoot[]) => Promise<T>) {
  const roots: OpenRoot[] = [];
  try {
    for (const [index, path] of paths.entries()) roots.push(await openRoot(path, index));
    return await use(roots);
  } finally {
    for (const { parent } of roots) await parent.letGo();
  }
}

/** Stores the trees. Rejects with TargetError and ContentError; then nothing of it counts. */
export async function captureFiles(target: TargetOf<'files'>, context: CaptureContext): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous } = context;
  const from = context.now();
  const notes = noNotes();
  const print = new TreeFingerprint();
  const reused = await usablePrevious(target, context);
  const session = await store.begin({
    operation,
    signal,
    compression,
    ...(reused && previous !== undefined ? { previous: previous.manifest } : {}),
  });
  const { manifest, storedBytes } = await withRoots(target.type.paths, async (roots) => {
    for (const root of roots) await mustBeThere(root);
    return await session.commit(lines({ target, context, roots, session, notes, print }));
  });
  const fingerprint = print.digest();
  const encrypted = store.encrypts;
  const snapshot = {
    manifest,
    storedBytes,
    fingerprint,
    compression,
    encrypted,
    from,
    to: context.now(),
    bytes: notes.bytes,
  };
  const detail = `${notes.files} files, ${notes.bytes} bytes; ${notes.reused} of them unchanged${notesText(notes)}`;
  return { outcome: 'done', snapshot, detail };
}

/** An earlier snapshot of other places tells nothing of these. */
async function usablePrevious({ type }: TargetOf<'files'>, { store, previous, log }: CaptureContext): Promise<boolean> {
  if (previous === undefined) return false;
  try {
    const { roots } = await headOf(store, previous);
    return roots.length === type.paths.length && roots.every((root, index) => root === type.paths[index]);
  } catch (error) {
    log(
      `everything is read again, since the snapshot before cannot be: ${error instanceof Error ? error.message : ''}`,
    );
    return false;
  }
}

async function mustBeThere(root: OpenRoot): Promise<void> {
  try {
    await root.parent.look(root.name);
  } catch (error) {
    throw new TargetError('io', `${root.path} does not exist`, error);
  }
}

type Capture = {
  readonly target: TargetOf<'files'>;
  readonly context: CaptureContext;
  readonly roots: readonly OpenRoot[];
  readonly session: CaptureSession;
  readonly notes: ScanNotes;
  readonly print: TreeFingerprint;
};

async function* lines({ target, context, roots, session, notes, print }: Capture): AsyncGenerator<ManifestLine> {
  const { exclude, oneFileSystem, paths } = target.type;
  const attributes = await readAttributes(roots, context.signal);
  yield headLine({ roots: paths, exclude, oneFileSystem, attributes: attributes !== undefined });
  const known = session.previous === undefined ? noEntries() : entriesOf(context.store, { manifest: session.previous });
  const entries = scan({
    roots,
    exclude,
    oneFileSystem,
    attributes,
    signal: context.signal,
    known,
    reuse: session.reuse,
    sink: () => session.put,
    take: session.takeFile,
    lookAt: session.lookAt,
    notes,
  });
  for await (const entry of entries) {
    print.add(entry);
    context.progress({ bytes: notes.bytes, files: notes.files });
    yield entryLine(entry);
  }
}

export function describeEntry(roots: readonly Pick<OpenRoot, 'path'>[], { root, path }: FileEntry): string {
  return shownBelow(roots[root] ?? { path: '' }, path);
}
