import type { CST } from 'yaml';
import type { Path } from '../path.ts';
import { isFlowScalar, scalarLines } from './scalar-text.ts';
import { hasComment } from './sheet.ts';

/** An entry of a flow collection: a pair of a mapping, or an item of a list. */
export type FlowEntry = {
  readonly item: CST.CollectionItem;
  /** Undefined for an item of a list. */
  readonly key: CST.Token | undefined;
  readonly value: CST.Token | undefined;
};

export function isSequence(flow: CST.FlowCollection): boolean {
  return flow.start.type === 'flow-seq-start';
}

/** What a flow collection contains. What is left of a comma at its end, or of comments alone, has neither key nor value. */
export function flowEntries(flow: CST.FlowCollection): readonly FlowEntry[] {
  return flow.items.map((item) => {
    const isPair = (item.sep ?? []).some(({ type }) => type === 'map-value-ind');
    const key = item.key ?? undefined;
    if (!isPair && isSequence(flow)) return { item, key: undefined, value: key ?? item.value };
    return { item, key, value: item.value };
  });
}

export function isBareEntry({ key, value }: FlowEntry): boolean {
  return key === undefined && value === undefined;
}

/** A flow collection or a scalar on one line; undefined if a comment or a line end within it stands against that. */
export function flatText(token: CST.Token, path: Path): string | undefined {
  if (isFlowScalar(token)) {
    const [line, ...more] = scalarLines(token, path);
    return more.length > 0 || hasComment(token.end) ? undefined : line;
  }
  if (token.type !== 'flow-collection' || hasComment(withinBrackets(token))) return undefined;
  const parts = flowEntries(token)
    .filter((entry) => !isBareEntry(entry))
    .map((entry, index) => flatEntry(entry, path, index));
  if (parts.includes(undefined)) return undefined;
  if (isSequence(token)) return `[${parts.join(', ')}]`;
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function flatEntry({ key, value, item }: FlowEntry, path: Path, index: number): string | undefined {
  if (hasComment(item.start) || hasComment(item.sep)) return undefined;
  if (value?.type === 'flow-collection' && hasComment(value.end)) return undefined;
  if (key === undefined) return value === undefined ? undefined : flatText(value, [...path, index]);
  const name = keyText(key, path);
  const isPair = (item.sep ?? []).some(({ type }) => type === 'map-value-ind');
  if (value === undefined) return isPair ? `${name}:` : name;
  const text = flatText(value, [...path, keyName(key)]);
  return text === undefined ? undefined : `${name}: ${text}`;
}

export function isEmptyFlow(flow: CST.FlowCollection): boolean {
  return flowEntries(flow).every(isBareEntry);
}

/** What stands between the last entry and the closing bracket. */
export function withinBrackets(flow: CST.FlowCollection): readonly CST.Token[] {
  const bare = flow.items.filter(({ key, value }) => key === undefined && value === undefined);
  const close = flow.end.length - behindBracket(flow).length - 1;
  return [...bare.flatMap(({ start, sep }) => [...start, ...(sep ?? [])]), ...flow.end.slice(0, close)];
}

/** What stands behind the closing bracket, and belongs to the line. */
export function behindBracket({ end }: CST.FlowCollection): readonly CST.Token[] {
  const close = end.findIndex(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
  return end.slice(close + 1);
}

export function keyText(key: CST.Token, path: Path): string {
  if (!isFlowScalar(key)) throw new UnprintableError(`a key of the type ${key.type}`);
  return scalarLines(key, [...path, keyName(key)]).join(' ');
}

/** Good enough to know a key of the language by; what needs an escape is none. */
export function keyName(key: CST.Token): string {
  if (!isFlowScalar(key)) return '';
  return key.type === 'scalar' ? key.source : key.source.slice(1, -1);
}

/** Something that policies cannot contain. It is never written in another way than it was. */
export class UnprintableError extends Error {
  override readonly name = 'UnprintableError';
  readonly code = 'unprintable';
}
