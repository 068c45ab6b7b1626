import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../core/event.ts';
import { EMPTY_MEMORY } from '../core/memory.ts';
import { STORE_FILE } from './database.ts';
import { chainHash, GENESIS } from './hash-chain.ts';
import { Store } from './store.ts';
import type { LogHead } from './verify-chain.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-chain-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes so many events, and answers the head after each. */
function write(count: number, first: readonly Event[] = []): LogHead[] {
  const store = new Store(folder);
  const begun = store.head.seq;
  const events = Array.from({ length: count }, (_one, index): Event => {
    const number = begun + index + 1;
    return first[index] ?? { at: 1_000 + number, type: 'daemon.stopped', reason: `event ${number}` };
  });
  store.commit({ events, actor: 'test', memory: EMPTY_MEMORY });
  const records = store.events({ after: begun });
  store.close();
  return records.map(({ seq, hash, event }) => ({ seq, hash, at: event.at }));
}

function change(sql: string): void {
  const database = new DatabaseSync(join(folder, STORE_FILE));
  database.exec(sql);
  database.close();
}

function verify(...heads: (LogHead | undefined)[]) {
  const store = new Store(folder, { readOnly: true });
  try {
    return store.verifyChain(heads.filter((head) => head !== undefined));
  } finally {
    store.close();
  }
}

/** What somebody does who knows how hashes are made. */
function rewriteFrom(seq: number): void {
  const database = new DatabaseSync(join(folder, STORE_FILE));
  let previous = GENESIS;
  for (const row of database.prepare('SELECT * FROM events ORDER BY seq').all()) {
    const [number, at] = [Number(row['seq']), Number(row['at'])];
    const [type, actor] = [String(row['type']), String(row['actor'])];
    const data = number === seq ? '{"reason":"nothing happened"}' : String(row['data']);
    previous = chainHash(previous, { seq: number, at, type, actor, data });
    database.prepare('UPDATE events SET data = ?, hash = ? WHERE seq = ?').run(data, previous, number);
  }
  database.close();
}

describe('without heads', () => {
  test.each([
    ['a changed event', 'UPDATE events SET at = at + 1 WHERE seq = 700', [{ kind: 'altered', from: 700, to: 700 }]],
    [
      'removed events',
      'DELETE FROM events WHERE seq IN (3, 4, 900)',
      [
        { kind: 'missing', from: 3, to: 4 },
        { kind: 'missing', from: 900, to: 900 },
      ],
    ],
    ['the first event removed', 'DELETE FROM events WHERE seq = 1', [{ kind: 'missing', from: 1, to: 1 }]],
    [
      'two events in another order',
      'UPDATE events SET seq = -seq WHERE seq IN (5, 6); UPDATE events SET seq = 11 + seq WHERE seq < 0',
      [{ kind: 'altered', from: 5, to: 7 }],
    ],
  ])('%s: the exact place', (_what, sql, faults) => {
    write(1_200);
    change(sql);
    const verdict = verify();
    expect(verdict.faults).toEqual(faults);
    expect(verdict.brokenAt).toBe(faults[0]?.from);
  });

  test('in turns it finds the same', async () => {
    write(1_200);
    change('DELETE FROM events WHERE seq = 600');
    const store = new Store(folder, { readOnly: true });
    expect(await store.verifyChainInTurns()).toEqual(store.verifyChain());
    store.close();
  });
});

describe('with heads from elsewhere', () => {
  test('those of the log are confirmed', () => {
    const heads = write(5);
    expect(verify(heads[1], heads[4], { seq: 0, hash: GENESIS })).toMatchObject({
      brokenAt: null,
      confirmed: 3,
      records: 5,
    });
  });

  test('an end that was cut off is found, which hashes alone cannot show', () => {
    const heads = write(9);
    change('DELETE FROM events WHERE seq > 6');
    expect(verify().brokenAt).toBeNull();
    expect(verify(heads[3], heads[8]).faults).toEqual([{ kind: 'cut', from: 7, to: 9 }]);
  });

  test('a log that was written anew is found between two heads', () => {
    const heads = write(9);
    rewriteFrom(5);
    expect(verify().brokenAt).toBeNull();
    expect(verify(heads[2], heads[6], heads[8]).faults).toEqual([{ kind: 'rewritten', from: 4, to: 7 }]);
  });

  test('an empty log has lost everything', () => {
    const heads = write(3);
    change('DELETE FROM events');
    expect(verify(heads[2]).faults).toEqual([{ kind: 'cut', from: 1, to: 3 }]);
  });

  test('heads from before a backup was restored are told apart, and those before its last event still count', () => {
    const heads = write(9);
    change('DELETE FROM events WHERE seq > 4');
    const [restored] = write(3, [{ at: 2_000, type: 'store.restored', file: 'f', host: 'h', takenAt: 1_500, seq: 4 }]);
    expect(verify(heads[3], heads[8], restored)).toMatchObject({ brokenAt: null, confirmed: 2, superseded: 1 });
    rewriteFrom(3);
    expect(verify(heads[3], heads[8]).faults).toEqual([{ kind: 'rewritten', from: 1, to: 4 }]);
  });
});
