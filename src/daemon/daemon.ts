import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { drillSchedules } from '../core/drills/drill-schedules.ts';
import type { Event, EventSpec } from '../core/event.ts';
import { OWN_SAMPLER } from '../core/memory.ts';
import type { Check } from '../core/model/check.ts';
import { followedOn, type HostRules, type PolicySet } from '../core/model/desired.ts';
import type { SqlMeasure } from '../core/model/measure.ts';
import type { PointId } from '../core/model/point.ts';
import { databaseOf } from '../core/model/target.ts';
import type { Trigger } from '../core/model/trigger.ts';
import type { Observation } from '../core/observation.ts';
import { CommandError } from '../core/operator-commands.ts';
import type { Plan } from '../core/plan/plan.ts';
import { neededContent } from '../core/points/needed-content.ts';
import { schedulesOf } from '../core/points/schedules.ts';
import { formatDuration } from '../core/units.ts';
import { type Wants, wantsOf } from '../core/wants.ts';
import { isHostCheck, makeCheck } from '../drivers/checks/registry.ts';
import { type Counted, countRows } from '../drivers/sql/count-rows.ts';
import { hostSystemctl } from '../drivers/systemctl.ts';
import { systemClock } from '../metrics/clock.ts';
import { Evaluator } from '../metrics/evaluator.ts';
import { RemoteSampling } from '../metrics/remote/remote-sampling.ts';
import type { SamplerMeans } from '../metrics/sampler.ts';
import { Sampling, type SourceCondition } from '../metrics/sampling.ts';
import { SampleStore } from '../metrics/store/sample-store.ts';
import { DueCalendar } from '../policy/due-times.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { loadPolicies } from '../policy/load.ts';
import { forgetSchemas } from '../policy/schema-files.ts';
import { WindowCalendar } from '../policy/window-spans.ts';
import { openSource } from '../source/open-source.ts';
import { ContentError } from '../store/content/content-error.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { Store } from '../store/store.ts';
import { allowFor } from './allow-for-policies.ts';
import { Executor } from './apply/executor.ts';
import { createHands, type Hands, type HandsHost } from './apply/hands.ts';
import { recoverOperation } from './apply/recovery.ts';
import { BackupError } from './backup/backup-error.ts';
import { type Backup, type BackupProgress, type BackupRequest, createBackup } from './backup/create-backup.ts';
import { type DiffRequest, diffPoint, type PointDiff } from './diff-points.ts';
import { readHalt } from './halt-file.ts';
import { Heartbeat } from './heartbeat.ts';
import { HostClock } from './host-clock.ts';
import type { Log } from './log.ts';
import { CheckWatch } from './observe/check-watch.ts';
import { DocumentWatch } from './observe/document-watch.ts';
import { MeasureWatch } from './observe/measure-watch.ts';
import { hostRules, observedHost, observedReadings } from './observe/observed-host.ts';
import { TargetWatch } from './observe/target-watch.ts';
import { type ArchiveMeans, exportPoint, importFile } from './point-archive.ts';
import { PointStore } from './point-store.ts';
import { PolicyFeed } from './policy-feed.ts';
import { PostgresCopy } from './postgres-copy.ts';
import { Reconciler } from './reconciler.ts';
import { renderReport, writeReport } from './reports.ts';
import { StoreSize } from './store-size.ts';

const CLOCK_CHECK_MS = 1_000;
/** Far more than a busy host delays a timer. */
const STALL_MS = 5_000;
const COMPACT_EVERY_MS = 60_000;
const DRAIN_MS = 20_000;

export type DaemonOptions = {
  readonly config: HostConfig;
  readonly version: string;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Observes and plans, but never acts; the store learns of the start and of accepted revisions, and of no decision. */
  readonly dryRun: boolean;
  readonly onFault: (error: unknown) => void;
};

export type DaemonObserver = {
  readonly onPlan?: (plan: Plan, tookMs: number) => void;
  readonly onEvents?: (events: readonly Event[], actor: string) => void;
};

