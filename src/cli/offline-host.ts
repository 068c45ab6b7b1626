import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decide } from '../core/decide.ts';
import { drillSchedules } from '../core/drills/drill-schedules.ts';
import { evolve } from '../core/evolve.ts';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import { type Desired, followedOn, type PolicySet } from '../core/model/desired.ts';
import type { Target } from '../core/model/target.ts';
import type { Trigger, TriggerKey } from '../core/model/trigger.ts';
import { type Observation, queryKey, situationOf, unread } from '../core/observation.ts';
import type { DocumentSight, Reading, TargetSight } from '../core/observed.ts';
import type { Plan } from '../core/plan/plan.ts';
import { schedulesOf } from '../core/points/schedules.ts';
import { type WantedDocument, wantsOf } from '../core/wants.ts';
import { createHands } from '../daemon/apply/hands.ts';
import { diffPoint } from '../daemon/diff-points.ts';
import { readHalt } from '../daemon/halt-file.ts';
import { DocumentWatch } from '../daemon/observe/document-watch.ts';
import { byQuery, hostRules, observedHost } from '../daemon/observe/observed-host.ts';
import { PointStore } from '../daemon/point-store.ts';
import { renderReport } from '../daemon/reports.ts';
import { hostSystemctl } from '../drivers/systemctl.ts';
import { systemClock } from '../metrics/clock.ts';
import { Evaluator } from '../metrics/evaluator.ts';
import { RemoteSampling } from '../metrics/remote/remote-sampling.ts';
import { Sampling } from '../metrics/sampling.ts';
import { SampleStore } from '../metrics/store/sample-store.ts';
import { DueCalendar } from '../policy/due-times.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { WindowCalendar } from '../policy/window-spans.ts';
import type { HostView } from '../server/host-view.ts';
import { STORE_FILE } from '../store/database.ts';
import { Store } from '../store/store.ts';

const PATIENCE_MS = 15_000;
const CALENDAR = new WindowCalendar();

/** What the handlers need, without a daemon: the store as it was left, and one look at the host. Nothing is changed. */
export async function offlineView(config: HostConfig, policies: PolicySet | null, version: string): Promise<HostView> {
  const dataDir = resolve(config.dataDir);
  const store = existsSync(join(dataDir, STORE_FILE)) ? new Store(dataDir, { readOnly: true }) : null;
  const desired: Desired | null = policies === null ? null : followedOn(hostRules(config), policies);
  const observation = await observeOffline(config, policies, store?.memory() ?? EMPTY_MEMORY, version);
  const { host, at: now, memory, documents } = observation;
  return {
    live: false,
    hostName: host.name,
    version,
    now: () => now,
    startedAt: null,
    desired: () => desired,
    memory: () => memory,
    sights: () => documents,
    targetSights: () => observation.targets,
    sources: () => [],
    feed: () => null,
    plan: (others) => planOn(observation, others ?? policies),
    conditions: () => planOn(observation, policies)?.conditions ?? [],
    observe: () => observation,
    windows: () => CALENDAR.at(desired?.windows, now),
    drills: () => new DueCalendar().at(drillSchedules(desired?.drills), now),
    schedules: () => new DueCalendar().at(desired === null ? [] : schedulesOf(desired), now),
    storeBytes: () => null,
    copy: () => null,
    store,
    query: null,
    coverage: null,
    report: (incident) => (store === null ? undefined : renderReport(store, incident, host.name)),
    mergePhase: () => undefined,
    pointProgress: () => undefined,
    backupProgress: () => null,
    diffPoint: (request) => {
      const allow = { ...config.allow, ownFolders: [dataDir] };
      const { targets, secrets } = createHands(allow, process.env, config.containers);
      const points = new PointStore(dataDir, config.points, secrets);
      return diffPoint(request, { desired, memory, targets, content: () => points.open() });
    },
  };
}

/** What would be decided on an observation; null without policies. */
export function planOn(observation: Observation, policies: PolicySet | null): Plan | null {
  if (policies === null) return null;
  const { desired, observed, memory, now } = situationOf(observation, policies, {
    windows: CALENDAR.at(policies.windows, observation.at),
    schedules: new DueCalendar().at(schedulesOf(policies), observation.at),
  });
  return decide(desired, observed, memory, now);
}

