/**
 * Captures, captures again and restores in a process of its own, and prints what each took:
 * `node captured-process.ts STORE_FOLDER TARGET_TYPE_JSON [--no-restore]`.
 */
import { rmSync } from 'node:fs';
import type { Snapshot } from '../../src/core/model/point.ts';
import { pathOf, type Target, type TargetType } from '../../src/core/model/target.ts';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createTargetDrivers } from '../../src/drivers/targets/registry.ts';
import { openContentStore } from '../../src/store/content/content-store.ts';

const [folder = '', typeText = ''] = process.argv.slice(2);
const type = JSON.parse(typeText) as TargetType;
const origin = { file: 'bench.yaml', line: 1, column: 1 };
const target: Target = { name: 'bench', origin, suspend: false, quiesce: [], checks: [], type };
const driver = createTargetDrivers(createAllowList({}))[type.kind];
const store = await openContentStore(folder, { compression: 'zstd' });
const signal = new AbortController().signal;
const lines: Record<string, number> = {};

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await act();
  lines[what] = Math.round(performance.now() - begun);
  return result;
}

async function capture(operation: string, previous?: Snapshot): Promise<Snapshot> {
  const context = { signal, store, operation, now: Date.now, log: () => undefined, progress: () => undefined };
  const outcome = await driver.points?.capture(target, previous === undefined ? context : { ...context, previous });
  if (outcome?.outcome !== 'done') throw new Error(outcome?.detail);
  store.release(operation);
  return { ...outcome.snapshot, target: 'bench', type: type.kind };
}

const first = await timed('first', () => capture('one'));
await timed('unchanged', () => capture('two', first));
lines['captureRssMiB'] = Math.round(process.resourceUsage().maxRSS / 1024);
if (type.kind === 'postgres') throw new Error('a server is not measured here');
for (const path of type.kind === 'files' ? type.paths : [pathOf({ type })]) rmSync(path, { recursive: true });
const outcome = await timed('restore', () =>
  driver.restore(
    { target, to: 'point', paths: [], snapshot: first },
    {
      signal,
      operation: 'restore',
      log: () => undefined,
      perform: async () => await Promise.resolve({ outcome: 'done', detail: '' }),
      store,
    },
  ),
);
if (outcome.outcome !== 'done') throw new Error(outcome.detail);
lines['rssMiB'] = Math.round(process.resourceUsage().maxRSS / 1024);
lines['storedMiB'] = Math.round((await store.size()) / 2 ** 20);
process.stdout.write(`${JSON.stringify(lines)}\n`);
