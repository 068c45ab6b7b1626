/**
 * A8 on real units and a real SQLite file: each quarter every way back is rehearsed beside what is live, and timed. sqlite3,
 * systemctl and the sums of the files say that nothing was touched.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, type Ended, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { AbathurProduction, installProduction, PATIENTLY, SESSIONS } from '../support/rows/abathur-production.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { type Change, deleted } from '../support/rows/mutate-pack.ts';

const ALL_ACTIVE = { api: 'active', workers: 'active', sync: 'active', embedding: 'active' };
/** A drill is refused until every trigger was evaluated. */
const REFUSED = 4;

let inbox: Inbox;
let started = 200;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installProduction();
  inbox = await openInbox();
});

afterAll(async () => {
  await inbox[Symbol.asyncDispose]();
});

/** Production in calm, with a verified backup. */
async function backedUp(name: string, change?: Change): Promise<AbathurProduction> {
  started += 1;
  const one = new AbathurProduction(name, started, inbox);
  await one.start();
  const mutation = change === undefined ? undefined : { file: 'drills.yaml', policy: 'abathur-drill-backup', change };
  await one.guard(mutation, PATIENTLY);
  await one.point('abathur-daily');
  return one;
}

async function drill(one: AbathurProduction, name: string): Promise<Ended> {
  return await until(`${one.name} is calm`, async () => {
    const ended = await one.revertd(`drill ${name}`);
    return ended.code === REFUSED ? undefined : ended;
  });
}

/** The units' lives, and the database with all that belongs to it, by time and sum. */
async function live(one: AbathurProduction): Promise<string> {
  const files = `find ${join(one.folder, 'data')} -type f ! -name '*-shm' -printf '%p %i %m %T@ ' -exec sha256sum {} +`;
  return await done(
    `${files}; systemctl show --property=InvocationID,MainPID 'abathur-production-*@${one.name}.service'`,
  );
}

describe('[A8] each quarter', () => {
  test.concurrent('the backup is put back beside the live database, within its time', async () => {
    await using one = await backedUp('drilled');
    const before = await live(one);
    const { code, stdout, stderr } = await drill(one, 'abathur-drill-backup');
    expect([code, stdout + stderr]).toEqual([
      0,
      expect.stringMatching(/\(scratch\): successful\n +took +[\d.]+m?s, objective 1h\n/),
    ]);
    expect(stdout + stderr).toContain('was restored beside the live system');
    expect(await live(one)).toBe(before);
    expect(await one.activity()).toEqual(ALL_ACTIVE);
    expect(await one.sqlite3('SELECT count(*) FROM sessions')).toBe(String(SESSIONS));
    expect(readdirSync(join(one.folder, 'revertd/data/drills'))).toEqual([]);
  });

  test.concurrent('the whole way of a disaster is walked, and so is a fresh start', async () => {
    await using one = await backedUp('disaster');
    const before = await live(one);
    expect((await drill(one, 'abathur-drill-disaster')).stdout).toMatch(
      /\(scratch\): successful\n +took .* objective 1h\n/,
    );
    expect((await drill(one, 'abathur-drill-milestone')).stdout).toMatch(
      /\(scratch\): successful\n +took .* objective 30m\n/,
    );
    expect((await drill(one, 'abathur-drill-fresh-start')).stdout).toMatch(
      /\(scratch\): successful\n +took .* objective 10m\n/,
    );
    expect(await live(one)).toBe(before);
  });

  test.concurrent('a backup that is no good is found, long before it is needed', async () => {
    await using one = await backedUp('rotten');
    const blobs = readdirSync(join(one.folder, 'revertd/data/points/blobs'), { recursive: true, withFileTypes: true });
    for (const file of blobs) if (file.isFile()) writeFileSync(join(file.parentPath, file.name), 'damaged');
    const before = await live(one);
    const { code, stdout } = await drill(one, 'abathur-drill-backup');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\(scratch\): failed/)]);
    expect(await live(one)).toBe(before);
  });

  test.concurrent('nothing is rehearsed without the drill', async () => {
    await using one = await backedUp('undrilled', deleted);
    const { code, stdout, stderr } = await one.revertd('drill abathur-drill-backup');
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('abathur-drill-backup')]);
  });
});