async function observeOffline(
  config: HostConfig,
  policies: PolicySet | null,
  before: Memory,
  version: string,
): Promise<Observation> {
  const begun = Date.now();
  const host = observedHost(config);
  // A decision now is the first one after a start: what was seen before it is no evidence.
  const memory = evolve(before, { at: begun, type: 'daemon.started', version, host: host.name, pid: process.pid });
  const halt = readHalt(resolve(config.dataDir));
  const blank: Observation = {
    host,
    version,
    at: begun,
    memory,
    documents: {},
    checks: {},
    halt,
    readings: [],
    targets: {},
  };
  const seen = policies === null ? blank : await lookFurther(blank, policies, config, process.env);
  return { ...seen, at: Date.now() };
}

/** One look, with the rights of the caller, at what these policies speak of and the observation does not show. */
export async function lookFurther(
  observation: Observation,
  policies: PolicySet,
  config: HostConfig,
  environment: NodeJS.ProcessEnv,
): Promise<Observation> {
  const desired = followedOn(observation.host, policies);
  const wants = wantsOf(desired, observation.memory, observation.at);
  const known = new Set(observation.readings.map(queryKey));
  const triggers = new Map(unread(observation, desired).filter(([, trigger]) => !known.has(queryKey(trigger))));
  const unseen = wants.documents.filter((document) => !isSeen(observation.documents[document.key], document));
  const hands = createHands({ ...config.allow, ownFolders: [resolve(config.dataDir)] }, environment, config.containers);
  const unseenTargets = wants.targets.filter(({ name }) => !Object.hasOwn(observation.targets, name));
  const [documents, targets, readings] = await Promise.all([
    readDocuments(hands, unseen),
    readTargets(hands, unseenTargets),
    takeSamples(desired, triggers, (ref) => hands.secrets.resolve(ref)),
  ]);
  return {
    ...observation,
    documents: { ...observation.documents, ...documents },
    targets: { ...observation.targets, ...targets },
    readings: [...observation.readings, ...byQuery(readings, triggers)],
  };
}

function isSeen(sight: DocumentSight | undefined, { entries }: WantedDocument): boolean {
  if (sight === undefined) return false;
  return sight.kind === 'unreadable' || entries.every((entry) => sight.entries.includes(entry));
}

async function readDocuments(
  hands: ReturnType<typeof createHands>,
  documents: readonly WantedDocument[],
): Promise<Readonly<Record<string, DocumentSight>>> {
  if (documents.length === 0) return {};
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  const watch = new DocumentWatch(
    hands.places,
    () => Date.now(),
    () => {
      if (Object.keys(watch.sights).length === documents.length) finish();
    },
  );
  watch.refresh(documents);
  await Promise.race([promise, patience()]);
  return watch.sights;
}

async function readTargets(
  hands: ReturnType<typeof createHands>,
  targets: readonly Target[],
): Promise<Readonly<Record<string, TargetSight>>> {
  const sights = await Promise.all(
    targets.map(async (target): Promise<[string, TargetSight]> => {
      const at = Date.now();
      const reading = await hands.targets[target.type.kind].read(target, AbortSignal.timeout(PATIENCE_MS));
      return [target.name, { ...reading, at }];
    }),
  );
  return Object.fromEntries(sights);
}

async function takeSamples(
  desired: Desired,
  triggers: ReadonlyMap<TriggerKey, Trigger>,
  secret: ConstructorParameters<typeof Sampling>[0]['means']['secret'],
): Promise<Reading[]> {
  const sources = Object.values(desired.metricSources).filter((source) => !source.suspend);
  if (sources.length === 0 || triggers.size === 0) return [];
  const store = new SampleStore();
  const evaluator = new Evaluator(store);
  const sampled = sources.filter(({ type }) => type.kind !== 'prometheus');
  evaluator.update(triggers, new Map(sampled.map(({ name, intervalMs }) => [name, intervalMs])));
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
  remote.watch(triggers);
  await Promise.race([promise, patience()]);
  await Promise.all([sampling.stop(), remote.stop()]);
  return readings;
}

async function patience(): Promise<void> {
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  setTimeout(finish, PATIENCE_MS).unref();
  await promise;
}
