/**
 * A2, A3 and A6 on real units and a real SQLite file: what people do by hand with the pack, and its daily backup. What came
 * of it is read by the sqlite3 of the host and by systemctl.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { AbathurProduction, installProduction, PATIENTLY, SESSIONS } from '../support/rows/abathur-production.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { type Change, deleted } from '../support/rows/mutate-pack.ts';

const ALL_ACTIVE = { api: 'active', workers: 'active', sync: 'active', embedding: 'active' };
const FRESH = { file: 'milestones.yaml', policy: 'abathur-fresh-start' };
const MEMORY = { file: 'milestones.yaml', policy: 'abathur-memory-milestone' };
const DAILY = { file: 'points.yaml', policy: 'abathur-daily' };
const TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table'";
const COUNT = 'SELECT count(*) FROM sessions';
/** So that the corruption is left to people. */
const UNSEEN = { ...PATIENTLY, abathurIntegrityInterval: '1h' };
const EVERY_MINUTE = { ...PATIENTLY, abathurBackupAt: '* * * * *' };
/** One look a second, so that a minute begins meanwhile. */
const MORE_THAN_A_MINUTE = 70;

let inbox: Inbox;
let started = 100;

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

const noSchedule: Change = (document) => {
  document.deleteIn(['spec', 'take', 'schedule']);
  return document;
};

