/**
 * Checks that imports only point downwards, and that the pure layers reach no I/O, not even through a chain.
 *
 * Type-only imports count: a layer that needs the types of a higher one has its types in the wrong place.
 * Run it as `node test/tools/layers.ts [ROOT]`; it exits 1 and prints each chain that breaks the rule.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

/** Highest first. A folder may import from itself and from what stands below it. */
export const LAYERS = [
  ['main.ts'],
  ['cli', 'web'],
  ['library'],
  ['server'],
  ['daemon'],
  ['source'],
  ['policytest'],
  ['metrics'],
  ['drivers'],
  ['store'],
  ['policy'],
  ['promql'],
  ['core'],
] as const;

/** Layers without I/O, clock or logger; the packages named are themselves pure. */
export const PURE: Readonly<Record<string, readonly string[]>> = {
  core: ['fastest-levenshtein', 'node-diff3'],
  promql: ['@prometheus-io/lezer-promql', '@lezer/common', '@lezer/lr', 'fastest-levenshtein', 're2js'],
};

export type Violation = { readonly rule: string; readonly chain: readonly string[] };

type Graph = ReadonlyMap<string, readonly string[]>;

/** Every violation in the tree below `root`/src; chains name files relative to `root`. */
export function findViolations(root: string): Violation[] {
  const graph = importGraph(root);
  return [...upwardImports(graph), ...impureChains(graph)];
}

function importGraph(root: string): Graph {
  const graph = new Map<string, readonly string[]>();
  for (const file of sourceFiles(join(root, 'src'))) {
    graph.set(relative(root, file), importsOf(root, file));
  }
  return graph;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What a file imports: files of the project relative to the root, everything else by its specifier. */
function importsOf(root: string, file: string): string[] {
  const { module } = parseSync(file, readFileSync(file, 'utf8'));
  const specifiers = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) => found.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((found) => literalAt(file, found.moduleRequest.start, found.moduleRequest.end)),
  ];
  return [...new Set(specifiers)].map((specifier) =>
    specifier.startsWith('.') ? relative(root, resolve(dirname(file), specifier)) : specifier,
  );
}

function literalAt(file: string, start: number, end: number): string {
  return readFileSync(file, 'utf8').slice(start, end).replaceAll(/['"`]/g, '');
}

function layerOf(file: string): number {
  const [, folder = ''] = file.split('/');
  return LAYERS.findIndex((names) => (names as readonly string[]).includes(folder));
}

function upwardImports(graph: Graph): Violation[] {
  const violations: Violation[] = [];
  for (const [file, imports] of graph) {
    if (layerOf(file) === -1) violations.push({ rule: 'file outside every layer', chain: [file] });
    for (const imported of imports) {
      if (imported.startsWith('src/') && layerOf(imported) < layerOf(file)) {
        violations.push({ rule: 'imports point downwards only', chain: [file, imported] });
      }
    }
  }
  return violations;
}

function impureChains(graph: Graph): Violation[] {
  const violations: Violation[] = [];
  for (const file of graph.keys()) {
    const [, folder = ''] = file.split('/');
    const allowed = PURE[folder];
    if (allowed === undefined) continue;
    const chain = shortestChain(graph, file, (name) => isImpure(name, allowed));
    if (chain !== undefined) violations.push({ rule: `src/${folder} is pure`, chain });
  }
  return violations;
}

function isImpure(name: string, allowed: readonly string[]): boolean {
  if (name.startsWith('src/')) return false;
  if (isBuiltin(name)) return true;
  return !allowed.some((packageName) => name === packageName || name.startsWith(`${packageName}/`));
}

function shortestChain(graph: Graph, start: string, isGoal: (name: string) => boolean): string[] | undefined {
  const queue: string[][] = [[start]];
  const seen = new Set([start]);
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    for (const next of graph.get(chain.at(-1) ?? '') ?? []) {
      if (isGoal(next)) return [...chain, next];
      if (!seen.has(next)) {
        seen.add(next);
        queue.push([...chain, next]);
      }
    }
  }
  return undefined;
}

if (import.meta.main) {
  const violations = findViolations(resolve(process.argv[2] ?? '.'));
  for (const { rule, chain } of violations) process.stderr.write(`${rule}: ${chain.join(' → ')}\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
