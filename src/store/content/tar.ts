import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { ContentError } from './content-error.ts';

/** Files of a folder, by their paths within it. */
export type TarPart = { readonly folder: string; readonly names: AsyncIterable<string> | Iterable<string> };

/** What tar says of itself when it fails; more of it is of no use. */
const MOST_STDERR = 2_000;

/**
 * Writes one file in tar's format, by the system's own tar, which every Debian has. Owners and times say nothing of the
 * content, and are left out. Rejects with ContentError.
 */
export async function packTar(path: string, parts: readonly TarPart[], signal: AbortSignal): Promise<void> {
  const common = ['--format=gnu', '--owner=0', '--group=0', '--numeric-owner', '--no-recursion', '--null'];
  for (const [index, { folder, names }] of parts.entries()) {
    const mode = index === 0 ? '--create' : '--append';
    await tar([mode, `--file=${path}`, ...common, `--directory=${folder}`, '--files-from=-'], names, signal);
  }
}

/** Writes what is in such a file into a folder. Nothing gets out of that: tar refuses names that would. */
export async function unpackTar(path: string, folder: string, signal: AbortSignal): Promise<void> {
  const safe = ['--no-same-owner', '--no-same-permissions', '--keep-old-files'];
  await tar(['--extract', `--file=${path}`, `--directory=${folder}`, ...safe], [], signal);
}

async function tar(
  argv: readonly string[],
  names: AsyncIterable<string> | Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn('tar', argv, { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' }, signal });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_STDERR);
  });
  // Names that tar does not take any more are no fault of their own: it says itself why it ended.
  const telling = pipeline(terminated(names), child.stdin).catch((error: unknown) => error);
  try {
    const [code]: unknown[] = await once(child, 'close');
    const fault = await telling;
    if (fault instanceof ContentError) throw fault;
    if (code !== 0) throw new ContentError('io', `tar ended with ${String(code)}: ${said.trim()}`);
  } catch (error) {
    if (error instanceof ContentError) throw error;
    if (signal.aborted) throw new ContentError('aborted', 'it was ended before it was done', { cause: signal.reason });
    throw new ContentError('io', 'tar could not be run; it is the package tar of the system', { cause: error });
  }
}

async function* terminated(names: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  for await (const name of names) yield `${name}\0`;
}
