import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConflictItem } from '../../../src/core/merge/merge-report.ts';
import type { Snapshot } from '../../../src/core/model/point.ts';
import { CapturedStage } from '../../support/points/captured-stage.ts';
import { psql, startPostgres } from '../../support/postgres.ts';

const server = await startPostgres();
afterAll(() => server[Symbol.asyncDispose]());

const SCHEMA = [
  'CREATE TABLE kinds (id integer PRIMARY KEY, name text)',
  `CREATE TABLE entities (id integer PRIMARY KEY, kind integer REFERENCES kinds, name text UNIQUE, seen integer, facts JSON)`,
];

/** How it was when it was good, and what a bad deployment made of it before anybody noticed. */
const GOOD = [
  "INSERT INTO kinds VALUES (1, 'person'), (2, 'place')",
  `INSERT INTO entities VALUES (1, 1, 'Ada', 1, '{"a":1}'), (2, 1, 'Bo', 1, '{"a":1}'), (3, 1, 'Cy', 1, '{"a":1}'), (4, 2, 'Di', 1, '{"a":1}')`,
];
const BAD = [
  "UPDATE entities SET name = 'ada?' WHERE id = 1",
  "UPDATE entities SET name = 'bo?' WHERE id = 2",
  `UPDATE entities SET facts = '{"a":0}' WHERE id = 3`,
  'DELETE FROM entities WHERE id = 4',
  "INSERT INTO entities VALUES (5, 1, 'junk', 1, '{}')",
];

