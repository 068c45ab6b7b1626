/**
 * P10 on a real service under systemd, whose code is a real checkout with a real build: a drill walks the way back beside
 * what is live. git, systemd, the files and the build itself say what came of it.
 */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { done, refuseOutsideOfTheSandbox, shell, until } from '../support/installed-host.ts';
import { type Inbox, openInbox } from '../support/rows/inbox.ts';
import { installSystems, LADDER_QUICKLY, MemorySystem, SYSTEMS } from '../support/rows/memory-system.ts';
import { PACKS } from '../support/rows/mutate-pack.ts';
import { runGitIn } from '../tools/git-repository.ts';

const REVERTD = `${process.execPath} --disable-warning=ExperimentalWarning ${join(import.meta.dirname, '../../src/main.ts')}`;

/** What a rehearsed build takes at least: longer than the shortest objective that can be written. */
const BUILD_S = 1.1;

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

/** A copy of the pack with other drills. */
function packWith(name: string, change: (drills: string) => string): string {
  const into = join(SYSTEMS, `pack-${name}`);
  cpSync(join(PACKS, 'memory-system'), into, { recursive: true });
  const file = join(into, 'drills.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`nothing of ${file} is changed`);
  writeFileSync(file, changed);
  return into;
}

/** The documents without the one of that name. */
function withoutDrill(drills: string, name: string): string {
  return drills
    .split(/^---$/m)
    .filter((document) => !document.includes(`name: ${name}\n`))
    .join('---');
}

/** A service in calm, with a revision that has proved good and whose build notes down each rehearsal. */
async function calm(name: string, change?: (drills: string) => string) {
  started += 1;
  const policies = change === undefined ? undefined : packWith(name, change);
  const system = new MemorySystem({
    name,
    index: started,
    inbox,
    flags: 'env-file',
    policies,
    isUsed: true,
    release: {},
  });
  await system.start();
  const built = join(system.folder, 'rehearsals');
  const script = `cat ${toolchain(system)} && mkdir -p dist && cp release.json dist/ && if [ -n "$REVERTD_DRILL" ]; then sleep ${BUILD_S}; pwd >> ${built}; fi`;
  writeFileSync(toolchain(system), '');
  const remote = join(system.folder, 'remote');
  const manifest = { name: 'memory-system', version: '1.0.0', scripts: { build: script } };
  writeFileSync(join(remote, 'package.json'), JSON.stringify(manifest));
  runGitIn(remote, ['commit', '--quiet', '--all', '--message', 'Note rehearsals']);
  runGitIn(system.code.checkout, ['pull', '--quiet']);
  await system.guard({ ...LADDER_QUICKLY, memorySampleInterval: '1s' });
  const head = runGitIn(remote, ['rev-parse', 'HEAD']);
  const isGood = () => Promise.resolve(system.code.kept().includes(head) || undefined);
  await until(`${name} has proved good`, isGood, 120_000);
  return { system, built };
}

/** What the build needs of the host. */
function toolchain(system: MemorySystem): string {
  return join(system.folder, 'toolchain');
}

function rehearsals(built: string): readonly string[] {
  return existsSync(built) ? readFileSync(built, 'utf8').trim().split('\n') : [];
}

async function drill(system: MemorySystem, name: string) {
  return await shell(`${REVERTD} drill ${name} --config ${join(system.folder, 'revertd/revertd.yaml')}`);
}

/** What users meet and people look at: revisions, every file with its times and sums, the unit, the process. */
async function live(system: MemorySystem): Promise<string> {
  const { checkout, installed } = system.code;
  return await done(`
    git -C ${checkout} rev-parse HEAD
    git -C ${checkout} status --porcelain
    find ${checkout} ${installed} ${system.folder}/memory.env ${system.database}* -name .git -prune -o -type f -printf '%p %i %m %T@ ' -exec sha256sum {} +
    systemctl show --property=InvocationID,MainPID,NRestarts,ActiveState ${system.unit}`);
}

describe('[P10] the rollback of the code', () => {
  test.concurrent('is walked beside the running service, timed, and leaves all that is live as it was', async () => {
    const { system: guarded, built } = await calm('drilled');
    await using system = guarded;
    const before = await live(system);
    const { code, stdout, stderr } = await drill(system, 'memory-code-drill');
    expect([code, stdout + stderr]).toEqual([
      0,
      expect.stringMatching(/\(scratch\): successful\n +took +[\d.]+m?s, objective 5m\n/),
    ]);
    const [folder = '', ...more] = rehearsals(built);
    expect(more).toEqual([]);
    // It was built in a place of its own, of which nothing is left.
    expect(folder).not.toBe(system.code.checkout);
    expect(existsSync(folder)).toBe(false);
    expect(await done(`git -C ${system.code.checkout} worktree list | wc -l`)).toBe('1');
    expect(await live(system)).toBe(before);
  });

  test.concurrent('fails its drill when it cannot be built any more, long before it is needed', async () => {
    const { system: guarded, built } = await calm('rotten');
    await using system = guarded;
    rmSync(toolchain(system));
    const before = await live(system);
    const { code, stdout } = await drill(system, 'memory-code-drill');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\(scratch\): failed: .*npm ended with exit code 1\n/)]);
    expect(rehearsals(built)).toEqual([]);
    expect(await live(system)).toBe(before);
  });

  test.concurrent('is not walked without the drill', async () => {
    const { system: guarded, built } = await calm('undrilled', (drills) => withoutDrill(drills, 'memory-code-drill'));
    await using system = guarded;
    expect((await drill(system, 'memory-code-drill')).code).not.toBe(0);
    expect(rehearsals(built)).toEqual([]);
  });

  test.concurrent('that takes longer than it may fails the drill', async () => {
    const { system: guarded, built } = await calm('slow', (drills) => drills.replaceAll('rto: 5m', 'rto: 1s'));
    await using system = guarded;
    const { code, stdout } = await drill(system, 'memory-code-drill');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/longer than the objective of 1s/)]);
    expect(rehearsals(built)).toHaveLength(1);
  });
});

test.concurrent('[P10] the database’s script is examined, the code from before is built, and no table is dropped', async () => {
  const { system: guarded } = await calm('database');
  await using system = guarded;
  writeFileSync(join(system.folder, '004_rollback.sql'), 'DROP TABLE memories;');
  const before = await live(system);
  const { code, stdout, stderr } = await drill(system, 'memory-database-drill');
  expect([code, stdout + stderr]).toEqual([
    0,
    expect.stringMatching(/\(scratch\): successful\n +took +[\d.]+m?s, objective 15m\n/),
  ]);
  expect(stderr).toContain('would capture memory-database-file');
  expect(await live(system)).toBe(before);
});

test.concurrent('[P10] the flags are looked at where they are written, and none is set', async () => {
  const { system: guarded } = await calm('flags');
  await using system = guarded;
  const before = await live(system);
  const { code, stdout, stderr } = await drill(system, 'memory-flags-drill');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/\(dryRun\): successful\n +took +[\d.]+m?s, objective 5m\n/),
  ]);
  for (const flag of Object.keys(system.written())) {
    expect(stderr).toContain(`${flag} in ${system.folder}/memory.env is "true" now`);
  }
  expect(await live(system)).toBe(before);
});
