import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');
/** Values, not types: those are gone when it runs. */
const IMPORT = /^import (?!type )[^;]*? from 'node:(?:http|https|tls)';/m;

test('HTTP and TLS come from node-http.ts alone: a static import of them loads clients that the daemon does not use', () => {
  const files = globSync('**/*.ts', { cwd: SRC }).filter((file) => !file.endsWith('.test.ts'));
  const importing = files.filter((file) => IMPORT.test(readFileSync(join(SRC, file), 'utf8')));
  expect(files.length).toBeGreaterThan(100);
  expect(importing).toEqual([]);
});
