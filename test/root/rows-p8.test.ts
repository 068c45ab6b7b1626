/**
 * P8, P9 on a real database and a real checkout: what would be lost is told and agreed to; the database is captured, read
 * again and copied elsewhere before a table is dropped; and if the rollback fails, it comes back byte for byte.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMap, isSeq } from 'yaml';
import { property, refuseOutsideOfTheSandbox, shell, until } from '../support/installed-host.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { installSystems, LADDER_QUICKLY, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { type Change, deleted, invertedAmong, mutatePack } from '../support/rows/mutate-pack.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
/** Users that every Debian has. */
const ROLES = { 'engineering-manager': { users: ['daemon'] }, dba: { users: ['bin'] } };
const TABLES =
  "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)";
const PATIENCE_MS = 120_000;
const LONG_ENOUGH = 15;

let inbox: Inbox;
let started = 0;

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  await installSystems();
  inbox = await openInbox();
});

afterAll(async () => {
  await inbox[Symbol.asyncDispose]();
});

type Given = { readonly change?: Change; readonly variables?: Readonly<Record<string, string>> };

/** Its code cannot do without the tables of the migration. */
async function guarded(name: string, { change, variables = {} }: Given = {}): Promise<MemorySystem> {
  const into = join(SYSTEMS, `pack-${name}`);
  const policies =
    change === undefined ? undefined : mutatePack('memory-system', 'ladder.yaml', 'memory-system', into, change);
  started += 1;
  const given = { flags: 'env-file', isUsed: true, roles: ROLES, release: { needsMemories: true } } as const;
  const system = new MemorySystem({ name, index: started, inbox, policies, ...given });
  await system.start();
  await system.guard({ ...LADDER_QUICKLY, memoryWithin: '8s', memoryCopyProgram: copyProgram(system), ...variables });
  await system.untilScraped(3);
  return system;
}

/** Copies, and notes down what the live system is like meanwhile. */
function copyProgram(system: MemorySystem): string {
  const path = join(system.folder, 'copy');
  const note = `"$(sqlite3 ${system.database} "${TABLES}") $(systemctl is-active ${system.unit})"`;
  writeFileSync(path, `#!/bin/sh\necho ${note} >> ${system.folder}/copied\nexec cp "$1" "$2"\n`, { mode: 0o755 });
  return path;
}

/** What a person types, or root. */
async function revertd(system: MemorySystem, words: string, as?: 'daemon' | 'bin') {
  const who = as === undefined ? '' : `setpriv --reuid ${as} --regid root --clear-groups -- `;
  const config = join(system.folder, 'revertd/revertd.yaml');
  return await shell(
    `${who}${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} ${words} --config ${config}`,
  );
}

async function untilTold(system: MemorySystem, words: string, receiver: 'engineering' | 'oncall' = 'oncall') {
  const look = async () => system.letters(receiver).find((letter) => letter.words.includes(words));
  const letter = await until(`${system.name} hears "${words}"`, look, PATIENCE_MS).catch(async (error: unknown) => {
    const { stdout } = await revertd(system, 'incidents report INC-1');
    throw new Error(`${system.name} does not hear "${words}":\n${stdout}`, { cause: error });
  });
  return letter.words;
}

/** Both who must agree do; the result is what they were asked. */
async function agreed(system: MemorySystem): Promise<string> {
  const asked = await untilTold(system, 'waits for approval', 'engineering');
  for (const who of ['daemon', 'bin'] as const) {
    expect(await revertd(system, 'incidents approve INC-1', who)).toMatchObject({ code: 0 });
  }
  return asked;
}

/** What sqlite3, git, systemctl and the bytes say. */
async function sightOf(system: MemorySystem) {
  return {
    tables: await system.sqlite(TABLES),
    bytes: createHash('sha256').update(readFileSync(system.database)).digest('hex'),
    head: system.code.head(),
    state: await property(system.unit, 'ActiveState'),
  };
}

type Listed = { readonly point: string; readonly policy: string | null; readonly state: string };

async function points(system: MemorySystem): Promise<readonly Listed[]> {
  return (JSON.parse((await revertd(system, 'points list --json')).stdout) as { points: readonly Listed[] }).points;
}

/** The service cannot use it any more, and SQLite finds nothing wrong with it. */
async function makeUnusable(system: MemorySystem): Promise<void> {
  await system.sqlite('ALTER TABLE memories RENAME COLUMN text TO words');
}

