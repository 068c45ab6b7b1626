import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRollbackPoint, getRollbackPoint, rollback } from '../../src/library/revertd.ts';
import { E2eHost } from '../support/e2e-host.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { files: { paths: ["\${host.folder}/settings"] } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: data }
spec: { targets: [settings], retain: { last: 5 } }
`;

let host: E2eHost;
let socket: string;
let file: string;

beforeEach(async () => {
  host = new E2eHost();
  [socket, file] = [join(host.data, 'control.sock'), join(host.folder, 'settings/app.conf')];
  mkdirSync(join(host.folder, 'settings'));
  writeFileSync(file, 'good\n');
  host.commit({ 'policies.yaml': POLICIES }, 'Keep points');
  host.writeConfig('points: { defaultTtl: 2d }');
});

afterEach(async () => {
  await host.close();
});

async function started(): Promise<void> {
  await host.startDaemon();
  await host.untilStatus('policies are in force', ({ revision }) => revision !== null);
}

test('M1: a program takes a point with all that it knows of it, goes back to it, and takes that back', async () => {
  await started();
  const about = {
    name: 'before-import',
    description: 'before the nightly import',
    session: 'job-42',
    metadata: { rows: '1200' },
  };
  const point = await createRollbackPoint({ ...about, targets: ['settings'], ttl: 86_400_000 }, { socket });
  expect(point).toMatchObject({ ...about, state: 'valid', policy: null, targets: ['settings'], bytes: 5 });
  expect((point.expiresAt?.getTime() ?? 0) - (point.completedAt?.getTime() ?? 0)).toBe(86_400_000);
  writeFileSync(file, 'bad\n');
  const result = await rollback(point.id, { reason: 'the import was wrong', target: 'settings' }, { socket });
  expect(result).toMatchObject({ point: point.id, targets: ['settings'] });
  expect(readFileSync(file, 'utf8')).toBe('good\n');
  await rollback(result.safetyPoint, { reason: 'it was right' }, { socket });
  expect(readFileSync(file, 'utf8')).toBe('bad\n');
  expect(await getRollbackPoint(point.id, { socket })).toEqual(point);
});

test('a point without a time to live has the host’s, or lives by its policy', async () => {
  await started();
  const own = await createRollbackPoint({ targets: ['settings'] }, { socket });
  expect((own.expiresAt?.getTime() ?? 0) - (own.completedAt?.getTime() ?? 0)).toBe(2 * 86_400_000);
  expect(await createRollbackPoint({ policy: 'data' }, { socket })).toMatchObject({ policy: 'data', expiresAt: null });
});

test('what cannot be done is told by a code, and by a message for people', async () => {
  await expect(createRollbackPoint({ policy: 'data' }, { socket })).rejects.toMatchObject({ code: 'noDaemon' });
  await started();
  await expect(createRollbackPoint({ policy: 'dta' }, { socket })).rejects.toThrow('Did you mean data?');
  await expect(rollback('nothing', { reason: 'test' }, { socket })).rejects.toMatchObject({ code: 'failed' });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(createRollbackPoint({ policy: 'data' }, { socket, signal })).rejects.toThrow('enough');
});

test('a point that is not waited for any more is given up, or is there as a whole', async () => {
  await started();
  const control = new AbortController();
  const taking = createRollbackPoint({ policy: 'data' }, { socket, signal: control.signal });
  setTimeout(() => control.abort(), 30);
  const [end] = await Promise.allSettled([taking]);
  const client = await host.client();
  const { points } = await host.until('the point is settled', async () => {
    const found = await client.get<{ points: { state: string }[] }>('points');
    return found.points.every(({ state }) => state === 'failed' || state === 'valid') ? found : undefined;
  });
  expect(points.map(({ state }) => state === 'valid' || state === 'failed')).toEqual(points.map(() => true));
  expect(end.status === 'rejected' || points[0]?.state === 'valid').toBe(true);
});
