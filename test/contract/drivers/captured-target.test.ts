import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TargetType } from '../../../src/core/model/target.ts';
import type { AllowRules } from '../../../src/drivers/allow-list.ts';
import { CapturedStage, totals } from '../../support/points/captured-stage.ts';
import { DocumentService } from '../../support/points/document-service.ts';
import { aService } from '../../support/policies.ts';
import { psql, refuseLeftovers, startPostgres } from '../../support/postgres.ts';
import { makeRepository } from '../../tools/git-repository.ts';

/** What flags are is decided; see flags-target.test.ts. */
type NowhereOnTheHost = 'flags';

/** What every captured target promises, shown on each type of them. */
type Sample = {
  readonly type: (live: string) => TargetType;
  readonly make: (live: string) => void;
  /** Adds one thing, removes one and changes one. */
  readonly change: (live: string) => unknown;
  /** Makes it unreadable for everybody. */
  readonly lose: (live: string) => unknown;
  /** How its difference counts that change; one each, where it is not said. */
  readonly changed?: Readonly<Record<'added' | 'removed' | 'changed', number>>;
  /** What a capture of what is lost says. */
  readonly missing?: RegExp;
  /** Where git itself has the content: what is lost with it does not come back, and a rehearsal is made there. */
  readonly isInPlace?: true;
  /** What it stands in is not its own: a restore does not make that anew. */
  readonly isWithin?: true;
  /** What it looks like when it is lost: a look runs no program. */
  readonly lost?: 'captured';
  /** What does not allow it, and says so. */
  readonly forbidding: { readonly rules: AllowRules; readonly text: string };
  /** Throws if revertd left something elsewhere than in the live folder. */
  readonly tidied?: () => void;
};

const FORBIDDEN_PATH = {
  rules: { paths: ['/srv'] },
  text: 'is not among the paths that this host allows',
} as const;
const server = await startPostgres();
const { dsn } = server;

/** Of table `t`, and what becomes of them. */
const ROWS = "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')";
const CHANGES = [
  "UPDATE t SET name = 'other' WHERE id = 1",
  'DELETE FROM t WHERE id = 2',
  "INSERT INTO t VALUES (4, 'four')",
];

