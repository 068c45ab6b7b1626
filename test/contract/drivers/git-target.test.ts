import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../../src/core/model/step.ts';
import type { GitTarget, Target } from '../../../src/core/model/target.ts';
import { createAllowList } from '../../../src/drivers/allow-list.ts';
import type { StepOutcome } from '../../../src/drivers/steps/step-driver.ts';
import { gitTarget } from '../../../src/drivers/targets/git/index.ts';
import type { RehearsalContext, RestoreContext } from '../../../src/drivers/targets/target-driver.ts';
import { aCheck, aRun, aService, aTarget, ORIGIN } from '../../support/policies.ts';
import { makeRepository, type Repository, runGitIn } from '../../tools/git-repository.ts';

let folder: string;
let upstream: Repository;
let checkout: string;
let done: { readonly step: Step; readonly cwd: string | undefined }[];
let [v1, v2] = ['', ''];
const driver = gitTarget({ allow: createAllowList({}) });
const SIGNAL = new AbortController().signal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-git-target-'));
  upstream = makeRepository(join(folder, 'upstream'));
  v1 = upstream.commit({ 'app.js': 'one', 'compose.yml': 'one', '.gitignore': 'node_modules\n' }, 'First');
  checkout = join(folder, 'checkout');
  runGitIn(folder, ['clone', '--quiet', upstream.path, checkout]);
  v2 = upstream.commit({ 'app.js': 'two', 'compose.yml': 'two', 'new.js': 'two' }, 'Second');
  done = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function target(type: Partial<GitTarget> = {}, rest: Partial<Omit<Target, 'type'>> = {}): Target {
  const track = { remote: 'origin', ref: 'main', intervalMs: 5_000 };
  return aTarget({ ...rest, type: { path: checkout, track, ...type } });
}

function context(perform: RestoreContext['perform'] = () => Promise.resolve(DONE)): RestoreContext {
  return {
    signal: SIGNAL,
    operation: 'move:code@v2#7',
    log: () => {},
    perform: async (step, cwd) => {
      done.push({ step, cwd });
      return await perform(step, cwd);
    },
  };
}

const DONE: StepOutcome = { outcome: 'done', detail: '' };
const FAILED: StepOutcome = { outcome: 'failed', code: 'exitCode', detail: 'it does not compile' };

async function move(one: Target, to: string, paths: readonly string[] = [], how = context()) {
  return await driver.restore({ target: one, to, paths }, how);
}

function fileIn(name: string): string {
  return readFileSync(join(checkout, name), 'utf8');
}

