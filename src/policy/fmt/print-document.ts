import type { CST } from 'yaml';
import type { Path } from '../path.ts';
import {
  behindBracket,
  flatText,
  flowEntries,
  isBareEntry,
  isEmptyFlow,
  isSequence,
  keyName,
  keyText,
  UnprintableError,
  withinBrackets,
} from './flow-text.ts';
import { blockScalarLines, endsInBlank, INDENT, isFlowScalar, scalarLines } from './scalar-text.ts';
import { hasComment, type Sheet, writeTrivia } from './sheet.ts';

/** Flow collections that would be wider are written in the block style. */
const WIDTH = 120;

/** The order in which readers look for what a document is. */
const HEAD = ['apiVersion', 'kind', 'metadata', 'spec'];

/** A block collection that is open: its indentation as it was, and as it becomes. */
type Level = { readonly source: number; readonly indent: number };

/** Where a value stands: the way to it, and the block collections around it, the outermost first. */
type Place = { readonly path: Path; readonly levels: readonly Level[] };

/** The value of a document, at the beginning of a line. */
export function printRoot(sheet: Sheet, value: CST.Token): void {
  if (value.type === 'block-map') printMap(sheet, { ...value, items: inHeadOrder(value.items) }, 0, ROOT);
  else printValue(sheet, value, [], 0, ROOT, 0);
  sheet.endLine();
}

const ROOT: Place = { path: [], levels: [] };

type MapItems = CST.BlockMap['items'];

function inHeadOrder(items: MapItems): MapItems {
  const ranks = items.map(({ key }) => (key === undefined || key === null ? HEAD.length : HEAD.indexOf(keyName(key))));
  if (ranks.includes(-1)) return items;
  const [first, ...rest] = items
    .map((item, index) => ({ item, rank: ranks[index] ?? 0 }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ item }) => item);
  if (first === undefined || first === items[0]) return items;
  // A blank line that stood between two keys does not begin the document.
  const begin = first.start.findIndex(({ type }) => type === 'comment');
  return [{ ...first, start: begin === -1 ? [] : first.start.slice(begin) }, ...rest];
}

function printMap(sheet: Sheet, map: CST.BlockMap, indent: number, outer: Place): void {
  const place = openLevel(outer, map.indent, indent);
  let isFirst = true;
  for (const item of map.items) {
    if (!isFirst) sheet.endLine();
    isFirst = false;
    if (item.key === undefined) {
      writeLastComments(sheet, item.start, place.levels);
      continue;
    }
    writeTrivia(sheet, item.start, indent);
    if (item.key === null || item.explicitKey === true) throw new UnprintableError('an explicit key');
    printPair(sheet, item.key, item.sep, item.value, indent, place);
  }
}

function openLevel({ path, levels }: Place, source: number, indent: number): Place {
  return { path, levels: [...levels, { source, indent }] };
}

function within(place: Place, part: string | number): Place {
  return { ...place, path: [...place.path, part] };
}

/**
 * Comments behind the last entry of a collection. The parser leaves them there together if one of them is indented as
 * that collection is; the others belong to the collections around it.
 */
function writeLastComments(sheet: Sheet, tokens: readonly CST.SourceToken[], levels: readonly Level[]): void {
  let open = levels;
  for (const token of tokens) {
    if (token.type === 'comment') {
      const depth = open.findLastIndex(({ source }) => source <= token.indent);
      open = open.slice(0, Math.max(1, depth + 1));
    }
    writeTrivia(sheet, [token], open.at(-1)?.indent ?? 0);
  }
}

function printPair(
  sheet: Sheet,
  key: CST.Token,
  sep: readonly CST.Token[] | undefined,
  value: CST.Token | undefined,
  indent: number,
  place: Place,
): void {
  const below = within(place, keyName(key));
  const name = keyText(key, place.path);
  const behind = hoist(sheet, value, sheet.column(indent) + name.length + 2, indent, below.path);
  sheet.write(indent, `${name}:`);
  sheet.space();
  for (const comment of behind) sheet.comment(indent + INDENT, comment);
  if (value === undefined) writeTrivia(sheet, sep, indent + INDENT);
  else printValue(sheet, value, sep, indent + INDENT, below, indent);
}

/**
 * A comment behind a flow collection that becomes a block goes above it, where it still says what it is about. Gives
 * back those for which there is no line above.
 */
function hoist(
  sheet: Sheet,
  value: CST.Token | undefined,
  column: number,
  indent: number,
  path: Path,
): readonly string[] {
  if (value?.type !== 'flow-collection' || fits(value, column, path)) return [];
  const comments = restOfLine(value).flatMap((token) => (token.type === 'comment' ? [token.source] : []));
  if (sheet.isLineOpen()) return comments;
  for (const comment of comments) {
    sheet.comment(indent, comment);
    sheet.endLine();
  }
  return [];
}

function restOfLine(flow: CST.FlowCollection): readonly CST.Token[] {
  const behind = behindBracket(flow);
  const end = behind.findIndex(({ type }) => type === 'newline');
  return end === -1 ? behind : behind.slice(0, end);
}

function fits(flow: CST.FlowCollection, column: number, path: Path): boolean {
  const flat = flatText(flow, path);
  return isEmptyFlow(flow) || (flat !== undefined && column + flat.length <= WIDTH);
}

/**
 * A value behind its key or dash. `indent` is that of a block below it; `before` are the tokens between the two, whose
 * line ends say nothing unless there is a comment.
 */
