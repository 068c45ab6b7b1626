import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpTarget } from '../../../src/core/model/target.ts';
import { CapturedStage, totals } from '../../support/points/captured-stage.ts';
import { DocumentService } from '../../support/points/document-service.ts';

let service: DocumentService;
let stage: CapturedStage;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-http-'));
  service = await DocumentService.start();
  stage = await opened();
});
afterEach(async () => {
  stage.close();
  await service.close();
  rmSync(folder, { recursive: true });
});

async function opened(change: Partial<HttpTarget> = {}): Promise<CapturedStage> {
  return await CapturedStage.open(() => ({
    kind: 'http',
    url: `${service.origin}/settings`,
    headers: {},
    method: 'PUT',
    ignore: ['/served'],
    timeoutMs: 10_000,
    maxBytes: 10_000,
    ...change,
  }));
}

async function reopened(change: Partial<HttpTarget>): Promise<void> {
  stage.close();
  stage = await opened(change);
}

function serve(value: unknown): void {
  service.setText('settings', JSON.stringify(value));
}

function served(): unknown {
  return JSON.parse(service.textOf('settings') ?? 'null');
}

async function failed(): Promise<string> {
  const outcome = await stage.points.capture(stage.target, stage.captureContext());
  expect(outcome.outcome).toBe('failed');
  return outcome.detail;
}

test('numbers are put back as they were written, also those that a double does not hold', async () => {
  service.setText('settings', '{"id":12345678901234567890,"rate":1.50}');
  await reopened({ ignore: [] });
  service.givesEtags = false;
  const snapshot = await stage.capture();
  serve({ id: 1 });
  await stage.restore(snapshot);
  expect(service.textOf('settings')).toMatch(/^\{"id":12345678901234567890,"rate":1\.50/);
});

test('an unchanged document is not sent again where the service knows ETags', async () => {
  serve({ rate: 5 });
  const first = await stage.capture();
  const second = await stage.capture({ previous: first });
  expect(second).toMatchObject({ fingerprint: first.fingerprint, bytes: first.bytes });
  expect(second.detail).toContain('unchanged');
  expect(service.exchanges.at(-1)?.headers['if-none-match']).toMatch(/^"/);
});

test('a part is put back into what the document is now', async () => {
  serve({ limits: { rate: 5, burst: 10 }, mode: 'safe', list: [1, 2] });
  const snapshot = await stage.capture();
  serve({ limits: { rate: 50, burst: 99, added: true }, mode: 'fast', list: [1, 2] });
  expect(await stage.restore(snapshot, ['/limits/rate', '/limits/added'])).toMatchObject({ outcome: 'done' });
  expect(served()).toMatchObject({ limits: { rate: 5, burst: 99 }, mode: 'fast' });
  expect(served()).not.toHaveProperty('limits.added');
  expect(await stage.observe(snapshot, ['/limits/rate', '/limits/added'])).toBe('done');
  expect(await stage.observe(snapshot, ['/mode'])).toBe('notDone');
});

test.each([
  [['limits'], 'is not a JSON pointer'],
  [['/nothing'], 'neither the point nor the live document has /nothing'],
  [['/limits/rate'], 'has no /limits for /limits/rate to stand in'],
])('a part %j that cannot be put back is refused before anything is touched', async (paths, said) => {
  serve({ limits: { rate: 5 } });
  const snapshot = await stage.capture();
  serve({ other: 1 });
  const outcome = await stage.restore(snapshot, paths);
  expect(outcome).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(said) });
  expect(served()).toEqual({ other: 1 });
});

test('what somebody else writes in between is not overwritten unseen', async () => {
  serve({ rate: 5, other: 1 });
  const snapshot = await stage.capture();
  serve({ rate: 6, other: 1 });
  let turns = 0;
  service.beforePut = () => {
    turns += 1;
    if (turns === 1) serve({ rate: 6, other: 2 });
  };
  expect(await stage.restore(snapshot, ['/rate'])).toMatchObject({ outcome: 'done' });
  expect(served()).toMatchObject({ rate: 5, other: 2 });
  service.beforePut = () => serve({ rate: 6, other: (turns += 1) });
  serve({ rate: 6 });
  expect(await stage.restore(snapshot)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('was changed by somebody else each of 3 times'),
  });
});

test('a service that takes a document and shows another has not restored it', async () => {
  serve({ rate: 5, mode: 'safe' });
  const snapshot = await stage.capture();
  serve({ rate: 6, mode: 'safe' });
  service.givesEtags = false;
  service.onWritten = () => serve({ rate: 7, mode: 'safe' });
  expect(await stage.restore(snapshot)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('is something else now: /rate (5 → 7)'),
  });
});

test.each([
  ['not JSON', 'rate: 5', 'is not JSON'],
  ['too long', JSON.stringify('x'.repeat(20_000)), 'more than 10000 bytes'],
  ['nested too deep', '['.repeat(1_000) + ']'.repeat(1_000), 'nested deeper than 500'],
  ['empty', '', 'is empty'],
])('what is %s is not captured', async (_what, content, said) => {
  service.setText('settings', content);
  expect(await failed()).toContain(said);
});