describe('a look', () => {
  test('shows where the checkout is, and what is tracked once it was fetched', async () => {
    expect(await driver.read(target(), SIGNAL)).toMatchObject({
      kind: 'git',
      head: { commit: v1 },
      committedAt: Number(runGitIn(checkout, ['log', '-1', '--format=%ct', v1])) * 1000,
      tip: null,
    });
    expect(await driver.refresh(target(), SIGNAL)).toBeUndefined();
    expect(await driver.read(target(), SIGNAL)).toMatchObject({
      tip: { commit: v2, subject: 'Second' },
      isDirty: false,
    });
    expect(runGitIn(checkout, ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/remotes/origin/main'])).toBe(
      'refs/heads/main\nrefs/remotes/origin/main',
    );
  });

  test('sees that an amended commit has the same content', async () => {
    upstream.git('commit', '--quiet', '--amend', '--message', 'Second, said better');
    await driver.refresh(target(), SIGNAL);
    const seen = await driver.read(target(), SIGNAL);
    expect(seen).toMatchObject({ tip: { tree: upstream.git('rev-parse', `${v2}^{tree}`) } });
    expect(seen).not.toMatchObject({ tip: { commit: v2 } });
  });

  test('of a folder within a checkout sees only that folder', async () => {
    upstream.commit({ 'docs/a.md': 'a', 'src/a.js': 'a' });
    runGitIn(checkout, ['pull', '--quiet']);
    const within = target({ path: join(checkout, 'src') });
    const before = await driver.read(within, SIGNAL);
    upstream.commit({ 'docs/a.md': 'b' });
    await driver.refresh(within, SIGNAL);
    const after = await driver.read(within, SIGNAL);
    if (before.kind !== 'git' || after.kind !== 'git') throw new Error('expected sights');
    expect(after.tip?.tree).toBe(before.head.tree);
  });

  test.each([
    ['a folder that is no checkout', () => folder, 'notRepository'],
    ['a folder that is not there', () => join(folder, 'gone'), 'notRepository'],
  ])('at %s says so', async (_what, path, code) => {
    expect(await driver.read(target({ path: path() }), SIGNAL)).toMatchObject({ kind: 'unreadable', code });
  });

  test('at what cannot be fetched says so, and shows what is known', async () => {
    rmSync(upstream.path, { recursive: true });
    expect(await driver.refresh(target(), SIGNAL)).toContain('main of origin could not be fetched');
    expect(await driver.read(target(), SIGNAL)).toMatchObject({ kind: 'git', head: { commit: v1 } });
  });
});

describe('a move', () => {
  test('goes forward and back, and keeps what git does not track', async () => {
    mkdirSync(join(checkout, 'node_modules'));
    writeFileSync(join(checkout, 'node_modules/x'), 'kept');
    writeFileSync(join(checkout, 'notes.txt'), 'kept');
    expect(await move(target(), v2)).toMatchObject({ outcome: 'done' });
    expect([fileIn('app.js'), fileIn('new.js')]).toEqual(['two', 'two']);
    expect(await move(target(), v1)).toMatchObject({
      outcome: 'done',
      state: upstream.git('rev-parse', `${v1}^{tree}`),
    });
    expect([fileIn('app.js'), existsSync(join(checkout, 'new.js'))]).toEqual(['one', false]);
    expect([fileIn('notes.txt'), fileIn('node_modules/x')]).toEqual(['kept', 'kept']);
    expect(runGitIn(checkout, ['rev-parse', 'main'])).toBe(v1);
  });

  test.each(['new.js', 'node_modules/new.js'])(
    'is refused before anything is stopped if %s stands in its way',
    async (name) => {
      const way = upstream.commit({ [name]: 'three' });
      mkdirSync(join(checkout, 'node_modules'), { recursive: true });
      writeFileSync(join(checkout, name), 'mine');
      const outcome = await move(target({}, { quiesce: [aService('app.service', 'stop')] }), way);
      expect(outcome).toMatchObject({
        outcome: 'failed',
        detail: expect.stringContaining(`${name} in ${checkout}`) as string,
      });
      expect(done).toEqual([]);
      expect([fileIn(name), fileIn('app.js')]).toEqual(['mine', 'one']);
    },
  );

  test('keeps changes that nobody committed', async () => {
    writeFileSync(join(checkout, 'app.js'), 'hotfix');
    expect(await move(target(), v2)).toMatchObject({ outcome: 'done' });
    expect(fileIn('app.js')).toBe('two');
    const ref = 'refs/revertd/saved/move-code-v2-7';
    expect(runGitIn(checkout, ['show', `${ref}:app.js`])).toBe('hotfix');
  });

  test('of some paths leaves the rest, and HEAD', async () => {
    await move(target(), v2);
    expect(await move(target(), v1, ['compose.yml'])).toMatchObject({ outcome: 'done' });
    expect([fileIn('compose.yml'), fileIn('app.js')]).toEqual(['one', 'two']);
    expect(runGitIn(checkout, ['rev-parse', 'HEAD'])).toBe(v2);
  });

  test('of a path that the revision does not have fails, and stops nothing', async () => {
    const one = target({}, { quiesce: [aService('app.service', 'stop')] });
    expect(await move(one, v2, ['.env'])).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('has no .env') as string,
    });
    expect(done).toEqual([]);
  });

  test('fetches a revision that is not known yet; one that nobody has is a failure', async () => {
    expect(await move(target(), v2)).toMatchObject({ outcome: 'done' });
    const detail = expect.stringContaining('no revision 0123456') as string;
    expect(await move(target(), '0123456701234567012345670123456701234567')).toMatchObject({
      outcome: 'failed',
      detail,
    });
  });

  test('takes away the lock of a git that was killed', async () => {
    writeFileSync(join(checkout, '.git/index.lock'), '');
    expect(await move(target(), v2)).toMatchObject({ outcome: 'done' });
  });

  test('runs no hook of the checkout', async () => {
    const hook = join(checkout, '.git/hooks/post-checkout');
    writeFileSync(hook, `#!/bin/sh\ntouch ${join(folder, 'hooked')}\n`, { mode: 0o755 });
    await move(target(), v2);
    expect(existsSync(join(folder, 'hooked'))).toBe(false);
  });

  test('is refused for a folder that the host does not allow', async () => {
    const strict = gitTarget({ allow: createAllowList({ paths: ['/srv'] }) });
    const outcome = await strict.restore({ target: target(), to: v2, paths: [] }, context());
    expect(outcome).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('not among the paths') as string,
    });
  });
});

