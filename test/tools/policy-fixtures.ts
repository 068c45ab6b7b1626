import { readdirSync, readFileSync } from 'node:fs';
import type { PolicyFile } from '../../src/core/model/revision.ts';
import { formatDiagnostics } from '../../src/policy/format-diagnostic.ts';
import { type LoadResult, loadPolicies } from '../../src/policy/load.ts';

const FOLDER = new URL('../fixtures/policy/', import.meta.url);
const SUFFIX = '.bad.yaml';

/** The fixtures of one group, without their suffix, in the order of their names. */
export function badFixtures(group: string): readonly string[] {
  return readdirSync(new URL(`${group}/`, FOLDER))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

export function readFixture(name: string): PolicyFile {
  return { path: name, bytes: readFileSync(new URL(name, FOLDER)) };
}

/** What a fixture is refused for, or warned of, as printed, without the file's name. */
export function faultsOf(
  group: string,
  name: string,
): { readonly refused: boolean; readonly lines: readonly string[] } {
  const file = readFixture(`${group}/${name}${SUFFIX}`);
  const host = { name: 'alpha', role: 'x' };
  const result = loadPolicies([file], { revision: 'r', host, hostLabels: { role: 'web' } });
  const lines = printed(result).map((line) => line.replaceAll(`${file.path}:`, ''));
  return { refused: !result.ok, lines };
}

/** Every line that people would see of a result. */
export function printed(result: LoadResult): readonly string[] {
  const found = result.ok ? { diagnostics: result.warnings, omitted: 0 } : result;
  const text = formatDiagnostics(found);
  return text === '' ? [] : text.split('\n').map((line) => line.trim());
}

/** A policy file from text. */
export function policyFile(path: string, text: string): PolicyFile {
  return { path, bytes: new TextEncoder().encode(text) };
}
