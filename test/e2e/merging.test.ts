import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DecisionFile } from '../../src/cli/commands/points-resolve.ts';
import type { MergeReport } from '../../src/core/merge/merge-report.ts';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost } from '../support/e2e-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: graph }
spec: { rows: { sqlite: "\${host.folder}/graph.db", tables: [entities, relationships] } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: all }
spec: { targets: [graph], ttl: 30d }
`;

let host: E2eHost;
let service: DatabaseSync;

beforeEach(async () => {
  host = new E2eHost();
  service = new DatabaseSync(join(host.folder, 'graph.db'));
  service.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE entities (id INTEGER PRIMARY KEY, name TEXT, seen INTEGER);
    CREATE TABLE relationships (id INTEGER PRIMARY KEY, a INTEGER REFERENCES entities, b INTEGER REFERENCES entities);
    INSERT INTO entities VALUES (1, 'Ada', 0), (2, 'Bo', 0), (3, 'Cy', 0);
    INSERT INTO relationships VALUES (1, 1, 2), (2, 2, 3);
  `);
  host.commit({ 'policies.yaml': POLICIES }, 'All');
  host.writeConfig();
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
});
afterEach(async () => {
  service.close();
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand(...args, '--config', host.config);
}

async function taken(): Promise<string> {
  const { point } = await (await host.client()).post<{ point: string }>('points', { policy: 'all' });
  const found = await host.until(`point ${point}`, async () => {
    const one = await (await host.client()).get<PointDetail>(`points/${point}`);
    return one.state === 'valid' || one.state === 'failed' ? one : undefined;
  });
  expect(found.state).toBe('valid');
  return point;
}

function names(): readonly string[] {
  return service
    .prepare('SELECT id, name, seen FROM entities ORDER BY id')
    .all()
    .map((row) => Object.values(row).join('|'));
}

/** What `--json` prints of a merge of the graph. */
async function merged(...args: string[]): Promise<{ readonly code: number | null; readonly report: MergeReport }> {
  const { code, stdout } = await revertd('points', ...args, '--json');
  const { merges } = JSON.parse(stdout) as { readonly merges: { readonly graph: MergeReport } };
  return { code, report: merges.graph };
}

test('[M4] [M15] [M16] a merge by hand goes through the states of the diagrams: aborted, pending, decided, partial', async () => {
  const good = await taken();
  service.exec(
    "UPDATE entities SET name = name || '?'; DELETE FROM relationships WHERE id = 2; INSERT INTO entities VALUES (9, 'junk', 0)",
  );
  const bad = await taken();
  service.exec(
    "UPDATE entities SET seen = 1; UPDATE entities SET name = 'Ada Lovelace' WHERE id = 1; INSERT INTO entities VALUES (4, 'Di', 1)",
  );
  const live = names();
  const order = ['restore', good, '--mode', 'merge', '--ancestor', bad, '--reason', 'names with question marks'];
  const detection = ['analyzing', 'conflictDetection', 'conflictResolution'];

  const aborted = await merged(...order);
  expect(aborted).toMatchObject({ code: 3, report: { end: 'aborted', phases: [...detection, 'aborted'] } });
  expect(aborted.report.items.map((item) => `${item.class} ${item.item}`)).toStrictEqual([
    'value entities id=1',
    'missing entities id=9',
  ]);
  expect(names()).toStrictEqual(live);

  const file = join(host.folder, 'decisions.json');
  const pending = await merged(...order, '--conflicts', 'manual', '--decisions', file);
  expect(pending).toMatchObject({ code: 3, report: { end: 'pending', phases: [...detection, 'pending'] } });
  expect(names()).toStrictEqual(live);

  const asked = JSON.parse(readFileSync(file, 'utf8')) as DecisionFile;
  expect(asked.conflicts[0]).toMatchObject({
    take: null,
    ancestor: { name: 'Ada?' },
    live: { name: 'Ada Lovelace' },
    snapshot: { name: 'Ada' },
  });
  const undecided = await revertd('points', 'resolve', asked.restore, file);
  expect(undecided).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('must be "live" or "snapshot"; found null'),
  });
  const decided = {
    ...asked,
    conflicts: asked.conflicts.map((one, index) => ({ ...one, take: index === 0 ? 'live' : 'snapshot' })),
  };
  writeFileSync(file, JSON.stringify(decided, null, 2));

  service.exec("UPDATE entities SET name = 'Ada King' WHERE id = 1");
  expect(await merged('resolve', asked.restore, file)).toMatchObject({ code: 3, report: { end: 'pending' } });
  service.exec("UPDATE entities SET name = 'Ada Lovelace' WHERE id = 1");
  expect(await merged('resolve', asked.restore, file)).toMatchObject({
    code: 0,
    report: { end: 'completed', phases: [...detection, 'executing', 'completed'] },
  });
  expect(names()).toStrictEqual(['1|Ada Lovelace|1', '2|Bo|1', '3|Cy|1', '4|Di|1']);
  expect(service.prepare('SELECT count(*) AS n FROM relationships').get()).toMatchObject({ n: 2 });

  service.exec("UPDATE entities SET name = 'Ada?' WHERE id = 1; UPDATE entities SET name = 'Bo B.' WHERE id = 2");
  const partial = await merged(...order, '--conflicts', 'skip');
  expect(partial).toMatchObject({
    code: 3,
    report: { end: 'partiallyCompleted', phases: [...detection, 'executing', 'partiallyCompleted'] },
  });
  expect(names()).toStrictEqual(['1|Ada|1', '2|Bo B.|1', '3|Cy|1', '4|Di|1']);
});

test('[M4] a merge that makes no sense is refused before anything is touched', async () => {
  const good = await taken();
  const why = ['--reason', 'x'];
  expect(await revertd('points', 'restore', good, '--mode', 'merge', ...why)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--ancestor POINT'),
  });
  const same = await revertd('points', 'restore', good, '--mode', 'merge', '--ancestor', good, ...why);
  expect(same).toMatchObject({ code: 4, stderr: expect.stringContaining('cannot be its own ancestor') });
  const strategy = await revertd(
    'points',
    'restore',
    good,
    '--mode',
    'merge',
    '--ancestor',
    good,
    '--conflicts',
    'guess',
    ...why,
  );
  expect(strategy.stderr).toContain('`merge.conflicts` is one of abort, skip, overwrite, merge, manual');
});