describe('a build', () => {
  const published = () => join(folder, 'opt/app');
  const release = () => target({ build: [aRun(['make'])], publish: { from: 'dist', to: published() } });

  /** Writes what it finds of the source to `dist`, in the folder that it is run in. */
  const builds = context.bind(undefined, (_step, cwd = '') => {
    mkdirSync(join(cwd, 'dist'));
    writeFileSync(join(cwd, 'dist/bundle.js'), `built from ${readFileSync(join(cwd, 'app.js'), 'utf8')}`);
    return Promise.resolve(DONE);
  });

  beforeEach(() => mkdirSync(join(folder, 'opt')));

  test('happens beside the checkout in use, and its release is swapped in', async () => {
    await move(release(), v1, [], builds());
    expect(await move(release(), v2, [], builds())).toMatchObject({ outcome: 'done' });
    expect(readFileSync(join(published(), 'bundle.js'), 'utf8')).toBe('built from two');
    expect(done.map(({ cwd }) => cwd?.startsWith(checkout))).toEqual([true, true]);
    expect(existsSync(join(checkout, '.git/revertd/build'))).toBe(false);
  });

  test('is not needed to go back', async () => {
    await move(release(), v1, [], builds());
    await move(release(), v2, [], builds());
    await move(release(), v1, [], builds());
    expect(done).toHaveLength(2);
    expect(readFileSync(join(published(), 'bundle.js'), 'utf8')).toBe('built from one');
    expect(readlinkSync(published())).toBe(join(`${published()}.releases`, v1));
  });

  test('that fails changes nothing', async () => {
    const one = { ...release(), quiesce: [aService('app.service', 'stop')] };
    const outcome = await move(
      one,
      v2,
      [],
      context(() => Promise.resolve(FAILED)),
    );
    expect(outcome).toEqual({ outcome: 'failed', detail: 'it does not compile' });
    expect(fileIn('app.js')).toBe('one');
    expect(done).toHaveLength(1);
  });

  test('keeps the folder that stood where it publishes', async () => {
    mkdirSync(published());
    writeFileSync(join(published(), 'by-hand'), 'old');
    await move(release(), v2, [], builds());
    const kept = readdirSync(join(folder, 'opt'), { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith('by-hand'),
    );
    expect(kept).toMatch(/^app\.releases\/before-\d+\/by-hand$/);
  });
});

describe('after a crash', () => {
  test('a whole move is seen, an unfinished one is not, and doing it again mends it', async () => {
    const order = { target: target(), to: v2, paths: [] };
    expect(await driver.observe(order, SIGNAL)).toBe('notDone');
    await move(order.target, v2);
    expect(await driver.observe(order, SIGNAL)).toBe('done');
    runGitIn(checkout, ['update-ref', '-d', 'refs/revertd/effective']);
    expect(await driver.observe(order, SIGNAL)).toBe('notDone');
    expect(await move(order.target, v2)).toMatchObject({ outcome: 'done' });
    expect(await driver.observe(order, SIGNAL)).toBe('done');
  });

  test('what cannot be looked at is unknown', async () => {
    await move(target(), v2);
    rmSync(join(checkout, '.git'), { recursive: true });
    expect(await driver.observe({ target: target(), to: v2, paths: [] }, SIGNAL)).toBe('unknown');
  });
});

test('good revisions survive git’s garbage collection; others that were kept are let go', async () => {
  await move(target(), v2);
  await driver.keep(target(), [v1, v2], SIGNAL);
  await driver.keep(target(), [v2], SIGNAL);
  const refs = runGitIn(checkout, ['for-each-ref', '--format=%(refname)', 'refs/revertd/good']);
  expect(refs).toBe(`refs/revertd/good/${v2}`);
});

describe('an examination', () => {
  test.each([
    ['of a revision that is there', () => ({ to: v1 }), 'ready', '0 file(s) of it differ'],
    ['of one that is not', () => ({ to: 'v9' }), 'obstacle', 'no revision v9'],
    ['of a part that it has', () => ({ to: v1, paths: ['app.js'] }), 'ready', 'is there'],
    ['of a part that it lacks', () => ({ to: v1, paths: ['gone.js'] }), 'obstacle', 'has no gone.js'],
  ])('%s', async (_what, order, outcome, detail) => {
    const found = await driver.examine({ target: target(), paths: [], ...order() }, SIGNAL);
    expect(found).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  test('finds what stands in the way, and what this host does not allow', async () => {
    await driver.refresh(target(), SIGNAL);
    writeFileSync(join(checkout, 'new.js'), 'by hand');
    const order = { target: target(), to: v2, paths: [] };
    expect(await driver.examine(order, SIGNAL)).toMatchObject({
      outcome: 'obstacle',
      detail: expect.stringContaining('new.js'),
    });
    const strict = gitTarget({ allow: createAllowList({ paths: ['/opt/other'] }) });
    expect(await strict.examine(order, SIGNAL)).toMatchObject({
      outcome: 'obstacle',
      detail: expect.stringContaining('this host allows'),
    });
  });
});

describe('a rehearsal', () => {
  const build = [aRun(['make'])];
  const rehearse = async (one: Target, how: Partial<RehearsalContext> = {}) =>
    await driver.rehearse?.({ target: one, to: v1, paths: [] }, { ...rehearsal(), ...how });

  function rehearsal(): RehearsalContext {
    return {
      ...context(),
      folder: join(folder, 'scratch'),
      ask: (check) => Promise.resolve({ outcome: check.kind === 'file' ? 'true' : 'false', detail: check.kind }),
    };
  }

  function leftovers(): readonly string[] {
    return ['.git/revertd', '.git/worktrees']
      .map((name) => join(checkout, name))
      .flatMap((name) => (existsSync(name) ? readdirSync(name) : []));
  }

  test('builds a revision beside the checkout, which stays where it is, and leaves nothing', async () => {
    await move(target(), v2);
    const seen: string[] = [];
    const found = await rehearse(target({ build }), {
      perform: (step, cwd = '') => {
        seen.push(readFileSync(join(cwd, 'app.js'), 'utf8'), step.kind === 'run' ? Object.keys(step.env).join() : '');
        return Promise.resolve(DONE);
      },
    });
    expect(found).toMatchObject({ outcome: 'ready', detail: expect.stringContaining('checked out and built') });
    expect(seen).toEqual(['one', 'REVERTD_DRILL']);
    expect([fileIn('app.js'), runGitIn(checkout, ['rev-parse', 'HEAD'])]).toEqual(['two', v2]);
    expect(leftovers()).toEqual([]);
  });

  test('fails as the build does, and cleans up all the same', async () => {
    const found = await rehearse(target({ build }), { perform: () => Promise.resolve(FAILED) });
    expect(found).toEqual({ outcome: 'obstacle', detail: 'it does not compile' });
    expect(leftovers()).toEqual([]);
  });

  test('does no step that would reach what is live, and says so', async () => {
    const found = await rehearse(target({ build: [aService('app.service', 'stop')] }));
    expect([found, done]).toMatchObject([{ outcome: 'unknown', detail: expect.stringContaining('not rehearsed') }, []]);
  });

  test('makes a release that nothing is published from, and fails where there is none', async () => {
    const publish = { from: 'app.js', to: join(folder, 'opt/app.js') };
    expect(await rehearse(target({ publish }))).toMatchObject({ outcome: 'ready' });
    expect(existsSync(publish.to)).toBe(false);
    const none = { ...publish, from: 'dist' };
    expect(await rehearse(target({ publish: none }))).toMatchObject({
      outcome: 'obstacle',
      detail: expect.stringContaining('dist'),
    });
  });

  test('asks the checks of the target there, if they ask what was rehearsed', async () => {
    const file = {
      key: 'f',
      origin: ORIGIN,
      kind: 'file',
      path: join(checkout, 'app.js'),
      is: 'present',
      timeoutMs: 1,
    } as const;
    const asked: string[] = [];
    const ask: RehearsalContext['ask'] = (check) => {
      asked.push(check.kind === 'file' ? readFileSync(check.path, 'utf8') : check.kind);
      return Promise.resolve({ outcome: 'false', detail: 'it is not' });
    };
    await move(target(), v2);
    const found = await rehearse(target({}, { checks: [aCheck('alive'), file] }), { ask });
    expect([found, asked]).toMatchObject([
      { outcome: 'obstacle', detail: expect.stringContaining('it is not') },
      ['one'],
    ]);
  });

  test('that was stopped says nothing', async () => {
    const found = await rehearse(target({ build }), { signal: AbortSignal.abort() });
    expect(found).toMatchObject({ outcome: 'unknown' });
  });

  test('that a kill ended is tidied away', async () => {
    runGitIn(checkout, ['worktree', 'add', '--quiet', '--detach', join(checkout, '.git/revertd/drill'), v1]);
    await driver.tidy?.(target(), SIGNAL);
    expect(leftovers()).toEqual([]);
  });
});
