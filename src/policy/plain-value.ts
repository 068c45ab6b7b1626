import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Origin } from '../core/model/origin.ts';
import type { JsonValue } from '../core/model/step.ts';
import { type Diagnostic, errorAt, warningAt } from './diagnostic.ts';
import type { Path } from './path.ts';
import { originAt, type PolicyDocument } from './policy-document.ts';

/** No policy needs more levels; deeper ones are a mistake or an attack. */
const DEEPEST = 50;

/** What YAML 1.1 tools read as booleans (yaml.org/type/bool.html), where YAML 1.2 reads text. */
const BOOLEANS_OF_1_1 = /^(y|n|yes|no|on|off)$/i;

/** The one key of the language that YAML 1.1 tools misread; it is a Notifier's, and cannot be called otherwise. */
const OWN_KEY = 'spec.on';

/** Whether YAML 1.1 tools would take an unquoted text for a boolean that YAML 1.2 reads as text. */
export function isBooleanOf11(text: string, path: Path): boolean {
  return BOOLEANS_OF_1_1.test(text) && path.join('.') !== OWN_KEY;
}

export type PlainValue = {
  readonly value: JsonValue;
  readonly diagnostics: readonly Diagnostic[];
  readonly spoilt: readonly Path[];
};

type Source = Pick<PolicyDocument, 'file' | 'text' | 'lines' | 'root'>;
type Context = { readonly source: Source; readonly diagnostics: Diagnostic[]; readonly spoilt: Path[] };

/**
 * The document as plain data. Whatever lets a document say something else than a reviewer sees is refused:
 * anchors, aliases, merge keys, tags, duplicate keys. Mappings have no prototype, so that no key is special.
 */
export function plainValue(source: Source): PlainValue {
  const context: Context = { source, diagnostics: [], spoilt: [] };
  return { value: convert(context, source.root, []), diagnostics: context.diagnostics, spoilt: context.spoilt };
}

function convert(context: Context, node: Node | null, path: Path): JsonValue {
  if (node === null) return null;
  if (path.length > DEEPEST) return refuse(context, node, path, 'E-YAML-DEEP', `nested deeper than ${DEEPEST} levels`);
  if (isAlias(node)) {
    const message = `found the alias *${node.source}; write the value out: aliases hide from a reviewer what a document says`;
    return refuse(context, node, path, 'E-YAML-ALIAS', message);
  }
  refuseProperties(context, node, path);
  if (isMap(node)) return convertMap(context, node, path);
  if (isSeq(node)) return node.items.map((item, index) => convert(context, item as Node | null, [...path, index]));
  return isScalar(node) ? scalarValue(context, node, path) : null;
}

function refuse(context: Context, node: Node, path: Path, code: string, message: string): null {
  context.spoilt.push(path);
  context.diagnostics.push(errorAt(originOf(context, node), code, message));
  return null;
}

function originOf({ source }: Context, node: Node) {
  return originAt(source, node.range?.[0] ?? 0);
}

/** A node's range begins after its anchor and tag. */
function originOfProperty({ source }: Context, node: Node, mark: string): Origin {
  const start = node.range?.[0] ?? 0;
  const offset = source.text.lastIndexOf(mark, start);
  return originAt(source, offset === -1 ? start : offset);
}

function refuseProperties(context: Context, node: Node, path: Path): void {
  if ('anchor' in node && node.anchor !== undefined) {
    const message = `found the anchor &${node.anchor}; leave it out: policies have no anchors and aliases, they hide from a reviewer what a document says`;
    context.diagnostics.push(errorAt(originOfProperty(context, node, `&${node.anchor}`), 'E-YAML-ANCHOR', message));
  }
  if (node.tag !== undefined && !(isScalar(node) && node.type !== 'PLAIN' && node.tag === '!')) {
    const name = node.tag.replace('tag:yaml.org,2002:', '!!');
    context.spoilt.push(path);
    const message = `found the tag ${name}; leave it out: policies have no tags`;
    context.diagnostics.push(
      errorAt(originOfProperty(context, node, name.startsWith('!!') ? '!!' : '!'), 'E-YAML-TAG', message),
    );
  }
}

function convertMap(context: Context, map: YAMLMap, path: Path): JsonValue {
  const plain = Object.create(null) as Record<string, JsonValue>;
  const seen = new Map<string, Node>();
  for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    refuseProperties(context, key, [...path, name]);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, key);
    else if (refuseDuplicate(context, path, name, key, first, seen.has('spec')) === 'stop') break;
    if (name === '<<' && key.type === 'PLAIN') refuseMerge(context, key, path);
    else plain[name] = convert(context, value, [...path, name]);
    warnOfBoolean(context, key, [...path, name]);
  }
  return plain;
}

/** A second head in one document is a forgotten separator, and everything after it another document. */
function refuseDuplicate(
  context: Context,
  path: Path,
  name: string,
  key: Node,
  first: Node,
  hasSpec: boolean,
): 'stop' | 'go on' {
  const related = [{ ...originOf(context, first), message: `the first \`${name}\`` }];
  if (path.length === 0 && (name === 'apiVersion' || (name === 'kind' && hasSpec))) {
    const message = `a second document begins here (\`${name}\` for the second time); put a line with --- before it`;
    context.diagnostics.push(errorAt(originOf(context, key), 'E-YAML-SEPARATOR', { message, related }));
    return 'stop';
  }
  const message = `the key \`${name}\` occurs twice here; keep one of them`;
  context.diagnostics.push(errorAt(originOf(context, key), 'E-DUPLICATE-KEY', { message, related }));
  return 'go on';
}

function refuseMerge(context: Context, key: Node, path: Path): void {
  const message = 'found a merge key <<; write the keys out: merging hides from a reviewer what a document says';
  refuse(context, key, path, 'E-YAML-MERGE', message);
}

function scalarValue(context: Context, node: Node, path: Path): JsonValue {
  warnOfBoolean(context, node, path);
  const value: unknown = isScalar(node) ? node.value : null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? Number(value) : null;
}

function warnOfBoolean(context: Context, node: Node, path: Path): void {
  if (!isScalar(node) || node.tag !== undefined || node.type !== 'PLAIN' || typeof node.value !== 'string') return;
  if (!isBooleanOf11(node.value, path)) return;
  const message = `\`${node.value}\` without quotes is text here, but a boolean to YAML 1.1 tools; write "${node.value}"`;
  context.diagnostics.push(warningAt(originOf(context, node), 'W-YAML-BOOLEAN', message));
}
