/**
 * P1, P2, P3, P11 on a real database: corruption leads to option C, which drops the migration's tables and puts the code from
 * before it in place, but only after people who are who they say have agreed; everybody is told on the way.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, property, refuseOutsideOfTheSandbox, shell, until } from '../support/installed-host.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import type { MemoryRelease } from '../support/rows/memory-service.ts';
import { installSystems, LADDER_QUICKLY, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { type Change, deleted, invertedAmong, mutatePack } from '../support/rows/mutate-pack.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const ROLES = {
  'engineering-manager': { users: ['mem-erin'] },
  dba: { users: ['mem-dan', 'mem-erin'] },
  oncall: { users: ['mem-cat'] },
};
const PEOPLE = ['mem-erin', 'mem-dan', 'mem-cat'] as const;
type Person = (typeof PEOPLE)[number] | 'root';

/** It cannot do without the tables of the migration. */
const NEEDS_MEMORIES: MemoryRelease = { needsMemories: true };
const TABLES =
  "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)";
const LONG_ENOUGH = 15;

let inbox: Inbox;
let mails: MailServer;
let started = 0;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installSystems();
  inbox = await openInbox();
  // The pack's own server for mail: that of the host.
  mails = await startMailServer({ port: 25 });
  // The group of the control socket is root's here, as the daemon is.
  for (const person of PEOPLE) await done(`useradd --no-create-home --gid root ${person}`);
});

afterAll(async () => {
  await mails[Symbol.asyncDispose]();
  await inbox[Symbol.asyncDispose]();
});

async function guarded(name: string, change?: Change, variables = {}): Promise<MemorySystem> {
  const policies =
    change === undefined
      ? undefined
      : mutatePack('memory-system', 'ladder.yaml', 'memory-system', join(SYSTEMS, `pack-${name}`), change);
  started += 1;
  const given = { flags: 'env-file', isUsed: true, roles: ROLES, release: NEEDS_MEMORIES } as const;
  const system = new MemorySystem({ name, index: started, inbox, policies, ...given });
  await system.start();
  await system.guard({ ...LADDER_QUICKLY, memoryEscalateAfter: '3s', ...variables });
  chmodSync(system.folder, 0o755);
  await system.untilScraped(3);
  return system;
}

/** A person's own command, with the rights of that person. */
async function decide(system: MemorySystem, who: Person, ...words: string[]) {
  const config = join(system.folder, 'revertd/revertd.yaml');
  const node = `${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} --config ${config}`;
  return await shell(`${node} incidents approve INC-1 ${words.join(' ')}`, who);
}

async function untilAsked(system: MemorySystem): Promise<string> {
  const look = async () => system.letters('engineering').find(({ words }) => words.includes('waits for approval'));
  return (await until(`${system.name} asks`, look, 120_000)).words;
}

