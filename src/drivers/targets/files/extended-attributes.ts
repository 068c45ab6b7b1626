import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { TargetError } from '../target-driver.ts';
import { type BytePath, bytesOf } from './byte-path.ts';
import type { FileEntry } from './file-entry.ts';
import type { OpenFolder } from './open-folder.ts';
import type { OpenRoot } from './walk.ts';

/**
 * Extended attributes by name, and ACLs and capabilities, which are such: each value in hexadecimal as getfattr(1) writes
 * it, `0x…`. Labels of the system itself (SELinux, IMA) belong to the place and not to the file, and are not among them.
 */
export type Attributes = Readonly<Record<string, string>>;

/** By place; most have none. */
export type AttributeTable = (place: Pick<FileEntry, 'root' | 'path'>) => Attributes | undefined;

/** What something has, and what it is to have. */
export type AttributeChange = { readonly has: Attributes; readonly wanted: Attributes };

const KEPT = /^(user\..|trusted\.(?!overlay\.)|security\.capability$|system\.posix_acl_(access|default)$)/;
const DUMP = ['--physical', '--no-dereference', '--absolute-names', '--dump', '--match=-', '--encoding=hex'];
const MOST_STDERR = 2_000;

/**
 * What everything below the roots has. Links are not followed. Undefined where it cannot be known: Node has no call for
 * it, and the programs of Debian's package attr may be missing; they reach a folder by our descriptor, which a process that
 * has changed its user may keep them from. Rejects with TargetError.
 */
export async function readAttributes(
  roots: readonly OpenRoot[],
  signal?: AbortSignal,
): Promise<AttributeTable | undefined> {
  try {
    return await readTable(roots, signal);
  } catch (error) {
    if (error instanceof TargetError && error.code === 'program') return undefined;
    throw error;
  }
}

async function readTable(roots: readonly OpenRoot[], signal: AbortSignal | undefined): Promise<AttributeTable> {
  const table = new Map<string, Attributes>();
  for (const { index, parent, name } of roots) {
    const top = bytesOf(name).toString();
    const dump = await run('getfattr', [...DUMP, '--recursive', '--', `./${top}`], { folder: parent, signal });
    for (const [path, attributes] of parseDump(dump, `./${name}`)) table.set(`${index}:${path}`, attributes);
  }
  return ({ root, path }) => table.get(`${root}:${path}`);
}

/** What everything right in a folder has, by name. */
export async function readAttributesIn(folder: OpenFolder): Promise<ReadonlyMap<BytePath, Attributes>> {
  const dump = await run('getfattr', [...DUMP, '--recursive', '--', '.'], { folder });
  return new Map(parseDump(dump, '.'));
}

/** Of files in a folder whose names are plain words. Rejects with TargetError. */
export async function writeAttributesIn(
  folder: OpenFolder,
  changes: readonly (readonly [name: BytePath, change: AttributeChange])[],
): Promise<void> {
  for (const [name, change] of changes) {
    for (const attribute of goneFrom(change)) {
      await run('setfattr', ['--no-dereference', `--remove=${attribute}`, '--', `./${name}`], { folder });
    }
  }
  const dump = changes.map(([name, change]) => dumpOf(`./${name}`, change)).join('');
  if (dump !== '') await run('setfattr', ['--no-dereference', '--restore=-'], { folder, input: dump });
}

/** Of something that is held open, whatever its name is by now. */
export async function writeAttributes(handle: FileHandle, change: AttributeChange): Promise<void> {
  const path = `/proc/${process.pid}/fd/${handle.fd}`;
  for (const attribute of goneFrom(change)) await run('setfattr', [`--remove=${attribute}`, '--', path]);
  const dump = dumpOf(path, change);
  if (dump !== '') await run('setfattr', ['--restore=-'], { input: dump });
}

export function isSameAttributes(one: Attributes | undefined, other: Attributes | undefined): boolean {
  return sortedText(one) === sortedText(other);
}

/** Stable, whatever order they were read in. */
export function sortedText(attributes: Attributes = {}): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' ');
}

function goneFrom({ has, wanted }: AttributeChange): string[] {
  return Object.keys(has).filter((name) => !Object.hasOwn(wanted, name));
}

function dumpOf(path: string, { has, wanted }: AttributeChange): string {
  const lines = Object.entries(wanted).filter(([name, value]) => has[name] !== value);
  if (lines.length === 0) return '';
  return `# file: ${path}\n${lines.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

/** getfattr(1) writes bytes that are no plain text of a line as `\ooo`. */
function* parseDump(dump: string, top: BytePath): Generator<readonly [BytePath, Attributes]> {
  for (const block of dump.split('\n\n')) {
    const [head = '', ...lines] = block.split('\n');
    const written = /^# file: (.*)$/.exec(head)?.[1];
    if (written === undefined) continue;
    const path = written.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const attributes = Object.fromEntries(lines.flatMap(attributeIn));
    if (Object.keys(attributes).length === 0) continue;
    yield [path === top ? '' : path.slice(top.length + 1), attributes];
  }
}

function attributeIn(line: string): (readonly [string, string])[] {
  const at = line.indexOf('=');
  const name = line.slice(0, Math.max(0, at));
  return KEPT.test(name) ? [[name, line.slice(at + 1)]] : [];
}

type Surroundings = {
  readonly folder?: OpenFolder;
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
};

/** Texts of bytes, one character for each. */
async function run(
  program: 'getfattr' | 'setfattr',
  args: readonly string[],
  { folder, input = '', signal }: Surroundings = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    ...(folder === undefined ? {} : { cwd: `/proc/${process.pid}/fd/${folder.handle.fd}` }),
    ...(signal === undefined ? {} : { signal }),
  });
  const said: string[] = ['', ''];
  for (const [index, stream] of [child.stdout, child.stderr].entries()) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      said[index] += index === 0 ? text : text.slice(0, MOST_STDERR);
    });
  }
  child.stdin.on('error', () => undefined).end(input, 'latin1');
  const [code] = await ended(child, program);
  const [out = '', errors = ''] = said;
  // What vanished meanwhile, or lies on a file system that knows none of them, has none.
  if (code === 0 || (program === 'getfattr' && onlyAbsences(errors))) return out;
  throw new TargetError('io', `${program} ended with ${String(code)}: ${errors.trim()}`);
}

async function ended(child: ReturnType<typeof spawn>, program: string): Promise<unknown[]> {
  try {
    return await once(child, 'close');
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    const message = `the program ${program} is not there; Debian has it in the package attr`;
    throw new TargetError('program', message, error);
  }
}

function onlyAbsences(errors: string): boolean {
  return errors
    .trim()
    .split('\n')
    .every((line) => /: (No such file or directory|Operation not supported|Permission denied)$/.test(line));
}