describe.each(['sqlite', 'postgres'] as const)('rows of %s, merged', (kind) => {
  let stage: CapturedStage;
  let service: DatabaseSync | undefined;
  let run: (...statements: readonly string[]) => void;
  let all: (query: string) => readonly string[];
  let good: Snapshot;
  let bad: Snapshot;

  beforeEach(async () => {
    stage = await CapturedStage.open((live) => {
      writeFileSync(join(live, 'dsn'), server.dsn('app'));
      const database =
        kind === 'sqlite'
          ? ({ kind, path: join(live, 'app.db') } as const)
          : ({ kind, dsn: { file: join(live, 'dsn') } } as const);
      return { kind: 'rows', database, tables: ['kinds', 'entities'] };
    });
    if (kind === 'sqlite') {
      const opened = new DatabaseSync(join(stage.live, 'app.db'));
      service = opened;
      run = (...statements) => statements.forEach((statement) => opened.exec(statement));
      all = (query) =>
        opened
          .prepare(query)
          .all()
          .map((row) => Object.values(row).join('|'));
    } else {
      psql(server.dsn(), 'DROP DATABASE IF EXISTS app WITH (FORCE)', 'CREATE DATABASE app');
      run = (...statements) => void psql(server.dsn('app'), ...statements);
      all = (query) => psql(server.dsn('app'), query).split('\n');
    }
    run(...SCHEMA, ...GOOD);
    good = await stage.capture();
    run(...BAD);
    bad = await stage.capture();
  });
  afterEach(() => {
    service?.close();
    service = undefined;
    stage.close();
  });

  const names = () => all('SELECT id, name, seen FROM entities ORDER BY id');

  test('[M4] what people changed since stays, what was bad goes back', async () => {
    run('UPDATE entities SET seen = 7 WHERE id = 1', "INSERT INTO entities VALUES (6, 2, 'Eve', 1, '{}')");
    const phases: string[] = [];
    const outcome = await stage.merge(good, bad, 'abort', { onPhase: (phase) => void phases.push(phase) });
    expect(phases).toStrictEqual(['analyzing', 'conflictDetection', 'executing']);
    expect(outcome).toStrictEqual({
      outcome: 'done',
      detail: 'rows of kinds, entities: 1 put back, 3 changed, 1 removed; merged without a conflict',
      merge: {
        phases: ['analyzing', 'conflictDetection', 'executing', 'completed'],
        end: 'completed',
        conflicts: 0,
        items: [],
      },
    });
    expect(names()).toStrictEqual(['1|Ada|7', '2|Bo|1', '3|Cy|1', '4|Di|1', '6|Eve|1']);
    expect(await stage.merge(good, bad, 'abort')).toMatchObject({ detail: expect.stringContaining('are so already') });
  });

  /** Of one cell, of a row that is gone, of a document. */
  const meddle = () =>
    run(
      "UPDATE entities SET name = 'Ada L.', seen = 8 WHERE id = 1",
      'DELETE FROM entities WHERE id = 2',
      `UPDATE entities SET facts = '{"a":0,"b":2}' WHERE id = 3`,
      "INSERT INTO entities VALUES (4, 2, 'Dora', 1, '{}')",
      "UPDATE entities SET name = 'not junk' WHERE id = 5",
    );

  test.each([
    ['abort', 'aborted', ['1|Ada L.|8', '3|Cy|1', '4|Dora|1', '5|not junk|1']],
    ['skip', 'partiallyCompleted', ['1|Ada L.|8', '3|Cy|1', '4|Dora|1', '5|not junk|1']],
    ['overwrite', 'completed', ['1|Ada|8', '2|Bo|1', '3|Cy|1', '4|Di|1']],
    ['manual', 'pending', ['1|Ada L.|8', '3|Cy|1', '4|Dora|1', '5|not junk|1']],
    ['merge', 'pending', ['1|Ada L.|8', '3|Cy|1', '4|Dora|1', '5|not junk|1']],
  ] as const)('[M4] with conflicts and %s it ends %s', async (strategy, end, left) => {
    meddle();
    const before = await stage.capture();
    const { outcome, merge } = await stage.merge(good, bad, strategy);
    expect(merge).toMatchObject({ end, conflicts: 5 });
    expect(merge?.items.map((item) => `${item.class} ${item.item}`)).toStrictEqual([
      'value entities id=1',
      'missing entities id=2',
      'value entities id=3',
      'duplicate entities id=4',
      'missing entities id=5',
    ]);
    expect(outcome).toBe(end === 'aborted' || end === 'pending' ? 'failed' : 'done');
    expect(names()).toStrictEqual(left);
    const isUntouched = end !== 'completed';
    expect((await stage.capture()).fingerprint === before.fingerprint).toBe(isUntouched);
  });

  test('[M4] documents within a cell are merged too', async () => {
    run(`UPDATE entities SET facts = '{"a":0,"b":2}' WHERE id = 3`);
    expect(await stage.merge(good, bad, 'abort')).toMatchObject({ merge: { end: 'aborted' } });
    expect(await stage.merge(good, bad, 'merge')).toMatchObject({ merge: { end: 'completed', conflicts: 1 } });
    expect(all('SELECT facts FROM entities WHERE id = 3')).toStrictEqual(['{"a":1,"b":2}']);
  });

  test('[M4] a person decides, and only about what it was when it was asked', async () => {
    meddle();
    const asked = await stage.merge(good, bad, 'manual');
    const items = asked.merge?.items ?? [];
    expect(items[0]).toMatchObject({ ancestor: { name: 'ada?' }, live: { name: 'Ada L.' }, snapshot: { name: 'Ada' } });
    const take = (item: ConflictItem) => (item.item === 'entities id=1' ? ('live' as const) : ('snapshot' as const));
    const decisions = items.map((item) => ({ item: item.item, digest: item.digest, take: take(item) }));

    run("UPDATE entities SET name = 'Ada Lovelace' WHERE id = 1");
    const again = await stage.merge(good, bad, 'manual', { decisions });
    expect(again).toMatchObject({ outcome: 'failed', merge: { end: 'pending' } });

    run("UPDATE entities SET name = 'Ada L.' WHERE id = 1");
    expect(await stage.merge(good, bad, 'manual', { decisions })).toMatchObject({
      outcome: 'done',
      merge: {
        end: 'completed',
        phases: ['analyzing', 'conflictDetection', 'conflictResolution', 'executing', 'completed'],
      },
    });
    expect(names()).toStrictEqual(['1|Ada L.|8', '2|Bo|1', '3|Cy|1', '4|Di|1']);
  });

  test('[M16] what depends on what is left is left too, and nothing refers to what is gone', async () => {
    run('DELETE FROM entities WHERE kind = 2', 'DELETE FROM kinds WHERE id = 2');
    const outcome = await stage.merge(good, bad, 'abort');
    expect(outcome).toMatchObject({ outcome: 'failed', merge: { end: 'aborted', items: [{ class: 'dependency' }] } });
    expect(await stage.merge(good, bad, 'merge')).toMatchObject({ merge: { end: 'pending' } });
    expect(await stage.merge(good, bad, 'skip')).toMatchObject({
      outcome: 'done',
      merge: { end: 'partiallyCompleted' },
    });
    expect(names()).toStrictEqual(['1|Ada|1', '2|Bo|1', '3|Cy|1']);
  });

  test('[M4] a constraint of the database is a conflict that nothing resolves', async () => {
    run("INSERT INTO entities VALUES (7, 1, 'Di', 1, '{}')");
    for (const strategy of ['skip', 'overwrite', 'merge'] as const) {
      const outcome = await stage.merge(good, bad, strategy);
      expect(outcome).toMatchObject({ outcome: 'failed', merge: { end: 'aborted', items: [{ class: 'constraint' }] } });
    }
    expect(names()).toStrictEqual(['1|ada?|1', '2|bo?|1', '3|Cy|1', '5|junk|1', '7|Di|1']);
  });

  test('[M4] a column that is gone is not overwritten; one that is new stays', async () => {
    run("ALTER TABLE entities ADD COLUMN mood text DEFAULT 'well'", "UPDATE entities SET mood = 'glad' WHERE id = 1");
    expect(await stage.merge(good, bad, 'overwrite')).toMatchObject({ merge: { end: 'completed' } });
    expect(all('SELECT id, name, mood FROM entities ORDER BY id')).toStrictEqual([
      '1|Ada|glad',
      '2|Bo|well',
      '3|Cy|well',
      '4|Di|well',
    ]);
    run(...BAD.slice(0, 4), 'ALTER TABLE entities DROP COLUMN facts');
    const outcome = await stage.merge(good, bad, 'overwrite');
    expect(outcome).toMatchObject({
      merge: { end: 'partiallyCompleted', items: [{ class: 'structure', item: 'entities id=3' }] },
    });
    expect(all('SELECT id, name FROM entities ORDER BY id')).toStrictEqual(['1|Ada', '2|Bo', '3|Cy', '4|Di']);
  });
});