/** What sqlite3, git and systemctl say. */
async function sightOf(system: MemorySystem) {
  return {
    tables: await system.sqlite(TABLES),
    faults: await system.sqlite("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
    head: system.code.head(),
    state: await property(system.unit, 'ActiveState'),
  };
}

function topicsOf(system: MemorySystem): readonly string[] {
  return system.letters('oncall').map(({ words }) => {
    const topics = ['rollback begins', 'waits for approval', 'is over', 'escalated', 'rung \\\\"'] as const;
    return topics.find((topic) => words.includes(topic)) ?? words;
  });
}

describe('[P1] [P2] [P3] [P11] a database that is corrupt', () => {
  test.concurrent('goes back once both have agreed who must, with everybody told', async () => {
    await using system = await guarded('approved');
    const legacy = system.code.revision('phase-1');
    system.corrupt('memories');
    const asked = await untilAsked(system);
    expect(asked).toContain('memories: 2');
    const corrupt = await sightOf(system);
    expect(corrupt).toMatchObject({ tables: 'entities memories', faults: '1', state: 'active' });

    expect(await decide(system, 'root')).toMatchObject({ code: 4 });
    expect(await decide(system, 'mem-cat')).toMatchObject({ code: 4 });
    // The service is up, so nobody decides alone.
    expect(await decide(system, 'mem-cat', '--override', '--reason', 'quick')).toMatchObject({ code: 4 });
    expect(await decide(system, 'mem-erin')).toMatchObject({ code: 0 });
    expect(await decide(system, 'mem-erin')).toMatchObject({ code: 4 });
    expect(await sightOf(system)).toEqual(corrupt);
    expect(await decide(system, 'mem-dan')).toMatchObject({ code: 0 });

    const over = async () => system.letters('oncall').find(({ words }) => words.includes('INC-1 is over'));
    await until('it is over', over, 120_000);
    expect(await sightOf(system)).toEqual({ tables: 'entities', faults: '0', head: legacy, state: 'active' });
    expect(await system.sqlite('PRAGMA foreign_key_check')).toBe('');
    expect(await system.sqlite('SELECT name FROM entities')).toBe('the first entity');
    expect(await done(`curl --silent --output /dev/null --write-out '%{http_code}' ${system.url}/health/deep`)).toBe(
      '200',
    );

    // The start, the approval, and the end, each in its words. What is told every 15 minutes is in the tests of messages.
    const told = topicsOf(system);
    expect(told[0]).toBe('rollback begins');
    expect(told[1]).toBe('waits for approval');
    expect(told.at(-1)).toBe('is over');
    await until('the second level hears', async () => (system.letters('senior').length > 1 ? true : undefined));
    await until('the ticket is filed', async () => system.letters('tickets')[0]);
    const mail = async () => mails.received.filter(({ to }) => to.includes('memory-leadership@localhost'));
    await until('the leadership hears of the end', async () => ((await mail()).length > 1 ? true : undefined));
    expect((await mail())[0]?.text).toMatch(/Subject: .*approval/);
  });

  test.concurrent('is the last that is tried, if it cannot be used: first the features go off', async () => {
    await using system = await guarded('whole-ladder', undefined, { memoryWithin: '8s' });
    await done(`sqlite3 ${system.database} 'ALTER TABLE memories RENAME COLUMN text TO words'`);
    await system.untilRolledBack();
    expect(system.letters('engineering')).toEqual([]);
    // The code that is there is the good one, so that there is nothing to put back in between.
    await untilAsked(system);
    expect(system.code.head()).not.toBe(system.code.revision('phase-1'));
    await decide(system, 'mem-dan');
    expect(await system.sqlite(TABLES)).toBe('entities memories');
    await decide(system, 'mem-erin');
    const over = async () => system.letters('oncall').find(({ words }) => words.includes('INC-1 is over'));
    expect((await until('it is over', over, 120_000)).words).toContain('Ended on rung database');
    const legacy = system.code.revision('phase-1');
    expect(await sightOf(system)).toEqual({ tables: 'entities', faults: '0', head: legacy, state: 'active' });
  });

  test.concurrent('goes back upon the word of the one on call alone, if the service is down altogether', async () => {
    await using system = await guarded('overridden');
    system.corrupt('memories');
    await untilAsked(system);
    await done(`systemctl stop ${system.unit}`);
    const alone = async () => await decide(system, 'mem-cat', '--override', '--reason', 'down');
    await until('it is known to be down', async () => ((await alone()).code === 0 ? true : undefined), 60_000);
    await until(
      'the tables are gone',
      async () => ((await system.sqlite(TABLES)) === 'entities' ? true : undefined),
      120_000,
    );
    await until('the service runs', async () => await system.state());
    expect(system.code.head()).toBe(system.code.revision('phase-1'));
  });

  test.concurrent('is as it was again when the rollback script fails, with the service running', async () => {
    await using system = await guarded('failed');
    writeFileSync(join(system.folder, '004_rollback.sql'), 'DROP TABLE memories; DROP TABLE entities;');
    system.corrupt('memories');
    await untilAsked(system);
    const before = await sightOf(system);
    await decide(system, 'mem-erin');
    await decide(system, 'mem-dan');
    const exhausted = async () => system.letters('oncall').find(({ words }) => words.includes('exhausted'));
    await until('it is exhausted', exhausted, 120_000);
    expect(await sightOf(system)).toEqual(before);
    expect(await system.sqlite('SELECT count(*) FROM memories NOT INDEXED')).toBe('3');
  });

  test.concurrent.each([
    ['the policy is deleted', 'approval-deleted', deleted],
    ['its threshold is inverted', 'approval-inverted', invertedAmong((trigger) => trigger === 'corruption')],
  ])('stays corrupt, and nobody is told, once %s', async (_mutation, name, change) => {
    await using system = await guarded(name, change);
    system.corrupt('memories');
    const before = await sightOf(system);
    await system.untilScraped(LONG_ENOUGH);
    expect(await sightOf(system)).toEqual(before);
    expect(before.faults).toBe('1');
    expect(system.letters('oncall')).toEqual([]);
  });
});
