import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  infiniteStream,
  integer,
  letrec,
  nat,
  oneof,
  string,
  tuple,
  uniqueArray,
} from 'fast-check';
import type { JsonValue } from '../../src/core/model/step.ts';

/** Answers from an endless row of small numbers, so that a layout shrinks with them. */
type Choose = (below: number) => number;

const word = constantFrom('a', 'on', 'no', 'query', 'x-1', 'name', 'spec', 'kind', 'y', '10m', 'path/to', 'ä#b');
const text = oneof(
  word,
  constantFrom(
    '',
    ' ',
    'a: b',
    'a #b',
    '- x',
    "it's",
    'say "x"',
    'back\\slash',
    '{a}',
    '[',
    'null',
    'true',
    '7',
    '${host.a}',
  ),
  constantFrom(
    'one\ntwo\n',
    'one\n\n\ntwo',
    '  indented\nnot\n',
    'trailing \nspace',
    '\nfirst\n',
    'ends\n\n\n',
    '# no comment\n',
  ),
  string({ maxLength: 12 }).filter((given) => /^[\x20-\x7e\u00e4\u2026]*$/.test(given)),
);
const scalar = oneof(text, integer({ min: -9, max: 999 }), boolean(), constant(null), constant(0.5));

const tree: Arbitrary<JsonValue> = letrec<{ value: JsonValue }>((tie) => ({
  value: oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    array(tie('value'), { maxLength: 4 }),
    uniqueArray(tuple(word, tie('value')), { maxLength: 4, selector: ([key]) => key }).map(Object.fromEntries),
  ),
})).value;

const root = uniqueArray(tuple(word, tree), { minLength: 1, maxLength: 4, selector: ([key]) => key }).map(
  (pairs): JsonValue => Object.fromEntries(pairs),
);

/** One to three YAML documents in a layout that nobody would choose, with comments wherever they may stand. */
export const laidOut: Arbitrary<string> = tuple(
  array(root, { minLength: 1, maxLength: 3 }),
  infiniteStream(nat({ max: 5039 })),
).map(([values, stream]) => {
  const choose: Choose = (below) => Number(stream.next().value) % below;
  return values.map((value) => blockMap(value, 0, choose, '')).join(`---${gapAfter(choose)}`);
});

function gapAfter(choose: Choose): string {
  return ['\n', ' # behind\n', '\n\n', '\n# own\n', '   \n'][choose(5)] ?? '\n';
}

/** What may stand between two lines. */
function filler(choose: Choose, indent: number): string {
  const at = ' '.repeat(indent);
  return ['', '', '', '\n', '\n\n\n', `${at}# own line\n`, `\n${at}#tight\n\n`, `${at}  # deeper\n`][choose(8)] ?? '';
}

function blockMap(value: JsonValue, indent: number, choose: Choose, first: string): string {
  const lines = Object.entries(value as Readonly<Record<string, JsonValue>>).map(([key, item], index) => {
    const before = index === 0 && first !== '' ? '' : `${filler(choose, indent)}${' '.repeat(indent)}`;
    return `${before}${keyText(key, choose)}:${valueText(item, indent, choose)}`;
  });
  return `${first}${lines.join('')}`;
}

function blockList(items: readonly JsonValue[], indent: number, choose: Choose): string {
  return items
    .map((item) => `${filler(choose, indent)}${' '.repeat(indent)}-${itemText(item, indent, choose)}`)
    .join('');
}

function itemText(item: JsonValue, indent: number, choose: Choose): string {
  const isMap = typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length > 0;
  if (!isMap || choose(3) === 0) return valueText(item, indent, choose);
  const gap = choose(3) + 1;
  return blockMap(item, indent + 1 + gap, choose, ' '.repeat(gap));
}

/** All that stands behind a colon or a dash, with its line end. */
function valueText(value: JsonValue, indent: number, choose: Choose): string {
  const deeper = indent + 1 + choose(4);
  if (typeof value === 'string' && value.includes('\n') && choose(2) === 0) {
    const block = literal(value, indent, deeper, choose);
    if (block !== undefined) return block;
  }
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (typeof value !== 'object' || value === null || isEmpty || choose(3) === 0) {
    const open = choose(6) === 0 ? `\n${' '.repeat(deeper)}` : ' ';
    return `${open}${flow(value, deeper, choose)}${['', ' # behind', '  #tight'][choose(3)]}\n`;
  }
  const opening = ['\n', '\n', ' # behind\n', `\n\n${' '.repeat(deeper)}# own\n`][choose(4)];
  if (Array.isArray(value)) return `${opening}${blockList(value, deeper, choose)}`;
  return `${opening}${blockMap(value, deeper, choose, '')}`;
}

/** A literal block scalar; undefined for a text that it cannot hold. */
function literal(value: string, indent: number, deeper: number, choose: Choose): string | undefined {
  const body = value.replace(/\n+$/, '');
  if (body.trim() === '') return undefined;
  const tail = value.length - body.length;
  const chomp = tail === 0 ? '-' : tail === 1 ? '' : '+';
  const explicit = /^\n*[ ]/.test(value) || choose(4) === 0 ? String(deeper - indent) : '';
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${' '.repeat(deeper)}${line}`));
  const comment = choose(4) === 0 ? ' # behind' : '';
  return ` |${explicit}${chomp}${comment}\n${lines.join('\n')}\n${'\n'.repeat(Math.max(0, tail - 1))}`;
}

function keyText(key: string, choose: Choose): string {
  return [key.includes('#') ? JSON.stringify(key) : key, JSON.stringify(key), `'${key}'`][choose(3)] ?? key;
}

function flow(value: JsonValue, indent: number, choose: Choose): string {
  if (typeof value === 'string') return textIn(value, choose);
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Array.isArray(value)
    ? value.map((item) => flow(item, indent, choose))
    : Object.entries(value).map(([key, item]) => `${keyText(key, choose)}: ${flow(item, indent, choose)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const at = ' '.repeat(indent + 1);
  const joint = ['', ' ', `\n${at}`, ` # in the flow\n${at}`, `\n\n${at}# own\n${at}`];
  const parts = entries.map((entry) => `${joint[choose(5)]}${entry}${[',', ' ,'][choose(2)]}`);
  const last = entries.length > 0 && choose(2) === 0 ? parts.join('').replace(/ ?,$/, '') : parts.join('');
  return `${open}${last}${['', ' ', `\n${at}`, ` # last\n${at}`][choose(4)]}${close}`;
}

function textIn(value: string, choose: Choose): string {
  const isPlain = /^[a-z][a-z0-9/.-]*$/i.test(value) && !/^(null|true|false)$/i.test(value);
  if (isPlain && choose(2) === 0) return value;
  if (!value.includes('\n') && !value.includes('\\') && choose(2) === 0) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value);
}
