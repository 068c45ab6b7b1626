import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

export type Log = Logger;
type Level = 'debug' | 'info' | 'warn' | 'error';

/** pino's numbers to syslog's, which journald reads from a `<N>` before the line. */
const PRIORITIES: readonly (readonly [number, number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];

/** JSON lines on stderr; with journald's priorities under systemd, and short lines for people on a terminal. */
export function createLog(level: Level, environment: Readonly<Record<string, string | undefined>>): Log {
  const underSystemd = environment['JOURNAL_STREAM'] !== undefined;
  const format = underSystemd ? withPriority : process.stderr.isTTY ? forPeople : identity;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      process.stderr.write(format(chunk.toString('utf8')), () => done());
    },
  });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

function identity(line: string): string {
  return line;
}

function withPriority(line: string): string {
  const { level } = parse(line);
  const [, priority] = PRIORITIES.find(([from]) => level >= from) ?? [0, 6];
  return `<${priority}>${line}`;
}

function forPeople(line: string): string {
  const { level, time, msg, ...rest } = parse(line);
  const label = level >= 50 ? 'error' : level >= 40 ? 'warn ' : level >= 30 ? 'info ' : 'debug';
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${time.slice(11, 23)} ${label} ${[msg, ...details].join(' ')}\n`;
}

function parse(line: string): { level: number; time: string; msg: string } & Record<string, unknown> {
  return JSON.parse(line) as { level: number; time: string; msg: string };
}
