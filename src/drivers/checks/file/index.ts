import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { formatDuration, type Millis } from '../../../core/units.ts';
import { startDeadline } from '../../deadline.ts';
import type { CheckDriver, CheckOf } from '../check-driver.ts';

type FileCheck = CheckOf<'file'>;
type Verdict = { readonly outcome: 'true' | 'false' | 'unknown'; readonly detail: string };

/** Text is searched in no larger files: it would have to be held in memory. */
const LARGEST_SEARCHED_BYTES = 64 * 1024 * 1024;

/** Whether a file is there and is what it should be. Links are followed. */
export function fileCheck(host: { readonly now: () => Millis }): CheckDriver<'file'> {
  return {
    check: async (check, { signal }) => {
      const deadline = startDeadline(signal, check.timeoutMs);
      const verdict = await judge(check, host.now, deadline.signal);
      if (deadline.cause() === undefined) return { key: check.key, ...verdict };
      const why =
        deadline.cause() === 'timedOut' ? `was not done after ${formatDuration(check.timeoutMs)}` : 'was interrupted';
      return { key: check.key, outcome: 'unknown', detail: `the check of ${check.path} ${why}` };
    },
  };
}

async function judge(check: FileCheck, now: () => Millis, signal: AbortSignal): Promise<Verdict> {
  const { path, is } = check;
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (is === 'absent') return { outcome: 'false', detail: `${path} is there` };
    return await judgeContent(check, file, now, signal);
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      return { outcome: is === 'absent' ? 'true' : 'false', detail: `${path} does not exist` };
    }
    if (signal.aborted || errno !== '') return { outcome: 'unknown', detail: `${path} cannot be read (${errno})` };
    throw error;
  }
}

async function judgeContent(
  check: FileCheck,
  file: FileHandle,
  now: () => Millis,
  signal: AbortSignal,
): Promise<Verdict> {
  const { path, newerThanMs, contains, sha256 } = check;
  const stats = await file.stat();
  const ageMs = Math.max(0, now() - stats.mtimeMs);
  if (newerThanMs !== undefined && ageMs > newerThanMs) {
    return { outcome: 'false', detail: `${path} was changed ${formatDuration(Math.round(ageMs))} ago` };
  }
  if (contains === undefined && sha256 === undefined) return { outcome: 'true', detail: `${path} is there` };
  if (!stats.isFile()) return { outcome: 'unknown', detail: `${path} is not a regular file` };
  if (contains !== undefined) {
    if (stats.size > LARGEST_SEARCHED_BYTES)
      return {
        outcome: 'unknown',
        detail: `${path} has ${stats.size} bytes; at most ${LARGEST_SEARCHED_BYTES} are searched`,
      };
    const bytes = await file.readFile({ signal });
    if (!bytes.includes(contains))
      return { outcome: 'false', detail: `${path} does not contain ${JSON.stringify(contains)}` };
  }
  const digest = sha256 === undefined ? undefined : await digestOf(file, signal);
  if (digest !== sha256) return { outcome: 'false', detail: `${path} has the SHA-256 ${digest}` };
  return { outcome: 'true', detail: `${path} is as expected` };
}

async function digestOf(file: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, autoClose: false, signal })) hash.update(piece as Buffer);
  return hash.digest('hex');
}
