/**
 * A7 on real units, a real SQLite file and a real file system that fills up: a log that cannot be read is told from a
 * damaged database, and taken away once a person has agreed; a disk that is nearly full gets room again.
 */
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox } from '../support/installed-host.ts';
import { AbathurProduction, installProduction } from '../support/rows/abathur-production.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { deleted, inverted } from '../support/rows/mutate-pack.ts';

const ALL_ACTIVE = { api: 'active', workers: 'active', sync: 'active', embedding: 'active' };
/** What production itself would answer is not looked for here. */
const NOT_PRODUCTION = { abathurUnreadableFor: '10m', abathurDownFor: '10m' };
const LOG_QUICKLY = { ...NOT_PRODUCTION, abathurLogFor: '4s', abathurLogWithin: '8s' };
const DISK_QUICKLY = {
  ...NOT_PRODUCTION,
  abathurHostInterval: '1s',
  abathurDiskFor: '3s',
  abathurDiskClearFor: '1s',
  abathurDiskSettle: '1s',
  abathurDiskWithin: '6s',
  abathurKeepOnFullDisk: '1s',
};
const DISK_BYTES = 96 * 2 ** 20;
const LONG_ENOUGH = 30;

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

async function production(name: string, diskBytes?: number): Promise<AbathurProduction> {
  started += 1;
  const one = new AbathurProduction(`a7-${name}`, 40 + started, inbox);
  await one.start(diskBytes);
  return one;
}

describe('[A7] a log that cannot be opened', () => {
  /** Nothing that is not committed to the main file can be read any more. */
  function damageLog(one: AbathurProduction): void {
    const log = `${one.database}-wal`;
    rmSync(log);
    mkdirSync(log);
  }

  test.concurrent('is kept and taken away once a person has agreed, and the database is what it was without it', async () => {
    await using one = await production('log');
    await one.guard(undefined, LOG_QUICKLY);
    await one.sqlite3('PRAGMA wal_checkpoint(TRUNCATE)');
    const rows = await one.sqlite3('SELECT count(*) FROM sessions');
    one.sql("INSERT INTO sessions (text) VALUES ('only in the log')");
    damageLog(one);
    expect(await one.sqlite3('SELECT 1 FROM sessions')).toContain('unable to open database file');

    await one.approve('daemon');
    await one.resolved();
    expect(await one.sqlite3('PRAGMA integrity_check')).toBe('ok');
    expect(await one.sqlite3('SELECT count(*) FROM sessions')).toBe(rows);
    expect(await one.activity()).toEqual(ALL_ACTIVE);
    expect(await one.isHealthy()).toBe(true);
    expect(await one.points('abathur-forensics')).toHaveLength(1);
  });

  test.concurrent('is left where the database itself is damaged: that is no matter of the log', async () => {
    await using one = await production('both');
    await one.guard(undefined, LOG_QUICKLY);
    await one.corrupt();
    one.sql('BEGIN IMMEDIATE; ROLLBACK');
    damageLog(one);
    await one.told('exhausted');
    expect(one.hasBrokenLog()).toBe(true);
    expect(await one.points('abathur-forensics')).toEqual([]);
  });

  test.concurrent.each([
    ['the policy is deleted', 'log-deleted', deleted],
    ['its threshold is inverted', 'log-inverted', inverted],
  ])('stays as it is once %s', async (_mutation, name, change) => {
    await using one = await production(name);
    await one.guard({ file: 'log.yaml', policy: 'abathur-log', change }, LOG_QUICKLY);
    await one.untilScraped(5);
    damageLog(one);
    await one.untilScraped(LONG_ENOUGH);
    expect(one.hasBrokenLog()).toBe(true);
    expect(one.letters('oncall')).toEqual([]);
  });
});

describe('[A7] a disk that is nearly full', () => {
  /** Rows that are gone again, whose pages the file keeps; and something else that takes the rest. */
  async function fill(one: AbathurProduction): Promise<void> {
    one.sql(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO sessions (embedding_blob) SELECT randomblob(3800) FROM n',
    );
    one.sql('DELETE FROM sessions WHERE embedding_blob IS NOT NULL; PRAGMA wal_checkpoint(TRUNCATE)');
    const { bavail, bsize } = statfsSync(join(one.folder, 'data'));
    const bytes = bavail * bsize - Math.floor(DISK_BYTES * 0.05);
    await done(`fallocate --length ${bytes} ${join(one.folder, 'data/other')}`);
  }

  function freeShare(one: AbathurProduction): number {
    const { bavail, blocks } = statfsSync(join(one.folder, 'data'));
    return bavail / blocks;
  }

  test.concurrent('gets room again, rung by rung, and loses no row and no protected point', async () => {
    await using one = await production('disk', DISK_BYTES);
    await one.guard(undefined, DISK_QUICKLY);
    const older = await one.point('abathur-daily');
    const newest = await one.point('abathur-daily');
    const rows = await one.sqlite3('SELECT count(*) FROM sessions');
    await fill(one);
    expect(freeShare(one)).toBeLessThan(0.1);
    await one.resolved();
    expect(freeShare(one)).toBeGreaterThan(0.2);
    expect(await one.sqlite3('SELECT count(*) FROM sessions')).toBe(rows);
    expect(await one.sqlite3('PRAGMA integrity_check')).toBe('ok');
    expect(older).not.toBe(newest);
    expect(await one.points('abathur-daily')).toEqual([newest]);
    const { stdout } = await one.revertd('incidents report INC-1');
    for (const rung of ['log', 'old-points', 'compact']) expect(stdout).toContain(`"${rung}"`);
  });

  test.concurrent.each([
    ['the policy is deleted', 'disk-deleted', deleted],
    ['its threshold is inverted', 'disk-inverted', inverted],
  ])('stays full once %s', async (_mutation, name, change) => {
    await using one = await production(name, DISK_BYTES);
    await one.guard({ file: 'disk.yaml', policy: 'abathur-disk', change }, DISK_QUICKLY);
    await one.untilScraped(5);
    await fill(one);
    await one.untilScraped(LONG_ENOUGH);
    expect(freeShare(one)).toBeLessThan(0.1);
  });
});
