import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Locked = { readonly optionalDependencies?: Readonly<Record<string, string>> };

/**
 * `npm ci` refuses a lockfile that leaves out an optional package, also one for another system. npm writes such a file
 * when it could not look up that package, and says nothing.
 */
test('the lockfile names every optional package, for all systems', () => {
  const text = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, Locked>> };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map((name) => `${name}, which ${path === '' ? 'the project' : path} names`),
  );
  expect(missing).toEqual([]);
});
