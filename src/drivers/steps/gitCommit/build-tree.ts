import type { EntryEdit } from '../../../core/model/edit-file-step.ts';
import type { GitChange } from '../../../core/model/git-commit-step.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import { editText, inWords } from '../../places/document-text.ts';
import { formatByName } from '../../places/file/formats/format-by-name.ts';
import { editYaml, readYaml } from '../../places/file/formats/yaml.ts';
import { FormatError } from '../../places/text-format.ts';
import type { Git } from './git.ts';
import { PlanFault } from './remote.ts';

const REGULAR = '100644';

/** Makes the changes on top of a commit, in the index alone. Gives the new tree. Rejects with PlanFault, GitFault, PlaceError. */
export async function buildTree(
  git: Git,
  parent: string,
  changes: readonly GitChange[],
  folder: string,
): Promise<string> {
  await git.run(['read-tree', parent]);
  for (const change of changes) await applyChange(git, change, folder);
  return await git.run(['write-tree']);
}

async function applyChange(git: Git, change: GitChange, folder: string): Promise<void> {
  switch (change.kind) {
    case 'flag':
      return await setSafe(git, change.flag, folder);
    case 'delete':
      await requireFile(git, change.path);
      // Mode 0 removes an entry, which --force-remove would want a work tree for.
      await git.run(['update-index', '-z', '--index-info'], `0 ${'0'.repeat(40)}\t${change.path}\0`);
      return;
    case 'content':
      return await write(git, change.path, (await fileAt(git, change.path))?.mode ?? REGULAR, change.content);
    case 'entries': {
      const file = await fileAt(git, change.path);
      const old = file && (await git.bytes(['cat-file', 'blob', file.blob]));
      await write(git, change.path, file?.mode ?? REGULAR, edited(change.path, change, old));
    }
  }
}

function edited(path: string, { format, set, remove }: EntryEdit, old: Uint8Array | undefined): Uint8Array {
  const chosen = inWords(path, '', () => formatByName(format, path));
  const changes = Object.entries(set).map(([entry, value]) => ({ entry, value }));
  return editText(path, chosen, old, { changes, removals: remove });
}

type TreeFile = { readonly mode: string; readonly blob: string };

/** Undefined if there is none. A link or a submodule is none that could be edited. */
async function fileAt(git: Git, path: string): Promise<TreeFile | undefined> {
  const line = await git.run(['ls-files', '--stage', '-z', '--', path]);
  const [, mode = '', blob = '', name = ''] = /^(\d+) ([0-9a-f]+) \d\t([^\0]*)/.exec(line) ?? [];
  if (line === '') return undefined;
  if (name === path && mode.startsWith('100')) return { mode, blob };
  throw new PlanFault('badFile', `${path} is not a regular file of the repository`);
}

async function requireFile(git: Git, path: string): Promise<void> {
  if ((await fileAt(git, path)) === undefined) throw new PlanFault('badFile', `the repository has no file ${path}`);
}

async function write(git: Git, path: string, mode: string, content: string | Uint8Array): Promise<void> {
  const blob = await git.run(['hash-object', '-w', '--stdin'], content);
  await git.run(['update-index', '--add', '--cacheinfo', `${mode},${blob},${path}`]);
}

/** The flag's document is found by what it says, not by where it once stood. */
async function setSafe(git: Git, flag: string, folder: string): Promise<void> {
  const listed = await git.run(['ls-files', '-z']);
  const prefix = folder === '' ? '' : `${folder.replace(/^\/+|\/+$/g, '')}/`;
  const paths = listed.split('\0').filter((path) => path.startsWith(prefix) && /(?<!\.draft)\.ya?ml$/.test(path));
  for (const path of paths) {
    const file = await fileAt(git, path).catch(() => undefined);
    const text = file === undefined ? '' : await git.run(['cat-file', 'blob', file.blob]);
    if (file === undefined || !text.includes(flag)) continue;
    const changed = withSafe(text, path, flag);
    if (changed !== undefined) return await write(git, path, file.mode, changed);
  }
  throw new PlanFault('badFile', `no policy of the repository describes a Flag ${flag}`);
}

/** Undefined if the text does not describe the flag. */
function withSafe(text: string, path: string, flag: string): string | undefined {
  const isFlag = (value: JsonValue) => at(value, 'kind') === 'Flag' && at(at(value, 'metadata'), 'name') === flag;
  try {
    const found = readYaml(text, isFlag);
    if (found === undefined) return undefined;
    const safe = at(at(found, 'spec'), 'safeVariant');
    if (typeof safe !== 'string') throw new PlanFault('badFile', `${path}: the Flag ${flag} has no safeVariant`);
    return editYaml(text, [{ entry: '/spec/defaultVariant', value: safe }], isFlag);
  } catch (error) {
    if (error instanceof FormatError) throw new PlanFault('badFile', `${path}: ${error.message}`);
    throw error;
  }
}

function at(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined;
}
