/**
 * A process that restores a captured target and kills itself at a boundary:
 * `node restore-process.ts STORE_FOLDER TARGET_JSON SNAPSHOT_JSON BOUNDARY PASSAGE`.
 */
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { CapturedTarget } from '../../../src/core/model/target.ts';
import { createAllowList } from '../../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { filesTarget } from '../../../src/drivers/targets/files/index.ts';
import { postgresTarget } from '../../../src/drivers/targets/postgres/index.ts';
import { sqliteTarget } from '../../../src/drivers/targets/sqlite/index.ts';
import { openContentStore } from '../../../src/store/content/content-store.ts';

const [folder = '', targetText = '', snapshotText = '', boundary = '', passage = '1'] = process.argv.slice(2);
const target = JSON.parse(targetText) as CapturedTarget;
const snapshot = JSON.parse(snapshotText) as Snapshot;
let passages = 0;
const host = {
  allow: createAllowList({}),
  at: (name: string) => {
    passages += name === boundary ? 1 : 0;
    if (name === boundary && passages === Number(passage)) process.kill(process.pid, 'SIGKILL');
  },
};
const drivers = { files: filesTarget, sqlite: sqliteTarget, postgres: postgresTarget };
const driver = drivers[target.type.kind]({ ...host, secrets: createSecretResolver({}) });
const store = await openContentStore(folder, { compression: 'zstd' });
const outcome = await driver.restore(
  { target, to: 'point', paths: [], snapshot },
  {
    signal: new AbortController().signal,
    operation: 'restore',
    log: () => undefined,
    perform: async () => await Promise.resolve({ outcome: 'done', detail: '' }),
    store,
  },
);
process.stdout.write(JSON.stringify(outcome));