describe('[A6] the backup', () => {
  test.concurrent('is taken by itself, and a restore of it keeps what it overwrites', async () => {
    await using one = await production('scheduled');
    await one.guard(undefined, EVERY_MINUTE);
    const point = await until('there is a backup', async () => (await one.points('abathur-daily')).at(-1), 90_000);
    const before = await one.life();
    one.sql('DELETE FROM sessions');
    const restored = await one.revertd(`points restore ${point} --reason lost`);
    expect(restored).toMatchObject({ code: 0, stderr: expect.stringContaining('done') });
    expect(await one.sqlite3(COUNT)).toBe(String(SESSIONS));
    expect(await one.sqlite3('PRAGMA integrity_check')).toBe('ok');
    // Nothing had the file open meanwhile.
    expect([await one.activity(), (await one.life()) === before]).toEqual([ALL_ACTIVE, false]);

    const [, undo = ''] = /revertd (points restore \S+)` undoes it/.exec(restored.stderr) ?? [];
    const undone = async () => ((await one.revertd(`${undo} --reason right`)).code === 0 ? true : undefined);
    await until('the safety copy goes back', undone);
    expect(await one.sqlite3(COUNT)).toBe('0');
    await one.untilHealthy();
  });

  test.concurrent('is not put back once it is damaged itself', async () => {
    await using one = await production('spoilt');
    await one.guard(undefined, PATIENTLY);
    const point = await one.point('abathur-daily');
    const blobs = readdirSync(join(one.folder, 'revertd/data/points/blobs'), { recursive: true, withFileTypes: true });
    for (const file of blobs) if (file.isFile()) writeFileSync(join(file.parentPath, file.name), 'damaged');
    one.sql('DELETE FROM sessions WHERE id > 7');
    expect((await one.revertd(`points verify ${point}`)).code).toBe(1);
    expect((await one.revertd(`points restore ${point} --reason lost`)).code).not.toBe(0);
    expect(await one.sqlite3(COUNT)).toBe('7');
    expect(await one.activity()).toEqual(ALL_ACTIVE);
  });

  test.concurrent('is not there once the policy has no schedule, so that what is lost stays lost', async () => {
    await using one = await production('unscheduled');
    await one.guard({ ...DAILY, change: noSchedule }, EVERY_MINUTE);
    await one.untilScraped(MORE_THAN_A_MINUTE);
    one.sql('DELETE FROM sessions');
    expect(await one.points('abathur-daily')).toEqual([]);
    expect(await one.sqlite3(COUNT)).toBe('0');
  });
});

describe('[A1] [A3] the tables of the memory milestone', () => {
  test.concurrent("are dropped with their indexes once a senior engineer agrees, and the core's stay", async () => {
    await using one = await production('milestone');
    await one.guard(undefined, PATIENTLY);
    const before = await one.life();
    expect((await one.revertd('rollback abathur-memory-milestone --reason failed')).code).toBe(0);
    await one.told('approval');
    expect((await one.revertd('incidents approve INC-1', 'daemon')).code).not.toBe(0);
    expect(await one.sqlite3(TABLES)).toBe('9');
    await one.approve('bin');
    await one.resolved();
    expect(await one.sqlite3("SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'")).toBe(
      'tasks,agents,audit,checkpoints,state,metrics',
    );
    expect(await one.sqlite3("SELECT count(*) FROM sqlite_master WHERE type = 'index'")).toBe('17');
    expect(await one.recovery()).toContain('within the objective of 30m');
    expect(await one.sqlite3('SELECT count(*) FROM tasks')).toBe('1');
    expect(await one.sqlite3('PRAGMA foreign_key_check; PRAGMA integrity_check')).toBe('ok');
    expect([await one.activity(), (await one.life()) === before]).toEqual([ALL_ACTIVE, false]);
    expect(await one.isHealthy()).toBe(true);
    // What was dropped can be had back.
    const [point = ''] = await one.points('abathur-daily');
    expect((await one.revertd(`points restore ${point} --reason needed`)).code).toBe(0);
    expect(await one.sqlite3(COUNT)).toBe(String(SESSIONS));
  });

  test.concurrent('stay, all of them, if a table of the core would be missing', async () => {
    await using one = await production('unproved');
    one.sql('DROP TABLE audit');
    await one.guard(undefined, PATIENTLY);
    await one.revertd('rollback abathur-memory-milestone --reason failed');
    await one.approve('bin');
    await one.told('exhausted');
    expect(await one.sqlite3(COUNT)).toBe(String(SESSIONS));
    expect(await one.sqlite3(TABLES)).toBe('8');
    expect(await one.activity()).toEqual(ALL_ACTIVE);
  });

  test.concurrent('stay once the policy is deleted', async () => {
    await using one = await production('no-milestone');
    await one.guard({ ...MEMORY, change: deleted }, PATIENTLY);
    expect((await one.revertd('rollback abathur-memory-milestone --reason failed')).code).not.toBe(0);
    expect(await one.sqlite3(TABLES)).toBe('9');
  });
});

describe('[A1] [A2] a database that failed', () => {
  test.concurrent('is made anew once somebody agrees, and kept for forensics', async () => {
    await using one = await production('fresh');
    await one.guard(undefined, UNSEEN);
    const before = await one.life();
    await one.corrupt();
    const damaged = sha256(one.database);
    expect((await one.revertd('rollback abathur-fresh-start --reason corrupted')).code).toBe(0);
    await one.approve('daemon');
    await one.resolved();
    expect(await one.sqlite3('PRAGMA integrity_check; PRAGMA foreign_key_check')).toBe('ok');
    expect(await one.sqlite3(TABLES)).toBe('6');
    expect([await one.activity(), (await one.life()) === before]).toEqual([ALL_ACTIVE, false]);
    expect(await one.recovery()).toContain('within the objective of 10m');
    expect(one.calls()).toContain('-m abathur.infrastructure.database --initialize');
    const [point = ''] = await one.points('abathur-forensics');
    expect((await one.revertd(`points restore ${point} --reason forensics`)).code).toBe(0);
    expect(sha256(one.database)).toBe(damaged);
  });

  test.concurrent('is put back as it was if the new one does not help', async () => {
    await using one = await production('helpless');
    one.application('smoke_tests');
    await one.guard(undefined, PATIENTLY);
    await one.revertd('rollback abathur-fresh-start --reason corrupted');
    await one.approve('daemon');
    await one.told('exhausted');
    expect(await one.sqlite3(COUNT)).toBe(String(SESSIONS));
    await one.untilHealthy();
  });

  test.concurrent('stays as it is once the policy is deleted', async () => {
    await using one = await production('no-fresh');
    await one.guard({ ...FRESH, change: deleted }, UNSEEN);
    await one.corrupt();
    const damaged = sha256(one.database);
    expect((await one.revertd('rollback abathur-fresh-start --reason corrupted')).code).not.toBe(0);
    expect(sha256(one.database)).toBe(damaged);
  });
});