const SAMPLES = {
  files: {
    type: (live) => ({ kind: 'files', paths: [join(live, 'app')], exclude: [], oneFileSystem: false }),
    make: (live) => {
      mkdirSync(join(live, 'app/etc'), { recursive: true });
      for (const name of ['a', 'b', 'etc/c']) writeFileSync(join(live, 'app', name), `${name}\n`.repeat(2_000));
    },
    change: (live) => {
      writeFileSync(join(live, 'app/a'), 'changed');
      rmSync(join(live, 'app/b'));
      writeFileSync(join(live, 'app/etc/new'), 'new');
    },
    lose: (live) => rmSync(join(live, 'app'), { recursive: true }),
    forbidding: FORBIDDEN_PATH,
  },
  sqlite: {
    type: (live) => ({ kind: 'sqlite', path: join(live, 'app.db') }),
    make: (live) =>
      inDatabase(live, ['PRAGMA journal_mode = WAL', 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)', ROWS]),
    change: (live) => inDatabase(live, CHANGES),
    lose: (live) => rmSync(join(live, 'app.db')),
    forbidding: FORBIDDEN_PATH,
  },
  postgres: {
    type: (live) => {
      writeFileSync(join(live, 'dsn'), dsn('app'));
      const database = { kind: 'postgres', dsn: { file: join(live, 'dsn') } } as const;
      return { kind: 'postgres', database, schemas: [], tables: [] };
    },
    make: () => {
      psql(dsn(), 'DROP DATABASE IF EXISTS app', 'CREATE DATABASE app');
      psql(
        dsn('app'),
        'CREATE TABLE t (id integer PRIMARY KEY, name text)',
        ROWS,
        'CREATE TABLE filler AS SELECT i, md5(i::text) FROM generate_series(1, 2000) i',
      );
    },
    change: () =>
      psql(
        dsn('app'),
        "UPDATE t SET name = 'other' WHERE id = 1",
        'DELETE FROM t WHERE id = 2',
        "INSERT INTO t VALUES (4, 'four')",
      ),
    lose: () => psql(dsn(), 'DROP DATABASE app'),
    forbidding: { rules: { databases: ['*/other'] }, text: 'is not among the databases that this host allows' },
    tidied: () => refuseLeftovers(server),
  },
  http: {
    type: (live) => ({
      kind: 'http',
      url: `${documents.origin}/${basename(dirname(live))}`,
      headers: {},
      method: 'PUT',
      ignore: ['/served'],
      timeoutMs: 10_000,
      maxBytes: 100_000,
    }),
    make: (live) => documents.set(live, { rate: 5, list: ['a', 'b'], gone: { deep: true }, text: 'x'.repeat(5_000) }),
    change: (live) => documents.set(live, { rate: 6, list: ['a', 'b'], new: 1, text: 'x'.repeat(5_000) }),
    lose: (live) => documents.delete(live),
    forbidding: { rules: { hosts: ['example.com'] }, text: 'is not among the hosts that this host allows' },
  },
  command: {
    type: (live) => ({
      kind: 'command',
      capture: ['cat', join(live, 'rules')],
      restore: ['dd', 'status=none', `of=${join(live, 'rules')}`],
      observe: ['sh', '-c', `cat ${join(live, 'rules')} || true`],
      env: {},
      timeoutMs: 60_000,
      maxBytes: 100_000_000,
    }),
    make: (live) => writeFileSync(join(live, 'rules'), 'one\ntwo\n'.repeat(2_000)),
    change: (live) => writeFileSync(join(live, 'rules'), 'one\nthree\n'.repeat(2_000)),
    lose: (live) => rmSync(join(live, 'rules')),
    changed: { added: 0, removed: 0, changed: 1 },
    missing: /cat ended with exit code 1: .*No such file or directory/,
    lost: 'captured',
    forbidding: { rules: { commands: ['/srv/*'] }, text: 'is not among the commands that this host allows' },
  },
  git: {
    type: (live) => ({ kind: 'git', path: join(live, 'app'), build: [], activate: [], bakeMs: 60_000 }),
    make: (live) =>
      void makeRepository(join(live, 'app')).commit({ a: 'a', b: 'b', 'etc/c': 'c'.repeat(5_000) }, 'First'),
    change: (live) =>
      void makeRepository(join(live, 'app')).commit({ a: 'changed', b: null, 'etc/new': 'new' }, 'Second'),
    lose: (live) => rmSync(join(live, 'app'), { recursive: true }),
    missing: /no such file or directory/,
    isInPlace: true,
    forbidding: FORBIDDEN_PATH,
  },
  rows: {
    type: (live) => ({
      kind: 'rows',
      database: { kind: 'sqlite', path: join(live, 'app.db') },
      tables: ['t', 'filler'],
    }),
    make: (live) =>
      inDatabase(live, [
        'PRAGMA journal_mode = WAL',
        'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)',
        ROWS,
        'CREATE TABLE filler (id INTEGER PRIMARY KEY, text TEXT)',
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO filler SELECT i, hex(randomblob(20)) FROM n',
      ]),
    change: (live) => inDatabase(live, CHANGES),
    lose: (live) => rmSync(join(live, 'app.db')),
    isWithin: true,
    forbidding: FORBIDDEN_PATH,
  },
} satisfies Readonly<Record<Exclude<TargetType['kind'], NowhereOnTheHost>, Sample>>;

/** Kinds that stand in more than one place. */
const MORE_SAMPLES = {
  'rows of PostgreSQL': {
    ...SAMPLES.postgres,
    type: (live) => {
      writeFileSync(join(live, 'dsn'), dsn('app'));
      const database = { kind: 'postgres', dsn: { file: join(live, 'dsn') } } as const;
      return { kind: 'rows', database, tables: ['t', 'filler'] };
    },
    make: () => {
      SAMPLES.postgres.make();
      psql(dsn('app'), 'ALTER TABLE filler ADD PRIMARY KEY (i)');
    },
    isWithin: true,
  },
} satisfies Readonly<Record<string, Sample>>;

let documents: DocumentService;

beforeAll(async () => {
  documents = await DocumentService.start();
});
afterAll(() => documents.close());

function inDatabase(live: string, statements: readonly string[]): void {
  const database = new DatabaseSync(join(live, 'app.db'));
  for (const statement of statements) database.exec(statement);
  database.close();
}

const KEY = Buffer.alloc(32, 3);

afterAll(() => server[Symbol.asyncDispose]());

describe.each(Object.entries({ ...SAMPLES, ...MORE_SAMPLES }) as readonly (readonly [string, Sample])[])(
  '%s',
  (_kind, sample) => {
    let stage: CapturedStage;
    const { changed = { added: 1, removed: 1, changed: 1 } } = sample;

    beforeEach(async () => {
      stage = await CapturedStage.open(sample.type, { key: KEY });
      sample.make(stage.live);
    });
    afterEach(() => {
      sample.tidied?.();
      stage.close();
    });

    test('captured, changed and restored, is what it was', async () => {
      const snapshot = await stage.capture();
      expect(snapshot).toMatchObject({ encrypted: true, compression: 'zstd', from: 1_000, to: 1_000 });
      // Nobody knows of a checkout that revertd never moved whether it is effective.
      expect(await stage.observe(snapshot)).toBe(sample.isInPlace === true ? 'notDone' : 'done');
      expect(totals(await stage.diff(snapshot))).toStrictEqual({ added: 0, removed: 0, changed: 0 });
      sample.change(stage.live);
      expect(totals(await stage.diff(snapshot))).toStrictEqual(changed);
      expect(await stage.observe(snapshot)).toBe('notDone');
      expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
      expect(await stage.observe(snapshot)).toBe('done');
      expect(totals(await stage.diff(snapshot))).toStrictEqual({ added: 0, removed: 0, changed: 0 });
      expect((await stage.capture()).fingerprint).toBe(snapshot.fingerprint);
      expect(stage.remains()).toStrictEqual([]);
    });

    test('can be restored again and again, and after it was lost', async () => {
      const snapshot = await stage.capture();
      for (let turn = 0; turn < 2; turn += 1) {
        expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
      }
      if (sample.isInPlace === true || sample.isWithin === true) return;
      sample.lose(stage.live);
      expect(await stage.observe(snapshot)).toBe('notDone');
      expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
      expect((await stage.capture()).fingerprint).toBe(snapshot.fingerprint);
    });

    test('has another fingerprint for another state, and a difference between two snapshots', async () => {
      const first = await stage.capture();
      sample.change(stage.live);
      const second = await stage.capture({ previous: first });
      expect(second.fingerprint).not.toBe(first.fingerprint);
      expect(totals(await stage.diff(first, second))).toStrictEqual(changed);
      expect(totals(await stage.diff(second, first))).toStrictEqual(changed);
    });

    test('captured anew without a change adds next to nothing', async () => {
      const first = await stage.capture();
      const second = await stage.capture({ previous: first });
      expect(second.fingerprint).toBe(first.fingerprint);
      expect(second.storedBytes).toBeLessThan(2_000);
      expect(second.detail).toContain('unchanged');
    });

    test('captured with another compression says so', async () => {
      expect(await stage.capture({ compression: 'none' })).toMatchObject({ compression: 'none' });
      expect(await stage.capture({ compression: 'gzip' })).toMatchObject({ compression: 'gzip' });
    });

    test('whose capture is ended leaves nothing half', async () => {
      const kept = await stage.capture();
      sample.change(stage.live);
      for (const signal of [AbortSignal.abort(), abortedSoon()]) {
        const outcome = await stage.points.capture(stage.target, stage.captureContext({ signal }));
        if (outcome.outcome === 'done') stage.store.release('capture:2');
      }
      await stage.store.collect([kept.manifest], new AbortController().signal);
      expect(await stage.store.manifestCount()).toBeLessThanOrEqual(2);
      expect(await stage.points.verify(stage.target, kept, stage.pointContext())).toMatchObject({ outcome: 'valid' });
      expect(readdirSync(join(stage.store.folder, 'tmp'))).toStrictEqual([]);
      expect(readdirSync(join(stage.store.folder, 'scratch'))).toStrictEqual([]);
    });

    test('whose restore is ended beforehand is untouched', async () => {
      const snapshot = await stage.capture();
      sample.change(stage.live);
      const after = await stage.capture();
      const outcome = await stage.restore(snapshot, [], { signal: AbortSignal.abort() });
      expect(outcome.outcome).toBe('failed');
      expect((await stage.capture()).fingerprint).toBe(after.fingerprint);
      expect(stage.remains()).toStrictEqual([]);
    });

    test('whose quiesce fails is untouched, and says why', async () => {
      const quiesced = { ...stage.target, quiesce: [aService('a.service', 'stop')] };
      const snapshot = await stage.capture();
      sample.change(stage.live);
      const after = await stage.capture();
      const perform = async () =>
        await Promise.resolve({ outcome: 'failed', code: 'failed', detail: 'it will not stop' } as never);
      const order = { target: quiesced, to: 'point', paths: [], snapshot };
      expect(await stage.driver.restore(order, stage.restoreContext({ perform }))).toStrictEqual({
        outcome: 'failed',
        detail: 'it will not stop',
      });
      expect((await stage.capture()).fingerprint).toBe(after.fingerprint);
      expect(stage.remains()).toStrictEqual([]);
    });

    test('finds a flipped bit, names what needs it, and does not restore it', async () => {
      const snapshot = await stage.capture();
      expect(await stage.points.verify(stage.target, snapshot, stage.pointContext())).toMatchObject({
        outcome: 'valid',
      });
      const largest = stage.blobs().sort((a, b) => statSync(b).size - statSync(a).size);
      for (const path of largest.slice(0, 3)) {
        const bytes = readFileSync(path);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 3) ^ 4, bytes.length - 3);
        writeFileSync(path, bytes);
      }
      sample.change(stage.live);
      expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'failed' });
      const verdict = await stage.points.verify(stage.target, snapshot, stage.pointContext());
      expect(verdict.outcome).toBe('invalid');
      expect(stage.remains()).toStrictEqual([]);
    });

    test('with a wrong key is neither valid nor invalid', async () => {
      const snapshot = await stage.capture();
      const { openContentStore } = await import('../../../src/store/content/content-store.ts');
      const without = await openContentStore(stage.store.folder, { compression: 'zstd' });
      const verdict = await stage.points.verify(stage.target, snapshot, stage.pointContext({ store: without }));
      expect(verdict).toMatchObject({ outcome: 'failed' });
      expect(verdict.detail).toContain('key');
    });

    test('is rehearsed beside the live one, which is not touched', async () => {
      const snapshot = await stage.capture();
      sample.change(stage.live);
      const after = await stage.capture();
      const folder = join(stage.folder, 'scratch');
      mkdirSync(folder);
      const rehearsed = await stage.points.rehearse(stage.target, snapshot, folder, stage.pointContext());
      expect(rehearsed).toMatchObject({ outcome: 'done' });
      expect(readdirSync(folder)).toHaveLength(sample.isInPlace === true ? 0 : 1);
      if (rehearsed.outcome === 'done') await rehearsed.end?.();
      expect((await stage.capture()).fingerprint).toBe(after.fingerprint);
    });

    test('that is not there is not captured, and a look says so', async () => {
      sample.lose(stage.live);
      const outcome = await stage.points.capture(stage.target, stage.captureContext());
      expect(outcome).toMatchObject({ outcome: 'failed' });
      expect(outcome.detail).toMatch(sample.missing ?? /does not exist/);
      expect(await stage.driver.read(stage.target, new AbortController().signal)).toMatchObject({
        kind: sample.lost ?? 'unreadable',
      });
    });

    test('is looked at', async () => {
      expect(await stage.driver.read(stage.target, new AbortController().signal)).toMatchObject({
        kind: sample.isInPlace === true ? 'git' : 'captured',
      });
    });

    test('is not restored without a snapshot, or where the host forbids it', async () => {
      const order = { target: stage.target, to: 'nothing', paths: [] };
      expect(await stage.driver.restore(order, stage.restoreContext())).toMatchObject({ outcome: 'failed' });
      const { createTargetDrivers } = await import('../../../src/drivers/targets/registry.ts');
      const { createAllowList } = await import('../../../src/drivers/allow-list.ts');
      const strict = createTargetDrivers(createAllowList(sample.forbidding.rules))[stage.target.type.kind];
      const snapshot = await stage.capture();
      const refused = await strict.restore({ ...order, snapshot }, stage.restoreContext());
      expect(refused.detail).toContain(sample.forbidding.text);
    });
  },
);

function abortedSoon(): AbortSignal {
  const control = new AbortController();
  setImmediate(() => control.abort());
  return control.signal;
}