describe('[P8] a database that the code cannot use', () => {
  test.concurrent('is captured, verified and copied away before its tables are dropped, as agreed', async () => {
    await using system = await guarded('dropped');
    await makeUnusable(system);
    const asked = await agreed(system);
    expect(asked).toContain('memories: 2');
    expect(asked).toContain('what was remembered since 2026-01-01 00:00:00');
    expect(await untilTold(system, 'INC-1 is over')).toContain('Ended on rung database');

    expect(await sightOf(system)).toMatchObject({
      tables: 'entities',
      head: system.code.revision('phase-1'),
      state: 'active',
    });
    expect(system.code.release()).toEqual({});
    expect(await system.sqlite('PRAGMA integrity_check; PRAGMA foreign_key_check')).toBe('ok');
    expect(await system.sqlite('SELECT name FROM entities')).toBe('the first entity');
    // The first was copied while the service ran, the other one while it stood still; the tables were there both times.
    const copied = readFileSync(join(system.folder, 'copied'), 'utf8').trim().split('\n');
    expect(copied).toEqual(['entities memories active', 'entities memories inactive']);
    const taken = await points(system);
    const ofPolicy = (name: string) => taken.filter(({ policy }) => policy === name).map(({ state }) => state);
    expect(ofPolicy('memory-before-rollback')).toEqual(['valid']);
    expect(ofPolicy('memory-at-standstill')).toEqual(['valid']);
    expect(readdirSync(system.copies).toSorted()).toEqual(taken.map(({ point }) => `${point}.tar`).toSorted());
  });

  test.concurrent.each([
    ['the policy is deleted', 'unusable-deleted', deleted],
    ['its threshold is inverted', 'unusable-inverted', invertedAmong((trigger) => trigger === 'database-connections')],
  ])('keeps its tables once %s', async (_mutation, name, change) => {
    await using system = await guarded(name, { change });
    await makeUnusable(system);
    const before = await sightOf(system);
    await system.untilScraped(LONG_ENOUGH);
    expect(await sightOf(system)).toEqual(before);
    expect(before.tables).toBe('entities memories');
    expect(await points(system)).toEqual([]);
  });
});

/** Without anything that is kept before the tables are dropped. */
const unkept: Change = (document) => {
  const steps = document.getIn(['spec', 'ladder', 2, 'do']);
  if (!isSeq(steps)) throw new Error('the third rung has no steps');
  steps.items = steps.items.filter((step) => !isMap(step) || !step.has('createPoint'));
  return document;
};

/** There is no such code, which is noticed when the tables are gone. */
const NO_CODE = { memoryLegacyRevision: 'never-was' };

describe('[P9] a rollback of the database', () => {
  test.concurrent('that fails after the tables were dropped leaves it byte for byte as it was', async () => {
    await using system = await guarded('no-code', { variables: NO_CODE });
    system.corrupt('memories');
    const before = await sightOf(system);
    await agreed(system);
    await untilTold(system, 'exhausted');
    expect(await sightOf(system)).toEqual(before);
    expect(await system.sqlite('SELECT count(*) FROM memories NOT INDEXED')).toBe('3');
    // SQLite would not have copied it: only its files were kept.
    expect(readdirSync(system.copies)).toEqual([expect.stringMatching(/-memory-at-standstill\.tar$/)]);
  });

  test.concurrent('whose script fails leaves it byte for byte as it was', async () => {
    await using system = await guarded('script');
    writeFileSync(join(system.folder, '004_rollback.sql'), 'DROP TABLE memories; DROP TABLE entities;');
    system.corrupt('memories');
    const before = await sightOf(system);
    await agreed(system);
    await untilTold(system, 'exhausted');
    expect(await sightOf(system)).toEqual(before);
  });

  test.concurrent('does not drop what could not be copied away', async () => {
    await using system = await guarded('uncopied', {
      variables: { memoryCopyProgram: '/bin/false', memoryCopyWithin: '5s' },
    });
    system.corrupt('memories');
    const before = await sightOf(system);
    await agreed(system);
    await untilTold(system, 'exhausted');
    expect(await sightOf(system)).toEqual(before);
    expect(readdirSync(system.copies)).toEqual([]);
  });

  test.concurrent('has nothing to come back from once the ladder takes no point', async () => {
    await using system = await guarded('unkept', { change: unkept, variables: NO_CODE });
    system.corrupt('memories');
    await agreed(system);
    await untilTold(system, 'was kept before it was touched');
    expect(await system.sqlite(TABLES)).toBe('entities');
  });
});
