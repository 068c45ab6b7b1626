import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { livedLog } from '../../support/lived-log.ts';
import { startPostgres } from '../../support/postgres.ts';
import { ProjectionStage } from '../../support/projection-stage.ts';

const LOG = livedLog(Date.now() - 45 * 86_400_000);
const server = await startPostgres();
const stages: ProjectionStage[] = [];
let schemas = 0;

afterAll(() => server[Symbol.asyncDispose]());
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.close()));
});

async function aStage(host?: string, schema = `s${(schemas += 1)}`): Promise<ProjectionStage> {
  const stage = new ProjectionStage(server, schema, host);
  stages.push(stage);
  await stage.migrate();
  return stage;
}

test('[M8] PostgreSQL answers as the views of the store do', async () => {
  const stage = await aStage();
  stage.logged.commit(LOG);
  expect(await stage.copyAll()).toBe(LOG.length);
  const here = await stage.here();
  expect(Object.values(here).every((rows) => Array.isArray(rows) && rows.length > 0)).toBe(true);
  expect(here).toEqual(await stage.there());
});

test('[M8] copied bit by bit while the host goes on, it is the same', async () => {
  const stage = await aStage();
  for (let begin = 0; begin < LOG.length; begin += 5) {
    stage.logged.commit(LOG.slice(begin, begin + 5), 2);
    await stage.copyAll();
  }
  expect(await stage.here()).toEqual(await stage.there());
});

test('[M8] several hosts write into one schema, and each is rebuilt for itself with nothing lost', async () => {
  const [one, other] = [await aStage('one', 'fleet'), await aStage('other', 'fleet')];
  one.logged.commit([...LOG]);
  other.logged.commit(LOG.map((event) => ({ ...event, at: event.at + 1 })));
  await Promise.all([one.copyAll(), other.copyAll()]);
  const before = [await one.here(), await other.here()];
  expect(await one.ask("SELECT rebuild_projection('one')")).toEqual([{ rebuild_projection: '1' }]);
  expect(Object.values(await one.here()).flat()).toEqual([]);
  await one.copyAll();
  expect([await one.here(), await other.here()]).toEqual(before);
  await expect(one.ask("SELECT rebuild_projection('two')")).rejects.toThrow(/no rows of host "two"; the hosts are in/);
});

test('two that copy the same store at once copy each event once', async () => {
  const stage = await aStage();
  stage.logged.commit(LOG);
  const copied = await Promise.all([stage.copyAll(), stage.copyAll(), stage.copyAll()]);
  expect(copied.reduce((sum, each) => sum + each, 0)).toBe(LOG.length);
  expect(await stage.here()).toEqual(await stage.there());
});

test('a log that was put back to an earlier state is not mixed with what was copied of the later one', async () => {
  const [early, late] = [await aStage('test', 'forked'), await aStage('test', 'forked')];
  late.logged.commit(LOG);
  await late.copyAll();
  early.logged.commit(LOG.slice(0, 20));
  await expect(early.copyOnce()).rejects.toMatchObject({
    code: 'diverged',
    message: expect.stringContaining("SELECT rebuild_projection('test')"),
  });
  await early.ask("SELECT rebuild_projection('test')");
  expect(await early.copyAll()).toBe(20);
});

describe('[M8] the functions', () => {
  test('get_rollback_statistics() counts over all hosts', async () => {
    const stage = await aStage();
    stage.logged.commit(LOG);
    await stage.copyAll();
    const [own] = await stage.ask(
      `SELECT (SELECT count(*) FROM rollback_points) AS total_points, count(*) AS total_operations,
        count(*) FILTER (WHERE status IN ('done', 'completed')) AS successful_operations FROM rollback_operations`,
    );
    const [statistics] = await stage.ask('SELECT * FROM get_rollback_statistics()');
    expect(statistics).toMatchObject({ ...own, audit_entries: String(LOG.length) });
  });

  test('cleanup_old_operations(hours) deletes what ended before, leaves the audit log, and stays done', async () => {
    const stage = await aStage();
    stage.logged.commit(LOG);
    await stage.copyAll();
    const old = "FROM rollback_operations WHERE completed_at < now() - interval '168 hours'";
    const [counted] = await stage.ask(`SELECT count(*) ${old}`);
    expect(Number(counted?.['count'])).toBeGreaterThan(0);
    expect(await stage.ask('SELECT cleanup_old_operations(168)')).toEqual([
      { cleanup_old_operations: counted?.['count'] },
    ]);
    expect(await stage.ask(`SELECT count(*) ${old}`)).toEqual([{ count: '0' }]);
    expect(await stage.ask('SELECT count(*) FROM rollback_audit_log')).toEqual([{ count: String(LOG.length) }]);
    stage.logged.commit([{ at: Date.now(), type: 'source.recovered' }]);
    await stage.copyAll();
    expect(await stage.ask(`SELECT count(*) ${old}`)).toEqual([{ count: '0' }]);
    await expect(stage.ask('SELECT cleanup_old_operations(-1)')).rejects.toThrow(/expected how many hours to keep/);
  });
});
