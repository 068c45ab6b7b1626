import { posix } from 'node:path';
import type { ContainerState } from '../containers/container-state.ts';
import type { Owner } from '../containers/engine-files.ts';
import type { TarFile } from '../containers/tar-file.ts';
import { fault, type InContainer, inWords, labelOf, openContainer, readContent, refuse } from './container-document.ts';
import { oversize, stopIfAborted } from './open-document.ts';
import type { PlaceWritten } from './place-driver.ts';
import { digestOf, type Edit } from './replace-document.ts';

/** Those who read a container's files are its services, as a rule users of their own, so that 0640 of root would hide it. */
const MODE_OF_NEW = 0o644;
const ROOT: Owner = { uid: 0, gid: 0 };
/** Where images have it. The folders may be links: only the last part of a path is looked at as it is. */
const MOVERS = ['/bin/mv', '/usr/bin/mv'] as const;
/**
 * Replaces the document's content by what `edit` makes of it. Mode and owner are kept. Rejects with PlaceError.
 *
 * In a running container that has `mv`, this is atomic: the new file is put beside the old one and renamed over it, so
 * that whoever reads sees the old content or the new one, also after a crash. Without `mv`, and while the container does
 * not run (then only others that share a volume with it could read), the engine itself removes the old file and writes
 * the new one; one that dies between both leaves no file or a part of it. What is there is read back in each case.
 */
export async function replaceInContainer(
  document: InContainer,
  edit: Edit,
  signal: AbortSignal,
): Promise<PlaceWritten> {
  return await inWords(document, async () => {
    const state = await openContainer(document, signal);
    const written = (await attempt(document, state, edit, signal)) ?? (await attempt(document, state, edit, signal));
    if (written !== undefined) return written;
    throw fault(document, 'changedMeanwhile', 'was changed twice by somebody while being written; it is tried again');
  });
}

/** Undefined if the document changed between being read and being replaced. */
async function attempt(
  document: InContainer,
  state: ContainerState,
  edit: Edit,
  signal: AbortSignal,
): Promise<PlaceWritten | undefined> {
  const { engine, path } = document;
  stopIfAborted(labelOf(document), signal);
  const old = await readContent(document, state.id, signal);
  const before = old && digestOf(old.bytes);
  const bytes = edit(old?.bytes);
  const digest = digestOf(bytes);
  if (digest === before) return { digest, before };
  refuse(document, 'tooLarge', oversize(bytes.length));
  const owner = old === undefined ? ROOT : await engine.ownerOf(state, path, old, signal);
  if (owner === undefined) {
    const why =
      'whose it is cannot be found out, so that the owner could not be kept; set it in the image, or mount the file';
    throw fault(document, 'ownerNotKept', why);
  }
  const file = { name: posix.basename(path), mode: old?.mode ?? MODE_OF_NEW, ...owner, bytes };
  const mover = state.running && !state.paused ? await findMover(document, state.id, signal) : undefined;
  const isMoved = await (mover === undefined ? putDirectly : putAndMove(mover))(
    document,
    state.id,
    file,
    before,
    signal,
  );
  if (!isMoved) return undefined;
  const now = await readContent(document, state.id, signal);
  if (now === undefined || digestOf(now.bytes) !== digest) {
    throw fault(document, 'changedMeanwhile', 'does not show what was just written; somebody else wrote it too');
  }
  return { digest, before };
}

type Put = (
  document: InContainer,
  id: string,
  file: TarFile,
  before: string | undefined,
  signal: AbortSignal,
) => Promise<boolean>;

const putDirectly: Put = async (document, id, file, before, signal) => {
  if (!(await isAsBefore(document, id, before, signal))) return false;
  await document.engine.writeFile(id, posix.dirname(document.path), file, signal);
  return true;
};

/** The temporary name is always the same, so that what a crash leaves is used and moved by the next write. */
function putAndMove(mover: string): Put {
  return async (document, id, file, before, signal) => {
    const { engine, path } = document;
    const name = `.revertd-tmp-${digestOf(Buffer.from(file.name)).slice(0, 16)}`;
    const folder = posix.dirname(path);
    const temporary = posix.join(folder, name);
    await engine.writeFile(id, folder, { ...file, name }, signal);
    const remove = () => engine.exec({ id, argv: [mover.replace(/mv$/, 'rm'), '-f', temporary], user: '0' }, signal);
    if (!(await isAsBefore(document, id, before, signal))) {
      await remove();
      return false;
    }
    const { exitCode, output } = await engine.exec({ id, argv: [mover, '-f', temporary, path], user: '0' }, signal);
    if (exitCode === 0) return true;
    await remove();
    throw fault(document, 'io', `could not be replaced: mv ended with ${exitCode}: ${output.slice(0, 500)}`);
  };
}

async function isAsBefore(document: InContainer, id: string, before: string | undefined, signal: AbortSignal) {
  stopIfAborted(labelOf(document), signal);
  const now = await readContent(document, id, signal);
  return (now && digestOf(now.bytes)) === before;
}

async function findMover({ engine }: InContainer, id: string, signal: AbortSignal): Promise<string | undefined> {
  for (const path of MOVERS) if ((await engine.statPath(id, path, signal)) !== undefined) return path;
  return undefined;
}
