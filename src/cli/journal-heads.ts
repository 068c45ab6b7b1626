import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CliError, EXIT } from './exit-code.ts';

/** The newest is what counts, the ones before it say where; so many fit into one request. */
const MOST_HEADS = 50;
const UNIT = 'revertd.service';
const JOURNALCTL = ['journalctl', `--unit=${UNIT}`, '--output=cat', '--no-pager', '--reverse'] as const;

/** The newest heads that the daemon's own log lines tell, as `SEQ:HASH@MILLIS`, from systemd's journal. */
export async function journalHeads(): Promise<string[]> {
  const [program, ...rest] = JOURNALCTL;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const ended = once(child, 'close').catch((cause: unknown) => {
    throw unreadable('journalctl cannot be run', { cause });
  });
  const [heads] = await Promise.all([headsIn(child.stdout, MOST_HEADS), ended]);
  if (heads.length === 0)
    throw unreadable(`the journal has no line of ${UNIT} with a head${said === '' ? '' : `: ${said.trim()}`}`);
  return heads;
}

/** The same, from a file of such lines, oldest first as they were written; `-` is standard input. */
export async function fileHeads(path: string): Promise<string[]> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  let heads: string[];
  try {
    heads = await headsIn(input, Number.POSITIVE_INFINITY);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} cannot be read: ${why}`, EXIT.error, { cause });
  }
  if (heads.length === 0) throw unreadable(`${path} has no line with a head`);
  return heads.slice(-MOST_HEADS);
}

function unreadable(what: string, options: { cause?: unknown } = {}): CliError {
  const mend = `the daemon says one every five minutes, at \`log.level\` info; or give one with --head SEQ:HASH`;
  return new CliError(`${what}; ${mend}`, EXIT.error, options);
}

async function headsIn(input: Readable, most: number): Promise<string[]> {
  const heads: string[] = [];
  for await (const line of createInterface({ input })) {
    const head = headOf(line);
    if (head !== undefined) heads.push(head);
    if (heads.length >= most) break;
  }
  input.destroy();
  return heads;
}

/** A line as the daemon writes it, under systemd with a priority before it; lines of others are none of ours. */
function headOf(line: string): string | undefined {
  if (!line.includes('"logHead"')) return undefined;
  const { head } = /"logHead":"(?<head>\d+:[0-9a-f]{64})"/.exec(line)?.groups ?? {};
  const { time } = /"time":"(?<time>[^"]+)"/.exec(line)?.groups ?? {};
  const at = Date.parse(time ?? '');
  return head === undefined || Number.isNaN(at) ? head : `${head}@${at}`;
}
