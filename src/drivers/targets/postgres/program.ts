import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { Millis } from '../../../core/units.ts';
import { createBoundedText } from '../../bounded-text.ts';
import { DEFAULT_PATH } from '../../process.ts';
import { TargetError } from '../target-driver.ts';
import { aborted, environmentOf, type Place } from './connection.ts';

export type ProgramSpec = {
  readonly program: string;
  readonly args: readonly string[];
  readonly place: Place;
  readonly database: string;
  /** Read in bounded memory. What it rejects with is what the run rejects with. */
  readonly input?: AsyncIterable<Buffer | string>;
};

const KEPT_EACH = 2048;
const GRACE_MS: Millis = 2000;

/**
 * Runs one of PostgreSQL's programs, and gives what it writes to `use`. The secret is in its environment alone. It ends
 * with the signal. Rejects with TargetError `tool`, whose message has what the program complained of, and with what `use`
 * and the input reject with.
 */
export async function runProgram<T>(
  { program, args, place, database, input }: ProgramSpec,
  signal: AbortSignal,
  use: (output: Readable) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw aborted();
  const env = { PATH: DEFAULT_PATH, LANG: 'C.UTF-8', ...environmentOf(place, database) };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child;
  const complaint = createBoundedText(KEPT_EACH);
  stderr.setEncoding('utf8').on('data', (piece: string) => complaint.push(piece));
  stdin.on('error', () => undefined);
  const gone = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', end, { once: true });
  const feeding = feed(stdin, input);
  feeding.catch(end);
  try {
    const using = use(stdout);
    using.catch(end);
    const [used, fed, code] = await Promise.allSettled([using, feeding, gone]);
    if (signal.aborted) throw aborted();
    // What the host or the store could not give is the cause of what the program then complains of.
    if (fed.status === 'rejected') throw fed.reason;
    if (code.status === 'rejected' || code.value !== 0) {
      if (used.status === 'rejected' && code.status === 'fulfilled' && code.value === null) throw used.reason;
      throw new TargetError('tool', `${basename(program)}: ${wordsOf(place.redact(complaint.text()))}`);
    }
    if (used.status === 'rejected') throw used.reason;
    return used.value;
  } finally {
    clearTimeout(killing);
    signal.removeEventListener('abort', end);
  }
}

/** A program that has enough closes its input; whether that was right its exit tells. */
async function feed(stdin: NodeJS.WritableStream, input: ProgramSpec['input']): Promise<void> {
  let isOpen = true;
  const closed = new Promise<void>((resolve) => {
    stdin.once('close', () => {
      isOpen = false;
      resolve();
    });
  });
  for await (const piece of input ?? []) {
    if (!isOpen) return;
    if (stdin.write(piece)) continue;
    const drained = new Promise<void>((resolve) => stdin.once('drain', () => resolve()));
    await Promise.race([drained, closed]);
  }
  stdin.end();
}

/** On one line, without what is the same in every message of the programs. */
function wordsOf(complaint: string): string {
  const lines = complaint.split('\n').map((line) => line.replace(/^pg_\w+: |^psql:<stdin>:\d+: /, '').trim());
  return lines.filter((line) => line !== '').join('; ') || 'it ended without a word';
}

/** For programs that only do something. */
export async function discard(output: Readable): Promise<void> {
  output.resume();
  if (!output.closed) await once(output, 'close');
}
