/**
 * A process that restores a captured target and kills itself at a boundary:
 * `node restore-process.ts STORE_FOLDER TARGET_JSON SNAPSHOT_JSON BOUNDARY PASSAGE [MERGE_JSON]`.
 */
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { Target } from '../../../src/core/model/target.ts';
import { createAllowList } from '../../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { TARGET_DRIVERS } from '../../../src/drivers/targets/registry.ts';
import type { MergeOrder } from '../../../src/drivers/targets/target-driver.ts';
import { openContentStore } from '../../../src/store/content/content-store.ts';

const [folder = '', targetText = '', snapshotText = '', boundary = '', passage = '1', mergeText] =
  process.argv.slice(2);
const target = JSON.parse(targetText) as Target;
const snapshot = JSON.parse(snapshotText) as Snapshot;
const merge = mergeText === undefined ? {} : { merge: JSON.parse(mergeText) as MergeOrder };
let passages = 0;
const host = {
  allow: createAllowList({}),
  secrets: createSecretResolver({}),
  at: (name: string) => {
    passages += name === boundary ? 1 : 0;
    if (name === boundary && passages === Number(passage)) process.kill(process.pid, 'SIGKILL');
  },
};
const driver = TARGET_DRIVERS[target.type.kind](host);
const store = await openContentStore(folder, { compression: 'zstd' });
const outcome = await driver.restore(
  { target, to: 'point', paths: [], snapshot, ...merge },
  {
    signal: new AbortController().signal,
    operation: 'restore',
    log: () => undefined,
    perform: async () => await Promise.resolve({ outcome: 'done', detail: '' }),
    store,
  },
);
process.stdout.write(JSON.stringify(outcome));