/** One host's daemon: everything wired together, from the lock to the last outcome. */
export class Daemon {
  readonly dataDir: string;
  readonly hostName: string;
  readonly version: string;
  readonly store: Store;
  readonly samples = new SampleStore();
  readonly reconciler: Reconciler;
  readonly feed: PolicyFeed | null;
  readonly evaluator: Evaluator;
  readonly documents: DocumentWatch;
  readonly startedAt: number;
  readonly #options: DaemonOptions;
  readonly #clock = new HostClock();
  readonly #heartbeat = new Heartbeat(CLOCK_CHECK_MS);
  readonly #hands: Hands;
  readonly #targets: TargetWatch;
  readonly #executor: Executor;
  readonly #sampling: Sampling;
  readonly #remote: RemoteSampling;
  #watched: Wants['triggers'] = new Map();
  readonly #observers: DaemonObserver[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #points: PointStore;
  /** Null where none is configured. */
  readonly copy: PostgresCopy | null;
  readonly #storeSize = new StoreSize(
    async () => await (await this.content()).size(),
    (error) => this.#options.onFault(error),
  );
  #backup: BackupProgress | null = null;
  /** The sources changed, so that what is watched has to be told again. */
  #sourcesChanged = false;

  /** Takes the lock. @throws StoreError `locked` when another daemon has it. */
  constructor(options: DaemonOptions) {
    const { config, environment } = options;
    this.#options = options;
    this.version = options.version;
    this.dataDir = resolve(config.dataDir);
    this.hostName = config.host.name ?? hostname();
    this.store = new Store(this.dataDir);
    mkdirSync(join(this.dataDir, 'reports'), { recursive: true, mode: 0o750 });
    this.#hands = createHands({ ...config.allow, ownFolders: [this.dataDir] }, environment, config.containers, {
      hostName: this.hostName,
      answerQuery: (check) => this.evaluator.check(check, this.now()),
      target: (name) => this.#knownTarget(name),
      now: () => this.now(),
      ...policySourceOf(config),
    });
    this.#points = new PointStore(this.dataDir, config.points, this.#hands.secrets);
    const now = (): number => this.#clock.now();
    this.copy = this.#createCopy(now);
    this.startedAt = now();
    this.evaluator = new Evaluator(this.samples, (trigger, overMs, at) =>
      this.store.history.baseline(trigger, overMs, at),
    );
    const wake = (): void => this.reconciler.wake();
    this.documents = new DocumentWatch(this.#hands.places, now, wake);
    const checks = new CheckWatch((check) => this.#check(check), now, wake);
    this.#targets = new TargetWatch(this.#hands.targets, now, wake);
    const calendar = new WindowCalendar();
    const dues = new DueCalendar();
    this.#executor = this.#createExecutor(now);
    this.reconciler = new Reconciler({
      store: this.store,
      now,
      documents: this.documents,
      checks,
      targets: this.#targets,
      measures: new MeasureWatch({
        query: (measure) => this.evaluator.measure(measure, now()),
        count: (measure, pointAt) => this.#count(measure, pointAt),
        now,
        onChange: wake,
      }),
      windows: (windows, at) => calendar.at(windows, at),
      drills: (all, at) => dues.at(drillSchedules(all), at),
      schedules: (desired, at) => dues.at(desired === null ? [] : schedulesOf(desired), at),
      halt: () => readHalt(this.dataDir),
      start: (operation) => this.#executor.start(operation),
      abandon: (ids) => this.#executor.abandon(ids, 'the drill is over'),
      onPlan: (plan, tookMs) => this.#observers.forEach((observer) => observer.onPlan?.(plan, tookMs)),
      onWants: (wants) => this.#want(wants),
      onEvents: (events, actor) => {
        this.#storeSize.onEvents(events);
        this.copy?.wake();
        this.#observers.forEach((observer) => observer.onEvents?.(events, actor));
      },
      onFault: options.onFault,
    });
    this.reconciler.acting = !options.dryRun;
    this.#sampling = this.#createSampling();
    this.#remote = this.#createRemoteSampling();
    this.feed = this.#createFeed(now);
  }

  now(): number {
    return this.#clock.now();
  }

  /** Where the content of points is. @throws {ContentError} if it cannot be opened. */
  async content(): Promise<ContentStore> {
    return await this.#points.open();
  }

  /** What the content of points takes on the disk, as it was measured last; null before that. */
  get storeBytes(): number | null {
    return this.#storeSize.bytes;
  }

  get mergePhases(): Executor['phases'] {
    return this.#executor.phases;
  }

  get pointProgress(): Executor['progress'] {
    return this.#executor.progress;
  }

  /** What is different between a point and another one, or what is live. @throws CommandError */
  async diffPoint(request: DiffRequest): Promise<PointDiff> {
    const { desired, memory } = this.reconciler;
    return await diffPoint(request, { desired, memory, targets: this.#hands.targets, content: () => this.content() });
  }

  /** @throws CommandError */
  async exportPoint(point: PointId, path: string): Promise<number> {
    return await exportPoint(point, path, this.#archiveMeans('revertd'));
  }

  /** @throws CommandError */
  async importPoint(actor: string, path: string): Promise<PointId> {
    return await importFile(path, this.#archiveMeans(actor));
  }

  /** How far the backup is that is being made; null while none is. */
  get backupProgress(): BackupProgress | null {
    return this.#backup;
  }

  /** Writes all that this daemon knows into one file. @throws CommandError */
  async backUp(request: BackupRequest): Promise<Backup> {
    if (this.#backup !== null)
      throw new CommandError('refused', 'a backup is being made already; wait until it is done');
    this.#backup = { bytes: 0 };
    const { version, dataDir, store } = this;
    const means = {
      version,
      dataDir,
      store,
      host: this.hostName,
      now: () => this.now(),
      halt: () => readHalt(dataDir),
      content: () => this.content(),
      manifests: () =>
        this.#options.config.points.persistence ? neededContent(this.reconciler.memory.points).sound : null,
    };
    try {
      return await createBackup(means, request, (progress) => {
        this.#backup = progress;
      });
    } catch (error) {
      if (!(error instanceof BackupError || error instanceof ContentError)) throw error;
      throw new CommandError('refused', error.message);
    } finally {
      this.#backup = null;
    }
  }

  #archiveMeans(actor: string): ArchiveMeans {
    return {
      host: this.hostName,
      situation: () => {
        const { desired, memory } = this.reconciler;
        return { desired, memory, now: this.now(), actor };
      },
      content: () => this.content(),
      record: (events) => this.record(actor, ...events),
    };
  }

  cancelCapture(point: PointId, reason: string): boolean {
    return this.#executor.cancelCapture(point, reason);
  }

  /** Where rehearsals have folders of their own. */
  get #scratchDir(): string {
    return join(this.dataDir, 'drills');
  }

  get isDryRun(): boolean {
    return this.#options.dryRun;
  }

  observe(observer: DaemonObserver): void {
    this.#observers.push(observer);
  }

  /** All that a decision rests on now, beside the policies. */
  observation(): Observation {
    const { desired, memory } = this.reconciler;
    const at = this.now();
    const triggers = desired === null ? new Map<string, Trigger>() : wantsOf(desired, memory, at).triggers;
    // Windows follow from the policies and the time, and what would be lost is counted when people are asked.
    const {
      readings: _readings,
      windows: _windows,
      schedules: _schedules,
      drills: _drills,
      measures: _measures,
      ...observed
    } = this.reconciler.observed;
    const { version, evaluator } = this;
    const host = observedHost(this.#options.config, this.hostName);
    return {
      host,
      version,
      at,
      memory,
      ...observed,
      readings: observedReadings({ evaluator, remote: this.#remote }, triggers, at),
    };
  }

  get rules(): HostRules {
    return hostRules(this.#options.config);
  }

  get roles(): HostConfig['roles'] {
    return this.#options.config.roles;
  }

  /** Ends the steps that are under way at once; what became of each is unknown, and asked. */
  killSteps(reason: string): void {
    this.#executor.killSteps(reason);
  }

  sourceConditions(): readonly SourceCondition[] {
    return [...this.#sampling.conditions(), ...this.#remote.conditions()];
  }

  record(actor: string, ...events: EventSpec[]): void {
    this.reconciler.record(actor, ...events);
  }

  /** Looks after what the last life left, then begins to observe, decide and apply. */
  async start(): Promise<void> {
    const { version } = this;
    this.#noticeClockSetBack();
    this.record('revertd', { type: 'daemon.started', version, host: this.hostName, pid: process.pid });
    if (!this.#options.dryRun) {
      await this.#recover();
      await this.#forgetPoints();
    }
    this.#heartbeat.restart();
    this.#timers.push(setInterval(() => this.#checkClock(), CLOCK_CHECK_MS));
    this.#timers.push(setInterval(() => this.#compactHistory(), COMPACT_EVERY_MS));
    this.#storeSize.measure();
    this.copy?.start();
    this.feed?.restore();
    this.reconciler.run();
    this.feed?.start();
  }

  /** Ends in order: no new decision, what is being applied may finish, then the lock is given up. */
  async stop(reason: string): Promise<void> {
    this.reconciler.stop();
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.feed?.stop(), this.#sampling.stop(), this.#remote.stop()]);
    this.#executor.stopRehearsals(reason);
    const patience = setTimeout(() => this.#executor.abortAll(reason), DRAIN_MS);
    await this.#executor.drain();
    clearTimeout(patience);
    this.record('revertd', { type: 'daemon.stopped', reason });
    await this.copy?.stop();
    this.store.close();
  }

  async #recover(): Promise<void> {
    await rm(this.#scratchDir, { recursive: true, force: true });
    for (const operation of Object.values(this.reconciler.memory.operations)) {
      const finished = await recoverOperation(operation, this.#hands, () => this.content());
      this.record('revertd', finished);
      this.#options.log.info({ operation: operation.id, outcome: finished.outcome }, 'recovered an operation');
    }
  }

  /** Points whose content went with the last life are none. */
  async #forgetPoints(): Promise<void> {
    const points = Object.keys(this.reconciler.memory.points);
    if (!(await this.#points.forgetEarlier()) || points.length === 0) return;
    this.record('revertd', { type: 'points.deleted', points });
  }

  #createExecutor(now: () => number): Executor {
    return new Executor({
      hands: this.#hands,
      now,
      record: (...events) => this.record('revertd', ...events),
      onFault: this.#options.onFault,
      notifier: (name) => this.reconciler.desired?.notifiers[name],
      hostName: this.hostName,
      log: (operation, line) => this.#options.log.info({ operation }, line),
      check: (check) => this.#check(check),
      scratchDir: this.#scratchDir,
      writeReport: (incident) => writeReport(this.store, incident, this.dataDir, this.hostName),
      readReport: (incident) => renderReport(this.store, incident, this.hostName),
      content: () => this.content(),
      room: () => this.#points.room(),
      scratch: join(this.dataDir, 'scratch'),
      neededContent: () => neededContent(this.reconciler.memory.points),
    });
  }

  /** With `--dry-run` nothing is done, there neither. */
  #createCopy(now: () => number): PostgresCopy | null {
    const { config, dryRun, onFault } = this.#options;
    if (config.postgres === null || dryRun) return null;
    const { secrets } = this.#hands;
    return new PostgresCopy({
      settings: config.postgres,
      store: this.store,
      host: this.hostName,
      secrets,
      now,
      onFault,
    });
  }

  #createSampling(): Sampling {
    return new Sampling({
      store: this.samples,
      means: this.#samplerMeans(),
      onCommit: (commit) => this.reconciler.take(this.evaluator.onCommit(commit)),
    });
  }

  #createRemoteSampling(): RemoteSampling {
    return new RemoteSampling({
      means: this.#samplerMeans(),
      onReadings: (readings) => this.reconciler.take(this.evaluator.withBaselines(readings, this.#watched)),
    });
  }

  #samplerMeans(): SamplerMeans {
    return {
      clock: { ...systemClock, now: () => this.#clock.now() },
      secret: (ref) => this.#hands.secrets.resolve(ref),
      systemctl: hostSystemctl,
    };
  }

  #createFeed(now: () => number): PolicyFeed | null {
    const { config, log, environment } = this.#options;
    if (config.source === null) return null;
    const source = openSource(config.source, this.dataDir, {
      environment: { ...environment },
      now,
      tell: ({ code, message }) => log.warn({ code }, message),
    });
    return new PolicyFeed({
      source,
      store: this.store,
      load: ({ revision, files }) => {
        const { variables: host, labels: hostLabels } = config.host;
        const [allow, roles] = [allowFor(this.#hands.allow), Object.keys(config.roles)];
        const result = loadPolicies(files, { revision, host, hostLabels, allow, roles });
        forgetSchemas();
        return result;
      },
      intervalMs: config.source.intervalMs,
      now,
      memory: () => this.reconciler.memory,
      record: (actor, ...events) => this.record(actor, ...events),
      follow: (policies) => this.#follow(policies),
      onFault: this.#options.onFault,
    });
  }

  #follow(policies: PolicySet): void {
    const sources = Object.values(policies.metricSources);
    this.#sampling.update(sources);
    this.#remote.update(sources);
    this.#sourcesChanged = true;
    this.reconciler.follow(followedOn(hostRules(this.#options.config), policies));
  }

  /** Tells the evaluator which triggers count, when that has changed. */
  #want({ triggers }: Wants): void {
    if (!this.#sourcesChanged && isSameWatch(this.#watched, triggers)) return;
    this.#sourcesChanged = false;
    this.#watched = triggers;
    const all = Object.values(this.reconciler.desired?.metricSources ?? {});
    const sources = all.filter(({ suspend, type }) => !suspend && type.kind !== 'prometheus');
    this.evaluator.update(triggers, new Map(sources.map(({ name, intervalMs }) => [name, intervalMs])));
    this.#remote.watch(triggers);
  }

  #knownTarget(name: string) {
    const { desired, memory } = this.reconciler;
    const target = desired?.targets[name];
    if (target === undefined) return undefined;
    return { name, checks: target.checks, memory: memory.targets[name], sight: this.#targets.sights[name] };
  }

  async #count({ on, query, timeoutMs }: SqlMeasure, pointAt: number | null): Promise<Counted> {
    const target = on.kind === 'target' ? this.reconciler.desired?.targets[on.target] : undefined;
    const database = on.kind === 'database' ? on.database : target && databaseOf(target.type);
    if (database === undefined) return { value: null, detail: 'git no longer has the target to count in' };
    const signal = AbortSignal.timeout(timeoutMs + 1_000);
    return await countRows({ database, query, pointAt, timeoutMs }, this.#hands, signal);
  }

  async #check(check: Check) {
    if (!isHostCheck(check)) {
      return check.source === undefined ? this.evaluator.check(check, this.now()) : await this.#remote.check(check);
    }
    const signal = AbortSignal.timeout(check.timeoutMs + 1_000);
    return await makeCheck(this.#hands.checks, check, { signal, secrets: this.#hands.secrets });
  }

  /** A batch at a time, so that the loop is never held up for long. */
  #compactHistory(): void {
    try {
      if (this.store.history.compact(this.now(), this.#options.config.history) > 0)
        setImmediate(() => this.#compactHistory());
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  /** A loop that stood still has missed samples, of which what follows may be the trace. */
  #checkClock(): void {
    try {
      const stalledMs = this.#heartbeat.lateMs();
      if (stalledMs >= STALL_MS) {
        const reason = `its loop stood still for ${formatDuration(stalledMs)}`;
        this.record('revertd', { type: 'sampling.troubled', sampler: OWN_SAMPLER, reason });
      }
      this.#followClock(this.#clock.checkJump());
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  /** The log's last record cannot be later than now, unless the clock was set back while no daemon looked. */
  #noticeClockSetBack(): void {
    const last = this.store.events({ limit: 1 }).at(-1);
    if (last !== undefined) this.#followClock(Math.min(0, this.now() - last.event.at));
  }

  #followClock(byMs: number): void {
    if (byMs === 0) return;
    this.#options.log.warn({ byMs }, 'the clock was set; remembered times move along');
    this.evaluator.forgetCoverage();
    this.reconciler.followClock(byMs);
  }
}

/** Only a repository can take a commit; a folder that is watched as it lies on disk is none. */
function policySourceOf({ source }: HostConfig): Pick<HandsHost, 'policySource'> {
  if (source === null || source.watch === 'folder') return {};
  const { url, ref, folder } = source;
  return {
    policySource: {
      url,
      ...(ref !== undefined && 'branch' in ref ? { branch: ref.branch } : {}),
      ...(folder === undefined ? {} : { folder }),
    },
  };
}

/** Whether the same triggers are watched, each in the same meaning. */
function isSameWatch(before: Wants['triggers'], after: Wants['triggers']): boolean {
  if (before === after) return true;
  if (before.size !== after.size) return false;
  return [...after].every(([key, { digest }]) => before.get(key)?.digest === digest);
}
