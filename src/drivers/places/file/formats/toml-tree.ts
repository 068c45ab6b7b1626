import type { AST } from 'toml-eslint-parser';

/** A key and its value, by the whole path of the key. `inside`: the inline table that holds it. */
export type TomlEntry = {
  readonly path: readonly string[];
  readonly pair: AST.TOMLKeyValue;
  readonly table: AST.TOMLTable | AST.TOMLTopLevelTable;
  readonly inside: AST.TOMLInlineTable | undefined;
};

/** All keys with a value, those of inline tables among them. */
export function entriesOf(top: AST.TOMLTopLevelTable): readonly TomlEntry[] {
  return top.body.flatMap((node) => {
    if (node.type === 'TOMLKeyValue') return entriesBelow(node, [], top, undefined);
    const prefix = node.resolvedKey.map(String);
    return node.body.flatMap((pair) => entriesBelow(pair, prefix, node, undefined));
  });
}

function entriesBelow(
  pair: AST.TOMLKeyValue,
  prefix: readonly string[],
  table: TomlEntry['table'],
  inside: AST.TOMLInlineTable | undefined,
): readonly TomlEntry[] {
  const path = [...prefix, ...pair.key.keys.map(nameOf)];
  const { value } = pair;
  const own: TomlEntry = { path, pair, table, inside };
  if (value.type !== 'TOMLInlineTable') return [own];
  return [own, ...value.body.flatMap((inner) => entriesBelow(inner, path, table, value))];
}

export function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

/** The node that holds the value, also within lists. */
export function locate(top: AST.TOMLTopLevelTable, parts: readonly string[]): AST.TOMLContentNode | undefined {
  const holder = entriesOf(top)
    .filter(({ path }) => path.every((part, index) => parts[index] === part))
    .sort((one, other) => other.path.length - one.path.length)[0];
  let node: AST.TOMLContentNode | undefined = holder?.pair.value;
  for (const part of parts.slice(holder?.path.length ?? 0)) {
    node = node?.type === 'TOMLArray' && /^(?:0|[1-9]\d*)$/.test(part) ? node.elements[Number(part)] : undefined;
  }
  return node;
}
