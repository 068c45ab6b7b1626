import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { decide } from '../core/decide.ts';
import { evolve } from '../core/evolve.ts';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import type { Desired, PolicySet } from '../core/model/desired.ts';
import type { DocumentSight, Observed, Reading } from '../core/observed.ts';
import { type Wants, wantsOf } from '../core/wants.ts';
import { createHands } from '../daemon/apply/hands.ts';
import { readHalt } from '../daemon/halt-file.ts';
import { DocumentWatch } from '../daemon/observe/document-watch.ts';
import { renderReport } from '../daemon/reports.ts';
import { hostSystemctl } from '../drivers/systemctl.ts';
import { systemClock } from '../metrics/clock.ts';
import { Evaluator } from '../metrics/evaluator.ts';
import { RemoteSampling } from '../metrics/remote/remote-sampling.ts';
import { Sampling } from '../metrics/sampling.ts';
import { SampleStore } from '../metrics/store/sample-store.ts';
import type { HostConfig } from '../policy/host-config.ts';
import type { HostView } from '../server/host-view.ts';
import { STORE_FILE } from '../store/database.ts';
import { Store } from '../store/store.ts';

const PATIENCE_MS = 15_000;

/** What the handlers need, without a daemon: the store as it was left, and one look at the host. Nothing is changed. */
export async function offlineView(config: HostConfig, policies: PolicySet | null, version: string): Promise<HostView> {
  const dataDir = resolve(config.dataDir);
  const store = existsSync(join(dataDir, STORE_FILE)) ? new Store(dataDir, { readOnly: true }) : null;
  const now = Date.now();
  const hostName = config.host.name ?? hostname();
  const desired: Desired | null = policies === null ? null : { ...policies, adopt: config.adopt };
  const memory = afterStart(store?.memory() ?? EMPTY_MEMORY, now, version, hostName);
  const observed = await look(config, desired, memory, environmentOf());
  const withHalt: Observed = { ...observed, halt: readHalt(dataDir) };
  return {
    live: false,
    hostName,
    version,
    now: () => now,
    startedAt: null,
    desired: () => desired,
    memory: () => memory,
    sights: () => observed.documents,
    sources: () => [],
    feed: () => null,
    plan: (others) => {
      const chosen = others === undefined ? desired : { ...others, adopt: config.adopt };
      return chosen === null ? null : decide(chosen, withHalt, memory, Date.now());
    },
    store,
    query: null,
    coverage: null,
    report: (incident) => (store === null ? undefined : renderReport(store, incident, hostName)),
  };
}

/** A decision now is the first one after a start: what was seen before it is no evidence. */
function afterStart(memory: Memory, at: number, version: string, host: string): Memory {
  return evolve(memory, { at, type: 'daemon.started', version, host, pid: process.pid });
}

function environmentOf(): NodeJS.ProcessEnv {
  return process.env;
}

/** One look at every document and every source that the policies speak of. */
async function look(
  config: HostConfig,
  desired: Desired | null,
  memory: Memory,
  environment: NodeJS.ProcessEnv,
): Promise<Observed> {
  if (desired === null) return { readings: [], documents: {}, checks: {}, halt: null };
  const hands = createHands({ ...config.allow, ownFolders: [resolve(config.dataDir)] }, environment);
  const wants = wantsOf(desired, memory, Date.now());
  const [documents, readings] = await Promise.all([
    readDocuments(hands, wants),
    takeSamples(desired, wants, (ref) => hands.secrets.resolve(ref)),
  ]);
  return { readings, documents, checks: {}, halt: null };
}

async function readDocuments(
  hands: ReturnType<typeof createHands>,
  wants: Wants,
): Promise<Readonly<Record<string, DocumentSight>>> {
  if (wants.documents.length === 0) return {};
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  const watch = new DocumentWatch(
    hands.places,
    () => Date.now(),
    () => {
      if (Object.keys(watch.sights).length === wants.documents.length) finish();
    },
  );
  watch.refresh(wants.documents);
  await Promise.race([promise, patience()]);
  return watch.sights;
}

async function takeSamples(
  desired: Desired,
  wants: Wants,
  secret: ConstructorParameters<typeof Sampling>[0]['means']['secret'],
): Promise<Reading[]> {
  const sources = Object.values(desired.metricSources).filter((source) => !source.suspend);
  if (sources.length === 0) return [];
  const store = new SampleStore();
  const evaluator = new Evaluator(store);
  const sampled = sources.filter(({ type }) => type.kind !== 'prometheus');
  evaluator.update(wants.triggers, new Map(sampled.map(({ name, intervalMs }) => [name, intervalMs])));
  const readings: Reading[] = [];
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  const seen = new Set<string>();
  const means = { clock: systemClock, secret, systemctl: hostSystemctl };
  const take = (taken: readonly Reading[]): void => {
    readings.push(...taken);
    const all = [...sampling.conditions(), ...remote.conditions()];
    if (all.every(({ source, target, state }) => state !== 'waiting' || seen.has(`${source} ${target}`))) finish();
  };
  const sampling = new Sampling({
    store,
    means,
    onCommit(commit) {
      seen.add(`${commit.source} ${commit.target}`);
      take(evaluator.onCommit(commit));
    },
  });
  const remote = new RemoteSampling({ means, onReadings: take });
  sampling.update(sources);
  remote.update(sources);
  remote.watch(wants.triggers);
  await Promise.race([promise, patience()]);
  await Promise.all([sampling.stop(), remote.stop()]);
  return readings;
}

async function patience(): Promise<void> {
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  setTimeout(finish, PATIENCE_MS).unref();
  await promise;
}
