import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Store } from './store.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-store-'));
  store = new Store(folder);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

test('the revision saved last is kept, also by a clock that was set back', () => {
  for (let index = 0; index < 60; index += 1) store.saveRevision({ revision: `r${index}`, files: [] }, 1_000 + index);
  store.saveRevision({ revision: 'newest', files: [] }, 1);
  expect(store.revision('newest')).toEqual({ revision: 'newest', files: [] });
  expect(store.revision('r0')).toBeUndefined();
});