test('a service that refuses, or is not there, is told as it is', async () => {
  await reopened({ url: `${service.origin}/other` });
  expect(await failed()).toBe(`${service.origin}/other does not exist`);
  service.status = 403;
  expect(await failed()).toMatch(/GET .* answered 403/);
  await service.close();
  expect(await failed()).toContain('nobody listens there');
  service = await DocumentService.start();
});

test('a secret is sent, and never told', async () => {
  await reopened({ headers: { Authorization: { file: join(folder, 'token') } } });
  expect(await failed()).toContain(`the secret file ${join(folder, 'token')} does not exist`);
  writeFileSync(join(folder, 'token'), 'open-sesame-open-sesame\n');
  serve({ rate: 5 });
  const snapshot = await stage.capture();
  expect(service.exchanges.at(-1)?.headers.authorization).toBe('open-sesame-open-sesame');
  service.echoes = true;
  service.status = 403;
  const { detail } = await stage.restore(snapshot);
  expect(detail).toMatch(/answered 403\n.*\[redacted\]/);
  expect(detail).not.toContain('sesame');
});

test('a difference names places by JSON pointer', async () => {
  serve({ limits: { rate: 5 }, list: ['a'], gone: true });
  const snapshot = await stage.capture();
  serve({ limits: { rate: 6 }, list: ['a', 'b'] });
  const diff = await stage.diff(snapshot);
  expect(totals(diff)).toEqual({ added: 1, removed: 1, changed: 1 });
  expect(diff.groups[0]?.items).toEqual([
    { kind: 'removed', what: '/gone', detail: 'true' },
    { kind: 'changed', what: '/limits/rate', detail: '5 → 6' },
    { kind: 'added', what: '/list/1', detail: '"b"' },
  ]);
  expect(basename(diff.groups[0]?.name ?? '')).toBe('settings');
});

test('[M4] a document is merged place by place, and what people changed since stays', async () => {
  serve({ rate: 5, list: ['a'], deep: { x: 1, y: 1 }, served: 1 });
  const good = await stage.capture();
  serve({ rate: 50, list: ['a', 'bad'], deep: { x: 0, y: 1 }, served: 2 });
  const bad = await stage.capture();
  serve({ rate: 50, list: ['a', 'bad'], deep: { x: 0, y: 2 }, added: true, served: 3 });
  expect(await stage.merge(good, bad, 'abort')).toMatchObject({ outcome: 'done', merge: { end: 'completed' } });
  expect(served()).toStrictEqual({
    rate: 5,
    list: ['a'],
    deep: { x: 1, y: 2 },
    added: true,
    served: expect.any(Number),
  });
});

test('[M4] a document with conflicts: the strategies, and decisions about exactly these', async () => {
  serve({ rate: 5, deep: { x: 1 }, kind: 'a' });
  const good = await stage.capture();
  serve({ rate: 50, deep: { x: 0 }, kind: 'b' });
  const bad = await stage.capture();
  const live = { rate: 60, deep: 'none', kind: 'b' };
  serve(live);
  const aborted = await stage.merge(good, bad, 'abort');
  expect(aborted).toMatchObject({
    outcome: 'failed',
    detail: '2 conflicts (value: /rate, …); nothing was changed',
    merge: { end: 'aborted', phases: ['analyzing', 'conflictDetection', 'conflictResolution', 'aborted'] },
  });
  const pending = await stage.merge(good, bad, 'manual');
  expect(pending.merge?.items).toMatchObject([
    { item: '/rate', class: 'value', ancestor: 50, live: 60, snapshot: 5 },
    { item: '/deep', class: 'structure', ancestor: { x: 0 }, live: 'none', snapshot: { x: 1 } },
  ]);
  expect(served()).toStrictEqual(live);
  const decisions = (pending.merge?.items ?? []).map(({ item, digest }) => ({
    item,
    digest,
    take: 'snapshot' as const,
  }));
  serve({ ...live, rate: 61 });
  expect(await stage.merge(good, bad, 'manual', { decisions })).toMatchObject({ merge: { end: 'pending' } });
  serve(live);
  expect(await stage.merge(good, bad, 'overwrite')).toMatchObject({ merge: { end: 'partiallyCompleted' } });
  expect(served()).toMatchObject({ rate: 5, deep: 'none', kind: 'a' });
  serve(live);
  expect(await stage.merge(good, bad, 'skip')).toMatchObject({ merge: { end: 'partiallyCompleted' } });
  expect(served()).toMatchObject({ rate: 60, deep: 'none', kind: 'a' });
  serve(live);
  expect(await stage.merge(good, bad, 'manual', { decisions })).toMatchObject({ merge: { end: 'completed' } });
  expect(served()).toMatchObject({ rate: 5, deep: { x: 1 }, kind: 'a' });
});
