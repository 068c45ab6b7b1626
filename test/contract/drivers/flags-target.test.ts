import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FlagRecord, FlagState } from '../../../src/core/points/flag-state.ts';
import { CapturedStage, totals } from '../../support/points/captured-stage.ts';

const OFF: FlagRecord = {
  variant: 'off',
  because: 'latch',
  hold: 'latch:fast:INC-1',
  cause: 'guard/latency = 0.9 above 0.5',
};

function stateOf(variants: Readonly<Record<string, string>>, change: Partial<FlagState> = {}): FlagState {
  const flags = Object.fromEntries(
    Object.entries(variants).map(([name, variant]): [string, FlagRecord] => [
      name,
      { variant, because: 'git', hold: null, cause: null },
    ]),
  );
  return { revision: 'r1', flags, ...change };
}

const GOOD = stateOf({ fast: 'on', new: 'off', old: 'on' });

let stage: CapturedStage;

beforeEach(async () => {
  stage = await CapturedStage.open(() => ({ kind: 'flags', only: [] }));
});
afterEach(() => stage.close());

describe('a capture', () => {
  test('keeps what was decided, and tells the variants to the log', async () => {
    const snapshot = await stage.capture({ flags: GOOD });
    expect(snapshot).toMatchObject({ flags: { fast: 'on', new: 'off', old: 'on' }, detail: '3 flag(s)' });
    expect(await stage.points.verify(stage.target, snapshot, stage.pointContext())).toMatchObject({ outcome: 'valid' });
    const folder = join(stage.folder, 'scratch');
    mkdirSync(folder);
    const rehearsed = await stage.points.rehearse(stage.target, snapshot, folder, stage.pointContext());
    expect(rehearsed).toMatchObject({ outcome: 'done', detail: '3 flag(s), of which none was set' });
    expect(JSON.parse(readFileSync(join(folder, 'flags.json'), 'utf8'))).toEqual(GOOD);
  });

  test('is the same state whatever brought it about', async () => {
    const before = await stage.capture({ flags: stateOf({ fast: 'off' }) });
    const after = await stage.capture({ flags: { revision: 'r2', flags: { fast: OFF } }, previous: before });
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.detail).toBe('1 flag(s), unchanged');
  });

  test('that the log has otherwise than the content is invalid', async () => {
    const { flags: _none, ...snapshot } = await stage.capture({ flags: GOOD });
    for (const known of [snapshot, { ...snapshot, flags: { fast: 'off', new: 'off', old: 'on' } }]) {
      const verdict = await stage.points.verify(stage.target, known, stage.pointContext());
      expect(verdict).toMatchObject({ outcome: 'invalid', detail: expect.stringContaining('other variants') });
    }
  });

  test('of what was not decided fails', async () => {
    await expect(stage.capture()).rejects.toThrow('what the flags are was not decided');
  });

  test('that is damaged since is invalid', async () => {
    const snapshot = await stage.capture({ flags: GOOD });
    for (const blob of stage.blobs()) writeFileSync(blob, 'x');
    const verdict = await stage.points.verify(stage.target, snapshot, stage.pointContext());
    expect(verdict).toMatchObject({ outcome: 'invalid', faults: [expect.stringContaining('is corrupted')] });
  });
});

describe('a difference', () => {
  const LATER: FlagState = { revision: 'r2', flags: { ...stateOf({ new: 'off', more: 'on' }).flags, fast: OFF } };

  test('goes flag by flag, and says why one is what it is', async () => {
    const diff = await stage.diff(await stage.capture({ flags: GOOD }), 'live', { flags: LATER });
    expect(diff.groups).toMatchObject([
      {
        name: 'flags',
        note: 'revision r1 → r2',
        items: [
          { kind: 'changed', what: 'fast', detail: '"on" → "off" (latch: guard/latency = 0.9 above 0.5)' },
          { kind: 'added', what: 'more', detail: '"on"' },
          { kind: 'removed', what: 'old', detail: '"on"' },
        ],
      },
    ]);
  });

  test('is told between two points too, and of the named flags alone', async () => {
    const named = await CapturedStage.open(() => ({ kind: 'flags', only: ['fast', 'new'] }));
    try {
      const [before, after] = [await named.capture({ flags: GOOD }), await named.capture({ flags: LATER })];
      expect(totals(await named.diff(before, after))).toEqual({ added: 0, removed: 0, changed: 1 });
    } finally {
      named.close();
    }
  });

  test('with what is live needs to be told what that is', async () => {
    await expect(stage.diff(await stage.capture({ flags: GOOD }))).rejects.toThrow('is not known here');
  });
});

test('no operation sets flags', async () => {
  const snapshot = await stage.capture({ flags: GOOD });
  expect(await stage.restore(snapshot)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('by holds'),
  });
  expect(await stage.observe(snapshot)).toBe('unknown');
});

test('content that something else wrote is refused', async () => {
  const strange = JSON.parse('{"revision":"r1","flags":{"fast":{"variant":1}}}');
  const snapshot = await stage.capture({ flags: strange });
  await expect(stage.diff(snapshot, 'live', { flags: GOOD })).rejects.toThrow('make no sense');
});
