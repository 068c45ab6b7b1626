import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../test/support/fake-systemctl.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { QueryCheck } from '../../core/model/check.ts';
import type { MetricSource } from '../../core/model/metric-source.ts';
import type { Trigger } from '../../core/model/trigger.ts';
import type { Reading, ReadingValue } from '../../core/observed.ts';
import { nextSlot, phaseOf } from '../phase.ts';
import { type RemoteAnswer, RemoteFault } from './remote-query.ts';
import { RemoteSampling } from './remote-sampling.ts';

const T0 = 1_800_000_000_000;
const ORIGIN = { file: 'f.yaml', line: 1, column: 1 };

type Asked = { readonly expr: string; readonly at: number };

/** A sampling in a time that the test moves, of servers that answer as `respond` does. */
function begin(respond: (expr: string, signal: AbortSignal) => RemoteAnswer | Promise<RemoteAnswer>) {
  const clock = new ManualClock(T0);
  const asked: Asked[] = [];
  const rounds: (readonly Reading[])[] = [];
  let waiting: { count: number; resolve: () => void } | undefined;
  const remote = {
    target: 'http://prometheus',
    query: async (expr: string, at: number, signal: AbortSignal) => {
      asked.push({ expr, at });
      return await respond(expr, signal);
    },
    version: () => Promise.resolve('2.42.0'),
    close: () => {},
  };
  const sampling = new RemoteSampling({
    means: { clock, secret: () => Promise.reject(new Error('none')), systemctl: createFakeSystemctl({}) },
    onReadings(readings) {
      rounds.push(readings);
      if (waiting !== undefined && rounds.length >= waiting.count) waiting.resolve();
    },
    open: () => remote,
  });
  onTestFinished(() => sampling.stop());
  const taken = async (count: number): Promise<void> => {
    if (rounds.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = { count, resolve };
    await promise;
  };
  return { clock, asked, rounds, sampling, taken };
}

function source(name = 'prod', changes: Partial<MetricSource> = {}): MetricSource {
  const type = { kind: 'prometheus', url: 'http://prometheus', headers: {}, timeoutMs: 5000, retries: 0 } as const;
  return { name, origin: ORIGIN, suspend: false, intervalMs: 10_000, type, ...changes };
}

function triggers(...specs: readonly (readonly [string, string, string?])[]): Map<string, Trigger> {
  return new Map(
    specs.map(([key, query, of]) => [
      key,
      {
        name: key,
        origin: ORIGIN,
        digest: query,
        query,
        ...(of === undefined ? {} : { source: of }),
        threshold: { kind: 'above', value: 0 },
        forMs: 0,
        noData: 'hold',
        severity: 'critical',
        windowMs: 0,
      },
    ]),
  );
}

/** The second time that the source is asked: half an interval after the first at the earliest. */
function nextRound(): number {
  return nextSlot(T0 + 5000, phaseOf('prod', 10_000), 10_000);
}

function answer(values: readonly ReadingValue[], partial: readonly string[] = []): RemoteAnswer {
  return { elements: values.map((value, index) => ({ labels: { index: String(index) }, value })), partial };
}

const one: RemoteAnswer = { elements: [{ labels: {}, value: 1 }], partial: [] };

describe('a remote source', () => {
  it('is asked once for a query that several triggers share, on its phase, at one instant', async () => {
    const { clock, asked, rounds, sampling, taken } = begin(() => one);
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'up', 'prod'], ['p/b', 'up', 'prod'], ['p/c', 'down', 'prod'], ['p/d', 'own']));
    await taken(1);
    expect(asked).toEqual([
      { expr: 'up', at: T0 },
      { expr: 'down', at: T0 },
    ]);
    const result = { kind: 'elements', elements: one.elements };
    const reading = { at: T0, intervalMs: 10_000, covered: true, healthy: true, result };
    expect(rounds[0]).toEqual(['p/a', 'p/b', 'p/c'].map((trigger) => ({ trigger, ...reading })));
    clock.advance(nextRound() - clock.now());
    await taken(2);
    const at = asked.at(-1)?.at ?? 0;
    expect((at - phaseOf('prod', 10_000)) % 10_000).toBe(0);
  });

  it('has a condition that tells its version, also if no trigger names it', async () => {
    const { asked, clock, sampling, taken } = begin(() => one);
    sampling.update([source()]);
    expect(sampling.conditions()).toMatchObject([{ source: 'prod', state: 'waiting' }]);
    clock.advance(500);
    await taken(1);
    expect(asked.map(({ expr }) => expr)).toEqual(['vector(1)']);
    expect(sampling.conditions()).toMatchObject([{ state: 'up', server: '2.42.0', target: 'http://prometheus' }]);
  });

  it('that cannot be reached holds its triggers, until it can', async () => {
    let up = false;
    const { clock, rounds, sampling, taken } = begin(() => {
      if (up) return one;
      throw new RemoteFault('unreachable', 'nothing listens there');
    });
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'up', 'prod']));
    await taken(1);
    const failed = { kind: 'failed', message: 'nothing listens there' };
    expect(rounds[0]).toMatchObject([{ healthy: false, result: failed }]);
    expect(sampling.conditions()).toMatchObject([{ state: 'down', lastError: { code: 'unreachable' } }]);
    up = true;
    clock.advance(nextRound() - clock.now());
    await taken(2);
    expect(rounds[1]).toMatchObject([{ healthy: true }]);
    expect(sampling.conditions()[0]).not.toHaveProperty('lastError');
  });

  it('that refuses one query is up, says so, and the others are answered', async () => {
    const { rounds, sampling, taken } = begin((expr) => {
      if (expr === 'up') return one;
      throw new RemoteFault('bad_query', 'parse error');
    });
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'bad(', 'prod'], ['p/b', 'up', 'prod']));
    await taken(1);
    expect(rounds[0]).toMatchObject([{ result: { kind: 'failed' } }, { result: { kind: 'elements' } }]);
    expect(sampling.conditions()).toMatchObject([
      { state: 'up', lastError: { code: 'bad_query', message: 'bad(: parse error' } },
    ]);
  });

  it('that answers in part proves no absence', async () => {
    const { rounds, sampling, taken } = begin(() => ({ elements: [], partial: ['a store is missing'] }));
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'up', 'prod']));
    await taken(1);
    expect(rounds[0]).toMatchObject([{ healthy: false, result: { kind: 'elements', elements: [] } }]);
    expect(sampling.conditions()).toMatchObject([{ state: 'up', lastError: { code: 'partial' } }]);
  });

  it('that answers one query and not the other is waited for no longer than its deadline', async () => {
    const { promise: hanging, resolve: entered } = Promise.withResolvers<void>();
    const { clock, rounds, sampling, taken } = begin((expr, signal) => {
      if (expr === 'up') return one;
      entered();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new RemoteFault('timeout', 'no end within 5s')));
      });
    });
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'slow', 'prod'], ['p/b', 'up', 'prod']));
    await hanging;
    clock.advance(5000);
    await taken(1);
    const kinds = rounds[0]?.map(({ result }) => result.kind);
    expect(kinds).toEqual(['failed', 'elements']);
  });

  it('that does not even end when it is stopped is given up on, and its triggers hold', async () => {
    const { promise: hanging, resolve: entered } = Promise.withResolvers<void>();
    const { clock, rounds, sampling, taken } = begin(() => {
      entered();
      return new Promise<never>(() => {});
    });
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'slow', 'prod']));
    await hanging;
    clock.advance(6000);
    await taken(1);
    expect(rounds[0]).toMatchObject([{ trigger: 'p/a', at: T0, healthy: false, result: { kind: 'failed' } }]);
    const stopped = sampling.stop();
    clock.advance(1000);
    await stopped;
  });

  const check: QueryCheck = {
    key: 'k',
    origin: ORIGIN,
    kind: 'query',
    expr: 'memories',
    source: 'prod',
    threshold: { kind: 'above', value: 0 },
  };

  it.each<[string, RemoteAnswer | RemoteFault, string, string]>([
    ['true with every element beyond', answer([2, 1]), 'true', 'is 2, 1'],
    ['false with one that is not', answer([2, 0]), 'false', 'is 2, 0'],
    ['unknown without elements', answer([]), 'unknown', 'no data'],
    ['unknown with NaN', answer([2, 'NaN']), 'unknown', 'NaN'],
    [
      'unknown if a good answer is partial',
      answer([2], ['a store']),
      'unknown',
      'is 2, but the answer is partial: a store',
    ],
    ['false if a bad answer is partial', answer([0], ['a store']), 'false', 'is 0'],
    ['unknown without an answer', new RemoteFault('unreachable', 'nobody'), 'unknown', 'unreachable: nobody'],
  ])('finds a check %s', async (_case, answered, outcome, detail) => {
    const { asked, sampling } = begin(() => {
      if (answered instanceof RemoteFault) throw answered;
      return answered;
    });
    sampling.update([source()]);
    expect(await sampling.check(check)).toEqual({ key: 'k', outcome, detail });
    expect(asked).toContainEqual({ expr: 'memories', at: T0 });
  });

  it('that does not answer a check makes it unknown at its deadline, and so does one that is gone', async () => {
    const { clock, sampling } = begin(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new RemoteFault('timeout', String(signal.reason))));
        }),
    );
    sampling.update([source()]);
    const found = sampling.check(check);
    clock.advance(5000);
    expect(await found).toMatchObject({ outcome: 'unknown', detail: expect.stringContaining('no end within 5s') });
    sampling.update([]);
    expect(await sampling.check(check)).toMatchObject({ detail: 'the MetricSource prod is not there' });
  });

  it('is not disturbed by a revision that does not change it, and is let go by one that removes it', async () => {
    const { clock, asked, sampling, taken } = begin(() => one);
    sampling.update([source()]);
    sampling.watch(triggers(['p/a', 'up', 'prod']));
    await taken(1);
    sampling.update([source('prod', { origin: { ...ORIGIN, line: 9 } }), source('other', { suspend: true })]);
    sampling.watch(triggers(['p/a', 'up', 'prod']));
    expect(asked).toHaveLength(1);
    sampling.update([]);
    clock.advance(100_000);
    expect(asked).toHaveLength(1);
    expect(sampling.conditions()).toEqual([]);
  });
});
