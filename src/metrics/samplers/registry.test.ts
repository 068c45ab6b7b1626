import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SAMPLERS } from './registry.ts';

describe('the registry of samplers', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

  it('names exactly the folders', () => {
    expect(Object.keys(SAMPLERS).sort()).toEqual(folders.sort());
  });

  it.each(folders)('%s has a test and a README', (folder) => {
    for (const file of ['index.ts', 'index.test.ts', 'README.md']) {
      expect(existsSync(`${import.meta.dirname}/${folder}/${file}`)).toBe(true);
    }
  });
});
