import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findViolations } from '../tools/layers.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'revertd-layers-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function tree(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test('this project keeps its layers', () => {
  expect(findViolations(resolve(import.meta.dirname, '../..'))).toEqual([]);
});

test('a core file that reaches node:fs through two hops is found, with the chain', () => {
  tree({
    'src/core/decide.ts': `import { a } from './a.ts'; export const d = a;`,
    'src/core/a.ts': `export { b as a } from './b.ts';`,
    'src/core/b.ts': `import { readFileSync } from 'node:fs'; export const b = readFileSync;`,
  });
  expect(findViolations(root)).toContainEqual({
    rule: 'src/core is pure',
    chain: ['src/core/decide.ts', 'src/core/a.ts', 'src/core/b.ts', 'node:fs'],
  });
});

test.each([
  ['a value', `import { x } from '../daemon/x.ts'; export const y = x;`],
  ['a type', `import type { X } from '../daemon/x.ts'; export type Y = X;`],
  ['a re-export', `export * from '../daemon/x.ts';`],
  ['a dynamic import', `export const y = () => import('../daemon/x.ts');`],
])('an upward import of %s is found', (_what, text) => {
  tree({ 'src/core/y.ts': text, 'src/daemon/x.ts': 'export type X = 1; export const x = 1;' });
  expect(findViolations(root)).toContainEqual({
    rule: 'imports point downwards only',
    chain: ['src/core/y.ts', 'src/daemon/x.ts'],
  });
});

test('a package that is not known to be pure is impure', () => {
  tree({ 'src/core/log.ts': `import pino from 'pino'; export const log = pino;` });
  expect(findViolations(root)).toEqual([{ rule: 'src/core is pure', chain: ['src/core/log.ts', 'pino'] }]);
});

test('a file outside every layer is found', () => {
  tree({ 'src/utils/x.ts': 'export const x = 1;' });
  expect(findViolations(root)).toEqual([{ rule: 'file outside every layer', chain: ['src/utils/x.ts'] }]);
});
