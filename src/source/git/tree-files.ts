import { createHash } from 'node:crypto';
import type { PolicyFile } from '../../core/model/revision.ts';
import { isHidden, isPolicyPath } from '../../policy/policy-paths.ts';
import { overLimits, tooMany } from '../limits.ts';
import type { Place } from '../links.ts';
import { type Entry, type Selected, selectFiles } from '../select-files.ts';
import { SourceError } from '../source-error.ts';
import { MirrorBroken } from './git-faults.ts';
import type { Mirror } from './mirror.ts';

/** No file system has longer link targets (PATH_MAX on Linux). */
const LONGEST_TARGET_BYTES = 4096;

type TreeEntry = Entry & { readonly id: string };

/**
 * The policy files of a commit, sorted by path; undefined if the folder is not there. Only the folder's own objects are
 * read, and of them only policy files and links.
 * @param folder relative to the repository's root, without slashes at its ends; empty for the root
 * @throws {SourceError} a refusal
 */
export async function readTree(mirror: Mirror, commit: string, folder: string, signal: AbortSignal) {
  const tree = await findTree(mirror, commit, folder, signal);
  if (tree === undefined) return undefined;
  const entries = await listTree(mirror, tree, signal);
  const places = await placesOf(mirror, entries, signal);
  const selected = await selectFiles(entries, async (path) => places.get(path));
  const ids = new Map(entries.map(({ path, id }) => [path, id]));
  return readFiles(mirror, selected, ids, signal);
}

/** Whether a commit has policy files, even such that would be refused. */
export async function hasPolicies(
  mirror: Mirror,
  commit: string,
  folder: string,
  signal: AbortSignal,
): Promise<boolean> {
  const tree = await findTree(mirror, commit, folder, signal).catch((error: unknown) => {
    if (error instanceof SourceError && error.code === 'folderGone') return undefined;
    throw error;
  });
  return tree !== undefined && (await listTree(mirror, tree, signal)).some(({ path }) => isPolicyPath(path));
}

async function findTree(
  mirror: Mirror,
  commit: string,
  folder: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (folder === '') return mirror.resolve(`${commit}^{tree}`, signal);
  const [found] = parseTree(await mirror.local(['ls-tree', '-z', '--full-tree', commit, '--', folder], signal));
  if (found === undefined) return undefined;
  if (found.mode === '040000') return found.id;
  throw new SourceError('folderGone', `${folder} is no folder at ${commit}. Name the folder that the policies are in`);
}

async function listTree(mirror: Mirror, tree: string, signal: AbortSignal): Promise<TreeEntry[]> {
  const output = await mirror.local(['ls-tree', '-r', '-z', '--full-tree', tree], signal);
  return parseTree(output).map(({ mode, id, path }) => ({ path, id, kind: kindOf(mode) }));
}

function parseTree(output: string) {
  return output.split('\0').flatMap((line) => {
    const { mode, id, path } = /^(?<mode>\d+) \w+ (?<id>[0-9a-f]+)\t(?<path>[^]+)$/.exec(line)?.groups ?? {};
    return mode === undefined || id === undefined || path === undefined ? [] : [{ mode, id, path }];
  });
}

/** The modes that git knows, by git-fast-import(1). */
function kindOf(mode: string): Entry['kind'] {
  if (mode.startsWith('100')) return 'file';
  if (mode === '120000') return 'link';
  return mode === '160000' ? 'submodule' : 'special';
}

async function placesOf(
  mirror: Mirror,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<Map<string, Place>> {
  const links = entries.filter(({ kind }) => kind === 'link');
  // Without links nobody looks anything up, and a repository may have very many other files.
  if (!links.some(({ path }) => !isHidden(path))) return new Map();
  const targets = await readTargets(mirror, links, signal);
  const places = new Map<string, Place>();
  for (const { path, kind } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      places.set(path.slice(0, end), { kind: 'folder' });
    }
    const target = targets.get(path);
    places.set(path, target === undefined ? { kind: kind === 'file' ? 'file' : 'other' } : { kind: 'link', target });
  }
  return places;
}

async function readTargets(
  mirror: Mirror,
  links: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const sizes = await readSizes(
    mirror,
    links.map(({ id }) => id),
    signal,
  );
  const long = links.find((_, index) => (sizes[index] ?? 0) > LONGEST_TARGET_BYTES);
  if (long !== undefined)
    throw new SourceError('unsupportedEntry', `${long.path} is a link to a name that no system allows`);
  const targets = await readBlobs(
    mirror,
    links.map(({ id }) => id),
    signal,
  );
  return new Map(links.map(({ path }, index) => [path, (targets[index] ?? Buffer.of()).toString()]));
}

async function readFiles(
  mirror: Mirror,
  selected: readonly Selected[],
  ids: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<PolicyFile[]> {
  refuseLarge(tooMany(selected.length));
  const wanted = selected.map(({ at }) => ids.get(at) ?? '');
  const sizes = await readSizes(mirror, wanted, signal);
  refuseLarge(overLimits(selected.map(({ path }, index) => ({ path, sizeBytes: sizes[index] ?? 0 }))));
  const blobs = await readBlobs(mirror, wanted, signal);
  return selected.map(({ path }, index) => ({ path, bytes: blobs[index] ?? Buffer.of() }));
}

function refuseLarge(message: string | undefined): void {
  if (message !== undefined) throw new SourceError('fileTooLarge', message);
}

/** `<id> blob <size>` a line, in the order of the question. */
async function readSizes(mirror: Mirror, ids: readonly string[], signal: AbortSignal): Promise<number[]> {
  const lines = (await mirror.catFiles('--batch-check', ids, signal)).toString().split('\n');
  return ids.map((id, index) => sizeIn(lines[index] ?? '', id));
}

/** The same lines, each followed by the content and a line's end. */
async function readBlobs(mirror: Mirror, ids: readonly string[], signal: AbortSignal): Promise<Buffer[]> {
  const output = await mirror.catFiles('--batch', ids, signal);
  let from = 0;
  return ids.map((id) => {
    const start = output.indexOf('\n', from) + 1;
    const size = sizeIn(output.toString('latin1', from, Math.max(start - 1, from)), id);
    const blob = output.subarray(start, start + size);
    from = start + size + 1;
    return verified(blob, id);
  });
}

function sizeIn(line: string, id: string): number {
  const size = /^[0-9a-f]+ blob (\d+)$/.exec(line)?.[1];
  if (size === undefined || !line.startsWith(id)) throw new MirrorBroken(`the object ${id} cannot be read: ${line}`);
  return Number(size);
}

/** Git does not compare what it reads with its name (gitformat-pack(5)); what is acted upon must be what was committed. */
function verified(blob: Buffer, id: string): Buffer {
  const digest = createHash(id.length === 64 ? 'sha256' : 'sha1');
  const actual = digest.update(`blob ${blob.byteLength}\0`).update(blob).digest('hex');
  if (actual === id) return blob;
  throw new MirrorBroken(`the object ${id} has another content than its name says`);
}
