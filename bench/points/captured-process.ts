/**
 * Captures, captures again and restores in a process of its own, and prints what each took, with the program in a folder:
 * `node captured-process.ts PROGRAM_FOLDER STORE_FOLDER TARGET_TYPE_JSON`.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Snapshot } from '../../src/core/model/point.ts';
import type { Target, TargetType } from '../../src/core/model/target.ts';
import type * as allowLists from '../../src/drivers/allow-list.ts';
import type * as registry from '../../src/drivers/targets/registry.ts';
import type * as contentStores from '../../src/store/content/content-store.ts';

const [program = '', folder = '', typeText = ''] = process.argv.slice(2);
const { createAllowList } = (await import(join(program, 'drivers/allow-list.js'))) as typeof allowLists;
const { createTargetDrivers } = (await import(join(program, 'drivers/targets/registry.js'))) as typeof registry;
const { openContentStore } = (await import(join(program, 'store/content/content-store.js'))) as typeof contentStores;

const type = JSON.parse(typeText) as TargetType;
const origin = { file: 'bench.yaml', line: 1, column: 1 };
const target: Target = { name: 'bench', origin, suspend: false, quiesce: [], checks: [], type };
const driver = createTargetDrivers(createAllowList({}))[type.kind];
const store = await openContentStore(folder, { compression: 'zstd' });
const signal = new AbortController().signal;
const lines: Record<string, number> = { idleRssMiB: Math.round(process.resourceUsage().maxRSS / 1024) };

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await act();
  lines[what] = Math.round(performance.now() - begun);
  return result;
}

async function capture(operation: string, previous?: Snapshot): Promise<Snapshot> {
  const context = { signal, store, operation, now: Date.now, log: () => undefined, progress: () => undefined };
  const outcome = await driver.points.capture(target, previous === undefined ? context : { ...context, previous });
  if (outcome.outcome !== 'done') throw new Error(outcome.detail);
  store.release(operation);
  return { ...outcome.snapshot, target: 'bench', type: type.kind };
}

const first = await timed('first', () => capture('one'));
await timed('unchanged', () => capture('two', first));
lines['captureRssMiB'] = Math.round(process.resourceUsage().maxRSS / 1024);
if (type.kind !== 'files' && type.kind !== 'sqlite') throw new Error(`${type.kind} is not measured here`);
// Out of the way only: ext4 takes its time for new files while it is busy with many that were removed just before.
for (const path of type.kind === 'files' ? type.paths : [type.path]) renameSync(path, `${path}-before-${process.pid}`);
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
