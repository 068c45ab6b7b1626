import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aDatabase, aService, aSnapshot, ORIGIN } from '../../../test/support/policies.ts';
import type { EventSpec } from '../../core/event.ts';
import type { CaptureAction, ValidateAction } from '../../core/model/action.ts';
import type { Operation } from '../../core/model/operation.ts';
import type { CapturedDriver } from '../../drivers/targets/captured-target.ts';
import type { TargetDriver } from '../../drivers/targets/target-driver.ts';
import { openContentStore } from '../../store/content/content-store.ts';
import { Executor } from './executor.ts';
import { createHands } from './hands.ts';
import { capturePoint, type PointWork, validatePoint } from './point-operations.ts';

let folder: string;
let live: string;
let kept: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-points-'));
  [live, kept] = [join(folder, 'live'), join(folder, 'kept')];
  writeFileSync(live, 'content');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The smallest driver that there can be: one file, copied into a folder. */
function copying(change: Partial<CapturedDriver> = {}): TargetDriver {
  const points: CapturedDriver = {
    capture: () => {
      copyFileSync(live, kept);
      const { target: _target, type: _type, ...snapshot } = aSnapshot('database', 0);
      return Promise.resolve({ outcome: 'done', snapshot, detail: '' });
    },
    verify: () =>
      Promise.resolve(
        readFileSync(kept, 'utf8') === 'content'
          ? { outcome: 'valid', detail: 'as it was', bytes: 7 }
          : { outcome: 'invalid', detail: 'one piece', faults: ['it differs'] },
      ),
    rehearse: (_target, _snapshot, into) => {
      copyFileSync(kept, join(into, 'copy'));
      return Promise.resolve({ outcome: 'done', detail: '', path: into });
    },
    diff: () => Promise.resolve({ groups: [] }),
    ...change,
  };
  const { targets } = createHands({}, {});
  return { ...targets.sqlite, points };
}

function work(change: Partial<PointWork> = {}, driver = copying()): PointWork {
  const { targets } = createHands({}, {});
  return {
    signal: new AbortController().signal,
    operation: 'capture:p#1',
    hostName: 'test',
    targets: { ...targets, sqlite: driver },
    content: () => openContentStore(join(folder, 'points'), { compression: 'none' }),
    room: () => Promise.resolve(Infinity),
    scratch: join(folder, 'scratch'),
    now: () => 0,
    log: () => undefined,
    progress: () => undefined,
    ask: () => Promise.resolve({ outcome: 'unknown', detail: 'nobody was to ask' }),
    perform: () => Promise.resolve({ outcome: 'done', detail: '' }),
    ...change,
  };
}

const CAPTURE: CaptureAction = {
  kind: 'capture',
  point: 'p',
  targets: [aDatabase()],
  quiesce: [],
  undo: [],
  previous: {},
  compression: 'none',
  timeoutMs: 60_000,
};
const VALIDATE: ValidateAction = {
  kind: 'validate',
  point: 'p',
  snapshots: [aSnapshot('database', 0)],
  targets: [aDatabase()],
  rehearse: true,
  timeoutMs: 60_000,
};

test('a capture answers a snapshot of each target, under its name and type', async () => {
  const captured = await capturePoint(CAPTURE, work());
  expect(captured).toMatchObject({
    outcome: 'done',
    snapshots: [{ target: 'database', type: 'sqlite', bytes: 1_000 }],
  });
});

test('a capture does not begin where what must stand still does not', async () => {
  const action = { ...CAPTURE, quiesce: [aService('app.service', 'stop')] };
  const perform = () => Promise.resolve({ outcome: 'failed', detail: 'app.service will not stop' });
  expect(await capturePoint(action, work({ perform }))).toEqual({
    outcome: 'failed',
    detail: 'what must stand still does not: app.service will not stop',
  });
  expect(existsSync(kept)).toBe(false);
});

test('one target that fails fails the point, by its name', async () => {
  const failing = copying({ capture: () => Promise.resolve({ outcome: 'failed', detail: 'it is locked' }) });
  expect(await capturePoint(CAPTURE, work({}, failing))).toEqual({
    outcome: 'failed',
    detail: 'database: it is locked',
  });
});

test('what is larger than the host allows is not taken, and is ended as soon as that is seen', async () => {
  const room = () => Promise.resolve(6);
  expect(await capturePoint(CAPTURE, work({ room }))).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('database: it is larger than 6 bytes') as string,
  });
  let isEnded = false;
  const reading = copying({
    capture: (_target, { signal, progress }) => {
      progress({ bytes: 7 });
      isEnded = signal.aborted;
      return Promise.resolve({ outcome: 'failed', detail: 'it was ended before it was done' });
    },
  });
  expect(await capturePoint(CAPTURE, work({ room }, reading))).toMatchObject({ outcome: 'failed' });
  expect(isEnded).toBe(true);
  expect(await capturePoint(CAPTURE, work({ room: () => Promise.resolve(1_000_000) }))).toMatchObject({
    outcome: 'done',
  });
});

