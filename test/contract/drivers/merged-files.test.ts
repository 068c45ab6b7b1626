import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConflictItem } from '../../../src/core/merge/merge-report.ts';
import type { FilesTarget } from '../../../src/core/model/target.ts';
import { CapturedStage } from '../../support/points/captured-stage.ts';

let stage: CapturedStage;
let app: string;

async function begin(change: Partial<FilesTarget> = {}, target = {}): Promise<void> {
  stage = await CapturedStage.open(
    (live) => ({ kind: 'files', paths: [join(live, 'app')], exclude: [], oneFileSystem: false, ...change }),
    { target },
  );
  app = join(stage.live, 'app');
  mkdirSync(app);
}
beforeEach(() => begin());
afterEach(() => {
  const remains = stage.remains();
  stage.close();
  if (remains.length > 0) throw new Error(`it left ${remains.join(', ')}`);
});

/** What stands at a path: text, `{ link }`, or null for a folder. */
type Tree = Readonly<Record<string, string | Buffer | { readonly link: string } | null>>;

/** Puts just this there, without touching what is so already. */
function lay(tree: Tree): void {
  for (const path of [...walked(app)].reverse())
    if (!Object.hasOwn(tree, path)) rmSync(join(app, path), { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const at = join(app, path);
    if (JSON.stringify(shown(at)) === JSON.stringify(content)) continue;
    if (content === null || !isPlain(at)) rmSync(at, { recursive: true, force: true });
    if (content === null) mkdirSync(at);
    else if (typeof content === 'object' && 'link' in content) {
      rmSync(at, { force: true });
      symlinkSync(content.link, at);
    } else writeFileSync(at, content);
  }
}

function isPlain(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function shown(path: string): string | { readonly link: string } | null | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return null;
  if (stats?.isSymbolicLink() === true) return { link: readlinkSync(path) };
  return stats === undefined ? undefined : readFileSync(path, 'utf8');
}

function walked(folder: string, prefix = ''): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${prefix}${entry.name}`;
    return entry.isDirectory() ? [path, ...walked(join(folder, entry.name), `${path}/`)] : [path];
  });
}

function there(): Tree {
  return Object.fromEntries(
    walked(app)
      .map((path) => [path, shown(join(app, path)) as Tree[string]] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Captures the good state and the bad one, and leaves the live one there. */
async function states(good: Tree, bad: Tree, live: Tree) {
  lay(good);
  const snapshot = await stage.capture();
  lay(bad);
  const ancestor = await stage.capture();
  lay(live);
  return { snapshot, ancestor };
}

const CONF = 'host = a\nport = 1\n\n# limits\nrate = 10\nburst = 20\n';

test('[M4] what people changed since stays, what was bad goes back, lines of one file too', async () => {
  const good = { conf: CONF, gone: 'gone', sub: null, 'sub/x': 'x', link: { link: 'conf' } };
  const bad = { conf: CONF.replace('10', '0'), sub: null, 'sub/x': 'bad', junk: 'junk', link: { link: 'nowhere' } };
  const live = { ...bad, conf: bad.conf.replace('= a', '= b'), 'sub/y': 'new', added: 'added' };
  const { snapshot, ancestor } = await states(good, bad, live);
  const outcome = await stage.merge(snapshot, ancestor, 'abort');
  expect(outcome).toStrictEqual({
    outcome: 'done',
    detail: '4 put in place, 1 removed, 0 adjusted; merged without a conflict',
    merge: {
      phases: ['analyzing', 'conflictDetection', 'executing', 'completed'],
      end: 'completed',
      conflicts: 0,
      items: [],
    },
  });
  const { junk: _junk, ...rest } = live;
  expect(there()).toStrictEqual({ ...rest, ...good, conf: CONF.replace('= a', '= b') });
  const inode = statSync(join(app, 'conf')).ino;
  expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({
    outcome: 'done',
    detail: '0 put in place, 0 removed, 0 adjusted; merged without a conflict',
  });
  expect(statSync(join(app, 'conf')).ino).toBe(inode);
});

/** Lines of a file, a binary file, one that is gone on either side, one that both added, a folder against a file, a link. */
const GOOD = {
  added: 'good\n',
  binary: Buffer.from([0, 1, 2]),
  conf: 'a\nb\nc\nd\n',
  gone: 'good\n',
  link: { link: 'good' },
  place: 'good',
};
const BAD = {
  binary: Buffer.from([0, 1, 0]),
  conf: 'a\nB\nc\nd\n',
  gone: 'bad\n',
  junk: 'bad\n',
  link: { link: 'bad' },
  place: 'bad',
};
const LIVE = {
  added: 'live\n',
  binary: Buffer.from([0, 9, 9]),
  conf: 'a\nmine\nc\nD\n',
  junk: 'live\n',
  link: { link: 'live' },
  place: null,
  'place/in': 'live',
};
const LEFT = { ...LIVE, binary: LIVE.binary.toString() };
const CONFLICTS = [
  'duplicate added',
  'value binary',
  'value conf line 2',
  'missing gone',
  'missing junk',
  'value link',
  'structure place',
];

test.each([
  ['abort', 'aborted', LEFT],
  ['skip', 'partiallyCompleted', LEFT],
  [
    'overwrite',
    'partiallyCompleted',
    { ...GOOD, binary: GOOD.binary.toString(), conf: 'a\nb\nc\nD\n', place: null, 'place/in': 'live' },
  ],
  ['manual', 'pending', LEFT],
  ['merge', 'pending', LEFT],
] as const)('[M4] with conflicts and %s it ends %s', async (strategy, end, left) => {
  const { snapshot, ancestor } = await states(GOOD, BAD, LIVE);
  const { outcome, merge } = await stage.merge(snapshot, ancestor, strategy);
  expect(merge).toMatchObject({ end, conflicts: 7 });
  expect(merge?.items.map((item) => `${item.class} ${item.item.replace(`${app}/`, '')}`)).toStrictEqual(CONFLICTS);
  expect(outcome).toBe(end === 'aborted' || end === 'pending' ? 'failed' : 'done');
  expect(there()).toStrictEqual(left);
});

test('[M4] a person decides, and only about what it was when it was asked', async () => {
  const { snapshot, ancestor } = await states(GOOD, BAD, LIVE);
  const asked = await stage.merge(snapshot, ancestor, 'manual');
  const items = asked.merge?.items ?? [];
  expect(items.find(({ item }) => item.endsWith('line 2'))).toMatchObject({
    ancestor: 'B\n',
    live: 'mine\n',
    snapshot: 'b\n',
  });
  expect(items.find(({ class: kind }) => kind === 'structure')).toMatchObject({
    live: { type: 'folder' },
    snapshot: { type: 'file', bytes: 4 },
  });
  const take = (item: ConflictItem) => (/added|gone|link/.test(item.item) ? ('live' as const) : ('snapshot' as const));
  const decisions = items.map((item) => ({ item: item.item, digest: item.digest, take: take(item) }));
  writeFileSync(join(app, 'conf'), 'a\nother\nc\nD\n');
  expect(await stage.merge(snapshot, ancestor, 'manual', { decisions })).toMatchObject({ merge: { end: 'pending' } });
  writeFileSync(join(app, 'conf'), 'a\nmine\nc\nD\nE\n');
  expect(await stage.merge(snapshot, ancestor, 'manual', { decisions })).toMatchObject({
    outcome: 'done',
    merge: { end: 'completed', conflicts: 7 },
  });
  const { junk: _junk, 'place/in': _in, ...rest } = LEFT;
  const taken = { ...rest, binary: GOOD.binary.toString(), conf: 'a\nb\nc\nD\nE\n', place: 'good' };
  expect(there()).toStrictEqual(taken);
  expect(await stage.merge(snapshot, ancestor, 'manual', { decisions })).toMatchObject({ merge: { end: 'completed' } });
  expect(there()).toStrictEqual(taken);
});

describe('[M4] mode and owner', () => {
  test('go back apart from the content, which stays', async () => {
    lay({ a: 'a', folder: null });
    for (const name of ['a', 'folder']) chmodSync(join(app, name), 0o700);
    const snapshot = await stage.capture();
    for (const name of ['a', 'folder']) chmodSync(join(app, name), 0o777);
    const ancestor = await stage.capture();
    writeFileSync(join(app, 'a'), 'changed');
    writeFileSync(join(app, 'folder/new'), 'new');
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({
      detail: '0 put in place, 0 removed, 2 adjusted; merged without a conflict',
    });
    expect(['a', 'folder'].map((name) => statSync(join(app, name)).mode & 0o777)).toStrictEqual([0o700, 0o700]);
    expect(there()).toStrictEqual({ a: 'changed', folder: null, 'folder/new': 'new' });
  });

  test('that both changed are a conflict of their own, and stay with a content that people made', async () => {
    lay({ a: 'a' });
    chmodSync(join(app, 'a'), 0o700);
    const snapshot = await stage.capture();
    chmodSync(join(app, 'a'), 0o777);
    writeFileSync(join(app, 'a'), 'bad');
    const ancestor = await stage.capture();
    chmodSync(join(app, 'a'), 0o750);
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({
      merge: {
        items: [
          { class: 'value', item: `${app}/a (mode and owner)`, live: { mode: '750' }, snapshot: { mode: '700' } },
        ],
      },
    });
    // What is left, is left as a whole.
    expect(await stage.merge(snapshot, ancestor, 'skip')).toMatchObject({ merge: { end: 'partiallyCompleted' } });
    expect([there(), statSync(join(app, 'a')).mode & 0o777]).toStrictEqual([{ a: 'bad' }, 0o750]);
    expect(await stage.merge(snapshot, ancestor, 'overwrite')).toMatchObject({ merge: { end: 'completed' } });
    expect([there(), statSync(join(app, 'a')).mode & 0o777]).toStrictEqual([{ a: 'a' }, 0o700]);
  });
});

describe('[M4] folders', () => {
  test.each<readonly [string, Tree, Tree, Tree, Tree]>([
    ['that were made by mistake go with all that is in them', {}, { d: null, 'd/a': 'a' }, { d: null, 'd/a': 'a' }, {}],
    [
      'that were made by mistake stay for what people put there',
      {},
      { d: null, 'd/a': 'a', 'd/e': null, 'd/e/b': 'b' },
      { d: null, 'd/a': 'a', 'd/e': null, 'd/e/b': 'b', 'd/e/mine': 'mine' },
      { d: null, 'd/e': null, 'd/e/mine': 'mine' },
    ],
    ['that were removed come back', { d: null, 'd/a': 'a' }, {}, { x: 'x' }, { d: null, 'd/a': 'a', x: 'x' }],
    [
      'that people removed are made for what comes back',
      { d: null, 'd/a': 'a', 'd/b': 'b' },
      { d: null, 'd/a': 'a' },
      {},
      { d: null, 'd/b': 'b' },
    ],
    ['become files again', { d: 'file' }, { d: null, 'd/a': 'a' }, { d: null, 'd/a': 'a' }, { d: 'file' }],
    ['take the place of files again', { d: null, 'd/a': 'a' }, { d: 'file' }, { d: 'file' }, { d: null, 'd/a': 'a' }],
  ])('%s', async (_what, good, bad, live, expected) => {
    const { snapshot, ancestor } = await states(good, bad, live);
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { end: 'completed', conflicts: 0 } });
    expect(there()).toStrictEqual(expected);
  });

  test('that are to be a file again, but are in use by now, are a conflict', async () => {
    const bad = { d: null, 'd/a': 'a' };
    const { snapshot, ancestor } = await states({ d: 'file' }, bad, { ...bad, 'd/mine': 'mine' });
    const asked = await stage.merge(snapshot, ancestor, 'manual');
    expect(asked.merge).toMatchObject({ end: 'pending', items: [{ class: 'structure', item: `${app}/d` }] });
    expect(await stage.merge(snapshot, ancestor, 'overwrite')).toMatchObject({ merge: { end: 'partiallyCompleted' } });
    expect(there()).toStrictEqual({ d: null, 'd/mine': 'mine' });
    const decisions = (asked.merge?.items ?? []).map(({ item, digest }) => ({
      item,
      digest,
      take: 'snapshot' as const,
    }));
    expect(await stage.merge(snapshot, ancestor, 'manual', { decisions })).toMatchObject({ outcome: 'done' });
    expect(there()).toStrictEqual({ d: 'file' });
  });

  test('that people replaced by a file take nothing of what comes back', async () => {
    const { snapshot, ancestor } = await states(
      { d: null, 'd/a': 'a', 'd/b': 'b' },
      { d: null, 'd/a': 'a' },
      { d: 'file' },
    );
    expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({
      merge: { end: 'aborted', items: [{ class: 'dependency', item: `${app}/d/b has no folder any more` }] },
    });
    expect(await stage.merge(snapshot, ancestor, 'skip')).toMatchObject({ merge: { end: 'partiallyCompleted' } });
    expect(there()).toStrictEqual({ d: 'file' });
  });
});

test('[M4] files with several names stay one, unless the first of them goes', async () => {
  lay({ a: 'good', x: 'x' });
  linkSync(join(app, 'a'), join(app, 'b'));
  const snapshot = await stage.capture();
  writeFileSync(join(app, 'a'), 'bad');
  writeFileSync(join(app, 'z'), 'added by mistake');
  const ancestor = await stage.capture();
  linkSync(join(app, 'a'), join(app, 'c'));
  linkSync(join(app, 'z'), join(app, 'zz'));
  expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { end: 'completed' } });
  expect(there()).toStrictEqual({ a: 'good', b: 'good', c: 'good', x: 'x', zz: 'added by mistake' });
  expect(new Set(['a', 'b', 'c'].map((name) => statSync(join(app, name)).ino)).size).toBe(1);
});

test('[M4] paths alone: the rest is not looked at', async () => {
  const { snapshot, ancestor } = await states(
    { d: null, 'd/a': 'good', e: 'good' },
    { e: 'bad' },
    { e: 'live', mine: 'mine' },
  );
  expect(await stage.merge(snapshot, ancestor, 'abort', { paths: ['d/a'] })).toMatchObject({ outcome: 'done' });
  expect(there()).toStrictEqual({ d: null, 'd/a': 'good', e: 'live', mine: 'mine' });
  expect(await stage.merge(snapshot, ancestor, 'abort', { paths: ['nowhere'] })).toMatchObject({
    outcome: 'failed',
    detail: 'the snapshot has no nowhere',
  });
});

test('what somebody changes in between is merged too, and not overwritten', async () => {
  stage.close();
  await begin({}, { quiesce: [{ kind: 'run', timeoutMs: 1_000 }] });
  const { snapshot, ancestor } = await states(
    { conf: CONF },
    { conf: CONF.replace('10', '0') },
    { conf: CONF.replace('10', '0') },
  );
  const outcome = await stage.merge(snapshot, ancestor, 'abort', {
    perform: async () => {
      appendFileSync(join(app, 'conf'), 'new = 1\n');
      return await Promise.resolve({ outcome: 'done', detail: '' });
    },
  });
  expect(outcome).toMatchObject({ outcome: 'done' });
  expect(there()).toStrictEqual({ conf: `${CONF}new = 1\n` });
});

test('it says what it goes through, as it begins', async () => {
  const { snapshot, ancestor } = await states(
    { a: 'good', b: 'good' },
    { a: 'bad', b: 'bad' },
    { a: 'live', b: 'bad' },
  );
  const phases: string[] = [];
  await stage.merge(snapshot, ancestor, 'skip', { onPhase: (phase) => void phases.push(phase) });
  expect(phases.slice(0, 3)).toStrictEqual(['analyzing', 'conflictDetection', 'conflictResolution']);
  expect(phases.at(-1)).toBe('executing');
});

test('an ancestor of other paths is refused', async () => {
  lay({ a: 'a' });
  const snapshot = await stage.capture();
  const other = await CapturedStage.open((live) => ({ ...(stage.target.type as FilesTarget), paths: [live] }));
  writeFileSync(join(other.live, 'a'), 'a');
  const target = { ...other.target, type: { ...other.target.type, paths: [other.live] } as FilesTarget };
  const context = stage.captureContext();
  const taken = await stage.points.capture(target, context);
  if (taken.outcome === 'failed') throw new Error(taken.detail);
  const ancestor = { ...taken.snapshot, target: 'target', type: 'files' as const };
  other.close();
  expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('cannot be held against each other'),
  });
  expect(existsSync(join(app, 'a'))).toBe(true);
});

test('a time of its own is no change', async () => {
  const { snapshot, ancestor } = await states({ a: 'a' }, { a: 'b' }, { a: 'a' });
  utimesSync(join(app, 'a'), 1_000, 1_000);
  expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { conflicts: 0 } });
  expect(statSync(join(app, 'a')).mtimeMs).toBe(1_000_000);
});

describe('whatever the trees are', () => {
  type Node = string | { readonly link: string } | { readonly [name: string]: Node | undefined };
  const leaf = fc.oneof(
    fc.constantFrom('1\n2\n3\n4\n', '1\n2\n3\nx\n', 'y\n2\n3\n4\n', '1\nz\n3\n4\n', '\0'),
    fc.constantFrom('a', 'b').map((link) => ({ link })),
  );
  const node: fc.Arbitrary<Node | undefined> = fc.letrec<{ node: Node | undefined }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.constant(undefined),
      fc.record({ c: tie('node'), d: tie('node') }).map((inner) => inner satisfies Node),
    ),
  })).node;
  const tree: fc.Arbitrary<Tree> = fc.record({ a: node, b: node }).map((top) => Object.fromEntries(laid(top)));

  function laid(folder: { readonly [name: string]: Node | undefined }, prefix = ''): [string, Tree[string]][] {
    return Object.entries(folder).flatMap(([name, inner]): [string, Tree[string]][] => {
      const path = `${prefix}${name}`;
      if (inner === undefined) return [];
      if (typeof inner === 'string') return [[path, inner]];
      const { link } = inner;
      if (typeof link === 'string') return [[path, { link }]];
      return [[path, null], ...laid(inner, `${path}/`)];
    });
  }

  test('what one side alone changed is what comes of it', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const { snapshot, ancestor } = await states(after, before, before);
        const wanted = sorted(after);
        expect(await stage.merge(snapshot, ancestor, 'abort')).toMatchObject({ merge: { conflicts: 0 } });
        expect(there()).toStrictEqual(wanted);
        lay(before);
        expect(await stage.merge(ancestor, snapshot, 'abort')).toMatchObject({ merge: { end: 'completed' } });
      }),
      { numRuns: 8 },
    );
  });

  test('a merge that is repeated changes nothing, and without conflicts nothing is lost', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, tree, fc.constantFrom('skip', 'overwrite'), async (good, bad, live, strategy) => {
        const { snapshot, ancestor } = await states(good, bad, live);
        const { merge } = await stage.merge(snapshot, ancestor, strategy);
        expect(merge?.end).toMatch(/ompleted$/);
        const merged = there();
        const additions = Object.entries(sorted(live)).filter(
          ([path]) => merge?.conflicts === 0 && !Object.hasOwn(good, path) && !Object.hasOwn(bad, path),
        );
        expect(merged).toMatchObject(Object.fromEntries(additions));
        expect(await stage.merge(snapshot, ancestor, strategy)).toMatchObject({
          detail: expect.stringMatching(/^0 put in place, 0 removed, 0 adjusted|in part/),
        });
        expect(there()).toStrictEqual(merged);
      }),
      { numRuns: 8 },
    );
  });

  function sorted(tree: Tree): Tree {
    return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
});
