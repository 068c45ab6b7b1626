/**
 * A5 on real units and a real SQLite file: what is damaged stops the service and is kept, the newest verified backup goes
 * back once a person has agreed, and it is over when the checklist says so.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { AbathurProduction, installProduction } from '../support/rows/abathur-production.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const ALL_ACTIVE = { api: 'active', workers: 'active', sync: 'active', embedding: 'active' };
const STOPPED = { ...ALL_ACTIVE, api: 'inactive', workers: 'inactive', sync: 'inactive' };
const PRODUCTION = { file: 'production.yaml', policy: 'abathur-production' };
/** One a second. The ladder begins within ten. */
const LONG_ENOUGH = 25;
const HOUR_MS = 3_600_000;

let inbox: Inbox;
let started = 0;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installProduction();
  inbox = await openInbox();
});

afterAll(async () => {
  await inbox[Symbol.asyncDispose]();
});

async function production(name: string): Promise<AbathurProduction> {
  started += 1;
  const one = new AbathurProduction(name, started, inbox);
  await one.start();
  return one;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('[A1] [A5] a production database whose bytes are overwritten', () => {
  test.concurrent('is stopped, kept, and put back from the newest verified backup within the hour', async () => {
    await using one = await production('corrupted');
    await one.guard();
    await one.point('abathur-daily');
    one.sql("INSERT INTO sessions (text) VALUES ('in the newest backup')");
    await one.point('abathur-daily');
    one.sql("INSERT INTO sessions (text) VALUES ('after it')");
    const before = await one.life();
    const begin = Date.now();
    await one.corrupt();
    const damaged = sha256(one.database);
    expect(await one.sqlite3('PRAGMA integrity_check')).not.toBe('ok');

    await one.told('approval');
    // Nobody writes to what may be damaged, and nothing was touched before somebody agreed.
    expect(await one.activity()).toEqual(STOPPED);
    expect(sha256(one.database)).toBe(damaged);
    await one.read('CRITICAL: the database is damaged');
    await one.approve('daemon');
    await one.resolved();

    expect(Date.now() - begin).toBeLessThan(HOUR_MS);
    expect(await one.recovery()).toContain('within the objective of 1h');
    expect(await one.sqlite3('PRAGMA integrity_check')).toBe('ok');
    expect(await one.sqlite3('SELECT count(*) FROM sessions')).toBe('21');
    expect(await one.sqlite3('SELECT text FROM sessions WHERE id = 21')).toBe('in the newest backup');
    expect(await one.activity()).toEqual(ALL_ACTIVE);
    expect(await one.life()).not.toBe(before);
    expect(await one.isHealthy()).toBe(true);
    expect(one.calls()).toEqual(
      expect.arrayContaining([
        '-m pytest tests/smoke/production_smoke_tests.py',
        '-m abathur.utils.benchmark --quick',
        '-m abathur.utils.validate_database',
      ]),
    );
  });

  test.concurrent('goes back too where only the service is down, and SQLite has put its log away', async () => {
    await using one = await production('down');
    await one.guard();
    await one.point('abathur-daily');
    await done(`systemctl stop ${one.unit('api')}`);
    // Whoever is the last to close it puts the log away; the daemon looks into it now and then.
    await until('the log is put away', async () => {
      await one.sqlite3('PRAGMA wal_checkpoint(TRUNCATE)');
      return existsSync(`${one.database}-wal`) ? undefined : true;
    });
    await one.approve('daemon');
    await one.resolved();
    expect(await one.isHealthy()).toBe(true);
    expect(await one.points('abathur-forensics')).toHaveLength(1);
  });

  test.concurrent('is not over while the smoke tests fail', async () => {
    await using one = await production('smoke');
    one.application('smoke_tests');
    await one.guard();
    await one.point('abathur-daily');
    await one.corrupt();
    await one.approve('daemon');
    await one.told('exhausted');
    expect(await one.sqlite3('PRAGMA integrity_check')).toBe('ok');
    expect(
      one
        .letters('specialist')
        .map(({ words }) => words)
        .join('\n'),
    ).toContain('The backup did not help');
  });

  test.concurrent.each([
    ['the policy is deleted', 'deleted', deleted],
    ['its thresholds are inverted', 'inverted', inverted],
  ])('stays damaged once %s', async (_mutation, name, change) => {
    await using one = await production(name);
    await one.guard({ ...PRODUCTION, change });
    await one.point('abathur-daily');
    const before = await one.life();
    await one.corrupt();
    const damaged = sha256(one.database);
    await one.untilScraped(LONG_ENOUGH);
    expect(one.letters('oncall')).toEqual([]);
    expect(await one.sqlite3('PRAGMA integrity_check')).not.toBe('ok');
    expect(sha256(one.database)).toBe(damaged);
    expect([await one.activity(), await one.life()]).toEqual([ALL_ACTIVE, before]);
  });
});
