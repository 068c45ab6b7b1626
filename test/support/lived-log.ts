import type { Event } from '../../src/core/event.ts';
import { evolve } from '../../src/core/evolve.ts';
import type { Memory } from '../../src/core/memory.ts';
import { beginRestore } from '../../src/core/points/manual-restores.ts';
import { prunePointsNow, takePoint } from '../../src/core/points/point-commands.ts';
import { pointsInOrder } from '../../src/core/points/points-by-state.ts';
import { Store } from '../../src/store/store.ts';
import { aDatabase, aDesired, aFlagsTarget, aPointPolicy, aPolicy, aRestore, aRung } from './policies.ts';
import { World } from './world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const DESIRED = aDesired({
  policies: {
    guard: aPolicy({
      ladder: [aRung({ name: 'data', do: [aRestore({ target: 'database', to: { kind: 'latestValid' } })] })],
      cooldownMs: MINUTE,
    }),
  },
  targets: { database: aDatabase(), flags: aFlagsTarget() },
  pointPolicies: {
    nightly: aPointPolicy({
      targets: ['database', 'flags'],
      take: { schedule: null, before: ['rollback'], after: [] },
      retain: { last: 2 },
      ttlMs: 3 * DAY,
      prune: { maxFraction: 1, graceMs: DAY },
    }),
  },
});

/** What a host has gone through: points of all states, a rollback, restores by hand, failures, a kill, pruning for good. */
export function livedLog(begin: number): readonly Event[] {
  const world = new World(DESIRED);
  world.now = begin;
  const situation = () => ({ desired: world.desired, memory: world.memory, now: world.now, actor: 'anna' });
  const settled = (minutes: number): void => {
    world.now += minutes * MINUTE;
    world.settle();
  };
  const take = (name: string): void => {
    const request = {
      targets: ['database'],
      name,
      description: `"${name}"`,
      session: 's-1',
      metadata: { ticket: 'T\u0000-1' },
      cause: { kind: 'command' as const, by: 'anna' },
    };
    for (const spec of takePoint(situation(), request)) world.record(spec);
  };
  for (const name of ['first', 'second \ud800']) {
    take(name);
    settled(10);
  }
  const [newest] = pointsInOrder(world.memory);
  const restore = { point: newest?.id ?? '', targets: [], paths: [], reason: 'to see' };
  for (const spec of beginRestore(situation(), restore)) world.record(spec);
  settled(10);
  world.live(60, 0.1);
  world.live(120, 0.9);
  world.live(600, 0.1);
  world.perform = ({ kind }) => ({ outcome: kind === 'capture' ? 'failed' : 'done', detail: 'the disk is full' });
  take('failed');
  settled(10);
  world.perform = () => ({ outcome: 'done', detail: '' });
  take('killed');
  world.kill(1, MINUTE, 'midway');
  settled(10);
  world.now += 40 * DAY;
  for (const spec of prunePointsNow(situation(), { confirm: true })) world.record(spec);
  settled(2 * 24 * 60);
  take('last');
  settled(1);
  return world.log;
}

/** A store with that log; `each` events are one commit. */
export class LoggedStore {
  readonly folder: string;
  store: Store;
  #memory: Memory;

  constructor(folder: string) {
    this.folder = folder;
    this.store = new Store(folder);
    this.#memory = this.store.memory();
  }

  get memory(): Memory {
    return this.#memory;
  }

  commit(log: readonly Event[], each = 3): void {
    for (let begin = 0; begin < log.length; begin += each) {
      const events = log.slice(begin, begin + each);
      this.#memory = events.reduce(evolve, this.#memory);
      this.store.commit({ events, actor: 'anna', memory: this.#memory });
    }
  }

  /** Again, after its store was closed. */
  open(): void {
    this.store = new Store(this.folder);
  }
}
