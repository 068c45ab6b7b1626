import { afterAll, beforeAll, expect, test } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { Event } from '../../src/core/event.ts';
import type { RecordedReading } from '../../src/store/pending-readings.ts';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';

const FOR_MS = 1_000;
const INTERVAL_MS = 100;

const GUARD = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: 0.5, for: 1s, severity: critical } ]
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 300ms, within: 20s, checks: [ { http: { url: "\${host.app}/health", status: 200 } } ] }
  cooldown: 10m
  rto: 30s
`;

const host = new E2eHost();

beforeAll(async () => {
  await host.startApp();
  host.commit({ 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'guard.yaml': GUARD }, 'Guard the latency');
  host.writeConfig();
  await host.startDaemon();
});

afterAll(async () => {
  await host.close();
});

async function loops(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${host.port}/metrics`)).text();
  return Number(/^revertd_decide_duration_seconds_count (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function untilLoops(more: number): Promise<void> {
  const before = await loops();
  await host.until(`${more} more loops`, async () => ((await loops()) >= before + more ? true : undefined));
}

async function events<T extends Event['type']>(type: T): Promise<Extract<Event, { type: T }>[]> {
  const { events: all } = await (await host.client()).get<{ events: Event[] }>('events?limit=1000');
  return all.filter((event): event is Extract<Event, { type: T }> => event.type === type);
}

test('a policy in git, a service that turns slow, and revertd puts it back by itself', async () => {
  await host.untilStatus('the trigger is healthy', ({ triggers }) => triggers[0]?.state === 'inactive');
  await untilLoops(20);
  expect(await events('operation.planned')).toEqual([]);
  expect(await host.appState()).toMatchObject({ fast: true, reloads: 0 });

  await host.tellApp('degrade');
  const pending = await host.until('the outlook of a pending trigger', async () => {
    type Shown = { outlook: { object: string; afterMs?: number; next: string[] }[] };
    const { outlook } = await (await host.client()).get<Shown>('plan');
    return outlook.find(({ object, afterMs }) => object === 'RollbackPolicy/latency' && afterMs !== undefined);
  });
  expect(pending.afterMs).toBeLessThanOrEqual(FOR_MS);
  expect(pending.next).toEqual(['rung "flags": set flag fast-path to its safe variant']);

  await host.untilStatus('the incident opens', ({ incidents }) => incidents.length === 1);
  await host.untilStatus('the incident is resolved', ({ incidents }) => incidents.length === 0);
  expect(await host.appState()).toEqual({ fast: false, reloads: 1, switches: 0 });
  expect(host.env()).toBe('# flags of the app\nFAST_PATH=false\nOTHER=kept # not a comment\n');
  expect(await events('incident.closed')).toMatchObject([{ outcome: 'resolved' }]);
});

test('nothing is repeated on the next hundred loops', async () => {
  await host.until('the report', async () => {
    const finished = await events('operation.finished');
    return finished.some((event) => event.id.startsWith('report:')) ? true : undefined;
  });
  const before = (await events('operation.planned')).length;
  await untilLoops(100);
  expect((await events('operation.planned')).length).toBe(before);
  expect(await host.appState()).toMatchObject({ reloads: 1 });
});

test('the latch outlives git saying on, and an unrelated commit', async () => {
  const revision = host.commit({ 'unrelated.yaml': SOURCE.replace('name: app', 'name: other') }, 'Unrelated');
  await host.untilStatus('the commit is in force', (status) => status.revision === revision);
  await untilLoops(20);
  const status = await host.status();
  expect(status.flags).toMatchObject([{ git: 'on', effective: 'off' }]);
  expect(status.holds).toMatchObject([{ kind: 'latch', object: 'Flag/fast-path', value: 'off' }]);
  expect(await host.appState()).toMatchObject({ fast: false, reloads: 1 });
});

test('a commit that changes the flag lifts the latch', async () => {
  await host.tellApp('mend');
  host.commit({ 'flags.yaml': FLAG(', "beta": true') }, 'Change the flag');
  await host.untilStatus('the latch is lifted', ({ holds }) => holds.length === 0);
  await host.until('the app follows git', async () => ((await host.appState()).fast ? true : undefined));
  expect(await host.appState()).toMatchObject({ fast: true, reloads: 2 });
});

test('the log proves it: decided at the first evaluation that reached `for`, and every intent follows from its inputs', async () => {
  expect(await host.stopDaemon()).toBe('0');
  host.readStore((store) => {
    expect(store.verifyChain().brokenAt).toBeNull();
    const all = store.events().map(({ event }) => event);
    const fired = all.find((event) => event.type === 'trigger.changed' && event.to === 'firing');
    if (fired?.type !== 'trigger.changed') throw new Error('the trigger never fired');
    const readings = store.history.readings('latency/slow', 0, fired.memory.at);
    expect(fired.memory.at).toBe(firstToReach(readings, FOR_MS));
    const written = all.find(
      (event) => event.type === 'operation.planned' && event.operation.action.kind === 'deliver',
    );
    expect(written?.at).toBe(fired.at);

    const logged = all.flatMap((event) => (event.type === 'operation.planned' ? [event.operation] : []));
    const recomputed = store
      .decisions()
      .flatMap(({ desired, observed, memory, now }) => decide(desired, observed, memory, now).operations);
    expect(recomputed).toEqual(logged);
    expect(logged.length).toBeGreaterThan(3);
  });
});

/** The first evaluation at which the gaps between breaching ones, each counted as two intervals at most, add up. */
function firstToReach(readings: readonly RecordedReading[], forMs: number): number | undefined {
  let sum = 0;
  let previous: number | undefined;
  for (const { at, value } of readings) {
    if (typeof value === 'number' && value <= 0.5) [sum, previous] = [0, undefined];
    if (typeof value !== 'number' || value <= 0.5) continue;
    sum += previous === undefined ? 0 : Math.min(at - previous, 2 * INTERVAL_MS);
    previous = at;
    if (sum >= forMs) return at;
  }
  return undefined;
}
