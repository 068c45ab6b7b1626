/**
 * Reads files in the format of Prometheus' own PromQL tests (promql/promqltest): `load`, `clear` and `eval` blocks, each
 * ended by an empty line. What cannot be read never ends the file: the case it belongs to carries the reason.
 */
import { parseDurationSeconds, parseNumber } from '../../src/promql/literals.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';
import { parseSeriesLine, type SeriesLine } from '../../src/promql/series-notation.ts';
import { unquote } from '../../src/promql/string-literals.ts';

export type Load = {
  readonly kind: 'load';
  /** 1-based. */
  readonly line: number;
  readonly stepMs: number;
  readonly nhcb: boolean;
  readonly lines: readonly string[];
};

/** How a message of a failure or an annotation is to look; neither field set means any. */
export type Expectation = { readonly message?: string; readonly pattern?: string };

export type ExpectationKind = 'fail' | 'ordered' | 'warn' | 'no_warn' | 'info' | 'no_info';

export type Times = { readonly from: number; readonly to: number; readonly stepMs: number };

export type Case = {
  readonly kind: 'eval';
  /** 1-based. */
  readonly line: number;
  readonly query: string;
  /** An instant, or a range. */
  readonly time: { readonly at: number } | Times;
  readonly expectations: Readonly<Partial<Record<ExpectationKind, readonly Expectation[]>>>;
  readonly series: readonly SeriesLine[];
  readonly scalar?: number;
  readonly text?: string;
  /** The samples' times of a range vector that an instant query results in. */
  readonly rangeVector?: Times;
  /** Why the case is out of scope. */
  readonly skip?: string;
  /** Why the block cannot be understood. */
  readonly malformed?: string;
};

export type Command =
  | Load
  | Case
  | { readonly kind: 'clear' }
  | { readonly kind: 'unknown'; readonly line: number; readonly text: string };

const LOAD = /^load(?:_(with_nhcb))?\s+(.+?)$/;
const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/;
const RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
const EXPECT_RANGE = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;
const OLD_FAIL = /^expected_fail_(message|regexp)\s+(.*)$/;

export function parseTestFile(content: string): Command[] {
  const lines = content.split('\n').map((line) => (line.trim().startsWith('#') ? '' : line.trim()));
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; ) {
    const text = lines[i] ?? '';
    if (text === '') {
      i += 1;
      continue;
    }
    const { command, next } = parseCommand(lines, i);
    commands.push(command);
    i = next;
  }
  return commands;
}

function parseCommand(lines: readonly string[], at: number): { command: Command; next: number } {
  const text = lines[at] ?? '';
  const body = bodyOf(lines, at + 1);
  const next = at + 1 + body.length;
  if (text.toLowerCase() === 'clear') return { command: { kind: 'clear' }, next: at + 1 };
  const load = LOAD.exec(text);
  const seconds = load?.[2] === undefined ? undefined : parseDurationSeconds(load[2]);
  if (load !== null && seconds !== undefined) {
    return {
      command: { kind: 'load', line: at + 1, stepMs: seconds * 1000, nhcb: load[1] !== undefined, lines: body },
      next,
    };
  }
  if (text.startsWith('eval')) return parseEval(text, body, at);
  return { command: { kind: 'unknown', line: at + 1, text }, next };
}

function bodyOf(lines: readonly string[], from: number): string[] {
  const end = lines.indexOf('', from);
  return lines.slice(from, end === -1 ? lines.length : end);
}

type Draft = { -readonly [K in keyof Case]: Case[K] } & {
  expectations: Partial<Record<ExpectationKind, Expectation[]>>;
  series: SeriesLine[];
};

function parseEval(text: string, body: readonly string[], at: number): { command: Command; next: number } {
  const header = parseHeader(text);
  if (header === undefined) return { command: { kind: 'unknown', line: at + 1, text }, next: at + 1 + body.length };
  const draft: Draft = {
    kind: 'eval',
    line: at + 1,
    query: header.query,
    time: header.time,
    expectations: {},
    series: [],
  };
  if (header.mode !== undefined) draft.expectations[header.mode] = [{}];
  let used = 0;
  for (const line of body) {
    used += 1;
    if (readBodyLine(draft, line) === 'last') break;
  }
  return { command: draft, next: at + 1 + used };
}

type Header = { readonly query: string; readonly time: Case['time']; readonly mode: ExpectationKind | undefined };

function parseHeader(text: string): Header | undefined {
  const instant = INSTANT.exec(text);
  if (instant !== null) {
    const seconds = parseDurationSeconds(instant[2] ?? '');
    if (seconds === undefined) return undefined;
    return { query: instant[3] ?? '', time: { at: seconds * 1000 }, mode: modeOf(instant[1]) };
  }
  const range = RANGE.exec(text);
  const time = range === null ? undefined : timesOf(range.slice(2, 5));
  return range === null || time === undefined ? undefined : { query: range[5] ?? '', time, mode: modeOf(range[1]) };
}

function modeOf(mode: string | undefined): ExpectationKind | undefined {
  return mode === 'fail' || mode === 'warn' || mode === 'ordered' || mode === 'info' ? mode : undefined;
}

function timesOf([from = '', to = '', step = '']: readonly string[]): Times | undefined {
  const [first, last, width] = [from, to, step].map(parseDurationSeconds);
  if (first === undefined || last === undefined || width === undefined) return undefined;
  return { from: first * 1000, to: last * 1000, stepMs: width * 1000 };
}

/** Takes one line of a block; a number or an old-style failure message is the last of its block. */
function readBodyLine(draft: Draft, line: string): 'more' | 'last' {
  const old = OLD_FAIL.exec(line);
  if (old !== null) {
    draft.expectations.fail = [old[1] === 'message' ? { message: old[2] ?? '' } : { pattern: old[2] ?? '' }];
    return 'last';
  }
  if (line.startsWith('expect ')) {
    readExpectation(draft, line);
    return 'more';
  }
  const number = parseNumber(line);
  if (number !== undefined) {
    draft.scalar = number;
    return 'last';
  }
  readExpectedSeries(draft, line);
  return 'more';
}

function readExpectation(draft: Draft, line: string): void {
  const range = EXPECT_RANGE.exec(line);
  const times = range === null ? undefined : timesOf(range.slice(1));
  const text = line.startsWith('expect string ') ? unquote(line.slice('expect string '.length)) : undefined;
  const found = EXPECT.exec(line);
  if (times !== undefined) draft.rangeVector = times;
  else if (text !== undefined) draft.text = text;
  else if (found === null) draft.malformed = `not understood: ${line}`;
  else addExpectation(draft, found);
}

function addExpectation(draft: Draft, [, kind, form, value]: RegExpExecArray): void {
  const expectation =
    form === undefined ? {} : form === 'msg' ? { message: value?.trim() ?? '' } : { pattern: value?.trim() ?? '' };
  // The pattern lists exactly the kinds of the type.
  const key = kind as ExpectationKind;
  draft.expectations[key] = [...(draft.expectations[key] ?? []), expectation];
}

function readExpectedSeries(draft: Draft, line: string): void {
  try {
    draft.series.push(parseSeriesLine(line));
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error;
    if (error.code === 'unsupported') draft.skip = 'expects native histograms';
    else draft.malformed = `not understood: ${line}: ${error.message}`;
  }
}
