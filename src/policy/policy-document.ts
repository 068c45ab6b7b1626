import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { Origin } from '../core/model/origin.ts';
import type { JsonValue } from '../core/model/step.ts';
import { type LineIndex, placeOf } from './line-index.ts';
import type { Path } from './path.ts';
import { offsetInSource } from './scalar-offset.ts';

/** One YAML document of a file, parsed, with a way from its values back to their places. */
export type PolicyDocument = {
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
  readonly root: Node;
  /** Its content as plain data, without a prototype on any mapping. */
  readonly value: JsonValue;
  /** Places that are already known to be wrong; nothing more is said about them or about what they contain. */
  readonly spoilt: readonly Path[];
};

export function originAt(document: Pick<PolicyDocument, 'file' | 'lines'>, offset: number): Origin {
  return { file: document.file, ...placeOf(document.lines, offset) };
}

/** Where the value at the path begins; where it is absent, its nearest container's key. */
export function originOfValue(document: PolicyDocument, path: Path): Origin {
  const node = nodeAt(document, path);
  const offset = node?.range?.[0];
  return offset === undefined ? originOfKey(document, path) : originAt(document, offset);
}

/** Where the key that leads to the value stands; for an item of a list or a root, where it begins itself. */
export function originOfKey(document: PolicyDocument, path: Path): Origin {
  if (path.length === 0) return originAt(document, document.root.range?.[0] ?? 0);
  const last = path.at(-1) ?? '';
  const parent = nodeAt(document, path.slice(0, -1));
  if (isMap(parent)) {
    const key = pairOf(parent, String(last))?.key;
    if (isScalar(key) && key.range) return originAt(document, key.range[0]);
  }
  if (isSeq(parent)) {
    const node = nodeAt(document, path);
    if (node?.range) return originAt(document, node.range[0]);
  }
  return originOfKey(document, path.slice(0, -1));
}

/** Where a character of a text value stands, however the text is quoted or folded. */
export function originInText(document: PolicyDocument, path: Path, offset: number): Origin {
  const node = nodeAt(document, path);
  if (!isScalar(node) || typeof node.value !== 'string') return originOfValue(document, path);
  return originAt(document, offsetInSource(document.text, node as Scalar<string>, offset));
}

export function nodeAt(document: PolicyDocument, path: Path): Node | undefined {
  let node: unknown = document.root;
  for (const part of path) {
    if (isMap(node)) node = pairOf(node, String(part))?.value;
    else if (isSeq(node)) node = node.items[Number(part)];
    else return undefined;
  }
  return node === null ? undefined : (node as Node | undefined);
}

/** The last of equal keys, as the plain value has it. */
function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}
