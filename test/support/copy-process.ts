/** Copies a store to PostgreSQL, and is killed before its so many-eth statement: FOLDER DSN SCHEMA NUMBER. */
import { copyEvents } from '../../src/store/postgres/copy-events.ts';
import { openPool } from '../../src/store/postgres/open-pool.ts';
import { Store } from '../../src/store/store.ts';
import { beforeEachStatement } from './statements.ts';

const [folder = '', dsn = '', schema = '', number = ''] = process.argv.slice(2);
const store = new Store(folder, { readOnly: true });
const pool = beforeEachStatement(openPool({ dsn }, 1), (count) => {
  if (count === Number(number)) process.kill(process.pid, 'SIGKILL');
});
while ((await copyEvents({ pool, schema, host: 'test', feed: () => store.feed })).copied > 0) {
  // The next batch.
}
await pool.end();
store.close();