test('content that is as it was is restored beside the live system, and nothing of that stays', async () => {
  await capturePoint(CAPTURE, work());
  mkdirSync(join(folder, 'scratch/rehearsal'), { recursive: true });
  writeFileSync(join(folder, 'scratch/rehearsal/left'), 'from a life before');
  expect(await validatePoint(VALIDATE, work())).toMatchObject({ outcome: 'done' });
  expect(existsSync(join(folder, 'scratch/rehearsal'))).toBe(false);
  expect(readFileSync(live, 'utf8')).toBe('content');
});

test.each([
  ['true', 'done', 'and it can be restored'],
  ['false', 'failed', 'and not what it should be'],
  ['unknown', 'unknown', 'it was restored beside the live system'],
] as const)('the checks of the target ask what was restored: %s', async (outcome, ends, words) => {
  const asked: string[] = [];
  let isEnded = false;
  const driver = copying({
    rehearse: (_target, _snapshot, into) => {
      copyFileSync(kept, join(into, 'copy'));
      const end = () => {
        isEnded = true;
        return Promise.resolve();
      };
      return Promise.resolve({ outcome: 'done', detail: '', path: join(into, 'copy'), end });
    },
  });
  const ask: PointWork['ask'] = (check) => {
    asked.push(check.kind === 'sqlite' ? check.path : check.kind);
    return Promise.resolve({ outcome, detail: 'so it says' });
  };
  const target = aDatabase({
    checks: [{ key: 'intact', origin: ORIGIN, kind: 'sqlite', path: '/data/app.db', is: 'intact', timeoutMs: 1000 }],
  });
  await capturePoint(CAPTURE, work());
  const found = await validatePoint({ ...VALIDATE, targets: [target] }, work({ ask }, driver));
  expect(found).toMatchObject({ outcome: ends, detail: expect.stringContaining(words) as string });
  expect(asked).toEqual([join(folder, 'scratch/rehearsal/copy')]);
  expect(isEnded).toBe(true);
});

test('damaged content fails the point; what could not be found out says nothing of it', async () => {
  await capturePoint(CAPTURE, work());
  writeFileSync(kept, 'damaged');
  expect(await validatePoint(VALIDATE, work())).toEqual({
    outcome: 'failed',
    detail: 'database: one piece; it differs',
  });
  const busy = copying({ verify: () => Promise.resolve({ outcome: 'failed', detail: 'no space left' }) });
  expect(await validatePoint(VALIDATE, work({}, busy))).toMatchObject({ outcome: 'unknown' });
});

test('a capture that a person gives up has failed, and says who', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const slow = copying({
    capture: async (_target, { signal }) => {
      resolve();
      await new Promise((ended) => signal.addEventListener('abort', ended, { once: true }));
      return { outcome: 'failed', detail: 'it was ended before it was done' };
    },
  });
  const events: EventSpec[] = [];
  const hands = createHands({}, {});
  const executor = new Executor({
    hands: { ...hands, targets: { ...hands.targets, sqlite: slow } },
    now: () => 0,
    record: (...specs) => events.push(...specs),
    onFault: (error) => {
      throw error;
    },
    notifier: () => undefined,
    hostName: 'test',
    log: () => undefined,
    writeReport: () => Promise.resolve(''),
    readReport: () => undefined,
    content: () => openContentStore(join(folder, 'points'), { compression: 'none' }),
    room: () => Promise.resolve(Infinity),
    scratch: join(folder, 'scratch'),
    check: () => Promise.resolve({ outcome: 'unknown', detail: '' }),
    scratchDir: join(folder, 'drills'),
    neededContent: () => ({ sound: [], damaged: [] }),
  });
  const action = { ...CAPTURE, key: 'capture:p', sign: '+', reason: '', losesData: false, preconditions: [] } as const;
  const operation: Operation = { id: 'capture:p#1', action, plannedAt: 0, state: 'planned', fingerprint: null };
  executor.start(operation);
  await begun;
  expect(executor.cancelCapture('other', 'anna')).toBe(false);
  expect(executor.cancelCapture('p', 'anna')).toBe(true);
  await executor.drain();
  expect(events.at(-1)).toMatchObject({ type: 'operation.finished', outcome: 'failed', detail: 'cancelled: anna' });
});