function printValue(
  sheet: Sheet,
  value: CST.Token,
  before: readonly CST.Token[] | undefined,
  indent: number,
  place: Place,
  parent: number,
): void {
  writeComments(sheet, before, indent);
  switch (value.type) {
    case 'block-map':
      sheet.endLine();
      return printMap(sheet, value, indent, place);
    case 'block-seq':
      sheet.endLine();
      return printSequence(sheet, value, indent, place);
    case 'flow-collection':
      return printFlow(sheet, value, indent, place);
    case 'block-scalar':
      return printBlockScalar(sheet, value, parent);
    default:
      if (!isFlowScalar(value)) throw new UnprintableError(`a value of the type ${value.type}`);
      return printScalar(sheet, value, indent, place.path);
  }
}

function writeComments(sheet: Sheet, tokens: readonly CST.Token[] | undefined, indent: number): void {
  if (!hasComment(tokens)) return;
  const first = (tokens ?? []).findIndex(({ type }) => type === 'comment');
  const startsLine = (tokens ?? []).slice(0, first).some(({ type }) => type === 'newline');
  if (startsLine) sheet.endLine();
  writeTrivia(sheet, (tokens ?? []).slice(first), indent);
  sheet.endLine();
}

function printSequence(sheet: Sheet, sequence: CST.BlockSequence, indent: number, outer: Place): void {
  const place = openLevel(outer, sequence.indent, indent);
  for (const [index, item] of sequence.items.entries()) {
    if (index > 0) sheet.endLine();
    const dash = item.start.findIndex(({ type }) => type === 'seq-item-ind');
    if (dash === -1) {
      writeLastComments(sheet, item.start, place.levels);
      continue;
    }
    writeTrivia(sheet, item.start.slice(0, dash), indent);
    printItem(sheet, item.value, item.start.slice(dash + 1), indent, within(place, index));
  }
}

function printItem(
  sheet: Sheet,
  value: CST.Token | undefined,
  before: readonly CST.Token[],
  indent: number,
  place: Place,
): void {
  const behind = hoist(sheet, value, sheet.column(indent) + 2, indent, place.path);
  sheet.write(indent, '-');
  sheet.space();
  for (const comment of behind) sheet.comment(indent + INDENT, comment);
  if (value === undefined) return writeTrivia(sheet, before, indent + INDENT);
  writeComments(sheet, before, indent + INDENT);
  if (value.type === 'block-map') printMap(sheet, value, indent + INDENT, place);
  else if (value.type === 'block-seq') printSequence(sheet, value, indent + INDENT, place);
  else printValue(sheet, value, [], indent + INDENT, place, indent);
}

function printScalar(sheet: Sheet, scalar: CST.FlowScalar, indent: number, path: Path): void {
  const [first = '', ...rest] = scalarLines(scalar, path);
  sheet.write(indent, first);
  for (const line of rest) {
    sheet.endLine();
    if (line === '') sheet.raw(['']);
    else sheet.write(indent, line);
  }
  writeTrivia(sheet, scalar.end, indent);
}

function printBlockScalar(sheet: Sheet, scalar: CST.BlockScalar, parent: number): void {
  const { header, comment, lines } = blockScalarLines(scalar, parent + INDENT);
  sheet.write(parent + INDENT, header);
  if (comment !== undefined) sheet.comment(parent + INDENT, comment);
  sheet.raw(lines);
  if (endsInBlank(scalar)) sheet.wantBlank();
}

function printFlow(sheet: Sheet, flow: CST.FlowCollection, indent: number, place: Place): void {
  if (isEmptyFlow(flow)) {
    sheet.write(indent, isSequence(flow) ? '[]' : '{}');
    return writeTrivia(sheet, [...withinBrackets(flow), ...behindBracket(flow)], indent);
  }
  if (fits(flow, sheet.column(indent), place.path)) {
    sheet.write(indent, flatText(flow, place.path) ?? '');
    return writeTrivia(sheet, behindBracket(flow), indent);
  }
  printFlowAsBlock(sheet, flow, indent, place);
  writeTrivia(sheet, flow.end.slice(0, flow.end.length - behindBracket(flow).length), indent);
  sheet.endLine();
  // What stands on the bracket's line was hoisted, and its line end was that of the last entry.
  writeTrivia(sheet, behindBracket(flow).slice(restOfLine(flow).length + 1), indent);
}

/** Behind a dash the first entry stays on its line; behind a key all go below. */
function printFlowAsBlock(sheet: Sheet, flow: CST.FlowCollection, indent: number, place: Place): void {
  let isFirst = true;
  for (const [index, entry] of flowEntries(flow).entries()) {
    const { item, key, value } = entry;
    if (isFirst) writeComments(sheet, item.start, indent);
    else writeTrivia(sheet, item.start, indent);
    if (isBareEntry(entry)) continue;
    if (!isFirst || !endsWithDash(sheet, indent)) sheet.endLine();
    isFirst = false;
    if (key === undefined) {
      if (value !== undefined) printItem(sheet, value, [], indent, within(place, index));
      writeTrivia(sheet, item.sep, indent);
    } else if (isSequence(flow)) {
      sheet.write(indent, '-');
      sheet.space();
      printPair(sheet, key, item.sep, value, indent + INDENT, within(place, index));
    } else {
      printPair(sheet, key, item.sep, value, indent, place);
    }
  }
}

/** The open line is `- `, in which a mapping or a list may begin. */
function endsWithDash(sheet: Sheet, indent: number): boolean {
  return sheet.isLineOpen() && sheet.column(indent) === indent;
}
