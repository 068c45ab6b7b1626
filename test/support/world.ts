import { decide } from '../../src/core/decide.ts';
import type { Event, EventSpec, EventType } from '../../src/core/event.ts';
import { evolve, remember } from '../../src/core/evolve.ts';
import { EMPTY_MEMORY, type Memory } from '../../src/core/memory.ts';
import type { MergeReport } from '../../src/core/merge/merge-report.ts';
import type { Action, RestoreAction } from '../../src/core/model/action.ts';
import type { CheckResult } from '../../src/core/model/check.ts';
import type { Desired } from '../../src/core/model/desired.ts';
import type { Operation, OperationOutcome } from '../../src/core/model/operation.ts';
import type { Snapshot } from '../../src/core/model/point.ts';
import type { JsonValue, Step } from '../../src/core/model/step.ts';
import { revisionOfPrint, revisionPrint } from '../../src/core/model/target.ts';
import { announcementOf } from '../../src/core/notifications/announce.ts';
import type { DocumentSight, Halt, Observed, Reading, ReadingValue } from '../../src/core/observed.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { variantsIn } from '../../src/core/points/flag-state.ts';
import type { Millis } from '../../src/core/units.ts';
import { wantsOf } from '../../src/core/wants.ts';
import { aSnapshot } from './policies.ts';

type Values = Record<string, JsonValue>;

/**
 * A host in memory around the real `decide`: documents that can be written, readings that a test gives, a log that is
 * kept whole. Time passes only when a test says so. What an action does can be replaced by `perform`.
 */
export class World {
  now: Millis = 100_000_000_000;
  desired: Desired;
  memory: Memory = EMPTY_MEMORY;
  log: Event[] = [];
  halt: Halt | null = null;
  documents: Record<string, Values> = {};
  /** Documents that cannot be read. */
  readonly unreadable = new Set<string>();
  checks: Record<string, CheckResult> = {};
  measures: NonNullable<Observed['measures']> = {};
  windows: NonNullable<Observed['windows']> = {};
  drills: NonNullable<Observed['drills']> = {};
  schedules: NonNullable<Observed['schedules']> = {};
  /** What each captured target holds now. */
  contents: Record<string, string> = {};
  /** What checkouts show; revisions are names that stand for commit and content alike. */
  checkouts: Record<string, { head: string; tip?: string }> = {};
  /** Everything that was done to the host, in order. */
  effects: string[] = [];
  /** Null: it goes on for as long as the test wants. */
  perform: (action: Action) => {
    outcome: OperationOutcome;
    detail: string;
    retryAfterMs?: Millis;
    durationMs?: Millis;
    snapshots?: readonly Snapshot[];
    merge?: MergeReport;
  } | null = () => ({
    outcome: 'done',
    detail: '',
  });
  private readings: Reading[] = [];

  constructor(desired: Desired, documents: Record<string, Values> = {}) {
    this.desired = desired;
    this.documents = documents;
    this.record({ type: 'daemon.started', version: '0', host: 'test', pid: 1 });
    this.accept(desired);
  }

  accept(desired: Desired): void {
    const previous = this.memory.revision;
    this.desired = desired;
    const { revision } = desired;
    this.record({ type: 'revision.accepted', revision, previous, subject: null, author: null, warnings: [] });
  }

  restart(): void {
    this.memory = remember(this.log);
    this.record({ type: 'daemon.started', version: '0', host: 'test', pid: 1 });
  }

  record(spec: EventSpec): void {
    const event: Event = { at: this.now, ...spec };
    this.log.push(event);
    this.memory = evolve(this.memory, event);
  }

  /** A reading at the present instant; undefined is a result without elements. */
  reading(value: ReadingValue | undefined, change: Partial<Reading> = {}): void {
    const elements = value === undefined ? [] : [{ labels: {}, value }];
    this.readings.push({
      trigger: 'guard/latency',
      at: this.now,
      intervalMs: 5_000,
      covered: true,
      healthy: true,
      result: { kind: 'elements', elements },
      ...change,
    });
  }

  observe(): Observed {
    const documents: Record<string, DocumentSight> = {};
    for (const wanted of wantsOf(this.desired, this.memory, this.now).documents) {
      if (this.unreadable.has(wanted.key)) {
        documents[wanted.key] = { kind: 'unreadable', at: this.now, code: 'io', message: 'cannot be read' };
        continue;
      }
      const values = this.documents[wanted.key] ?? {};
      const exists = Object.hasOwn(this.documents, wanted.key);
      documents[wanted.key] = {
        kind: 'read',
        at: this.now,
        exists,
        digest: JSON.stringify(values),
        entries: wanted.entries,
        values: { ...values },
      };
    }
    return {
      readings: this.readings,
      documents,
      checks: this.checks,
      measures: this.measures,
      windows: this.windows,
      drills: this.drills,
      schedules: this.schedules,
      halt: this.halt,
      targets: this.targetSights(),
    };
  }

  private targetSights(): Observed['targets'] {
    const revision = (name: string) => ({ commit: name, tree: name });
    return Object.fromEntries(
      Object.entries(this.checkouts).map(([name, { head, tip }]) => [
        name,
        {
          kind: 'git',
          at: this.now,
          head: revision(head),
          isDirty: false,
          tip: tip === undefined ? null : { ...revision(tip), subject: `make ${tip}` },
          tipFault: null,
        },
      ]),
    );
  }

  /** What would be decided now; nothing changes. */
  plan(): Plan {
    return decide(this.desired, this.observe(), this.memory, this.now);
  }

  /** One round as the daemon makes it: decide, log, apply, log the outcome. */
  round(): Plan {
    const plan = this.plan();
    this.readings = [];
    this.log.push(...plan.events);
    this.memory = plan.memory;
    for (const operation of plan.operations) this.apply(operation);
    return plan;
  }

  /**
   * One round that a kill ends: the first `begun` operations take effect, no outcome is logged. The next life begins
   * `awayMs` later, and asks what became of them, as the daemon does. `midway`: they were begun, and have no effect yet.
   */
  kill(begun: number, awayMs: Millis = 0, midway?: 'midway'): void {
    const plan = this.plan();
    this.readings = [];
    this.log.push(...plan.events);
    this.memory = plan.memory;
    const effective = plan.operations.slice(0, begun);
    for (const { id, action } of effective) {
      if (action.kind !== 'deliver' && action.kind !== 'notify' && action.kind !== 'report') {
        this.record({ type: 'operation.running', id, fingerprint: null });
      }
      if (midway === undefined) this.effect(action);
    }
    this.now += awayMs;
    this.restart();
    const done = midway === undefined ? effective : [];
    for (const operation of Object.values(this.memory.operations)) this.recover(operation, done);
  }

  /** Rounds until nothing is left to do at this instant. */
  settle(): Plan[] {
    const plans: Plan[] = [];
    for (let rounds = 0; rounds < 50; rounds += 1) {
      const plan = this.round();
      plans.push(plan);
      if (plan.actions.length === 0 && plan.events.length === 0) return plans;
    }
    throw new Error('the world does not come to rest');
  }

  /** `seconds` of the same reading every five seconds, settling after each. */
  live(seconds: number, value: ReadingValue | undefined): void {
    for (let passed = 0; passed < seconds; passed += 5) {
      this.now += 5_000;
      this.reading(value);
      this.settle();
    }
  }

  /** What every check with this key says from now on. */
  check(key: string, outcome: CheckResult['outcome'], detail: string = outcome): void {
    this.checks = { ...this.checks, [key]: { key, at: this.now, outcome, detail } };
  }

  events<T extends EventType>(type: T): Extract<Event, { type: T }>[] {
    return this.log.filter((event): event is Extract<Event, { type: T }> => event.type === type);
  }

  private recover({ id, action }: Operation, effective: readonly Operation[]): void {
    const begun = effective.some((one) => one.id === id);
    const repeatable = action.kind === 'step' && action.step.kind === 'run' && action.step.repeatable;
    const seen =
      action.kind === 'deliver' || action.kind === 'restore'
        ? 'done'
        : action.kind === 'step' && !repeatable
          ? 'unknown'
          : action.kind === 'capture'
            ? 'failed'
            : 'notDone';
    const hidden = action.kind === 'deliver' && this.unreadable.has(`${action.document.kind}:${action.document.path}`);
    const outcome = hidden ? 'unknown' : begun ? seen : 'notDone';
    const digest = digestOf({ id, action });
    this.record({ type: 'operation.finished', id, outcome, detail: 'after a restart', durationMs: 0, ...digest });
  }

  private apply(operation: Operation): void {
    const { action } = operation;
    if (BEGUN.has(action.kind)) this.record({ type: 'operation.running', id: operation.id, fingerprint: null });
    const performed = this.perform(action);
    if (performed === null) return;
    const { outcome, detail, ...rest } = performed;
    if (outcome === 'done') this.effect(action);
    const digest = { ...digestOf(operation), ...(outcome === 'done' ? this.snapshotsOf(operation) : {}) };
    this.record({ type: 'operation.finished', id: operation.id, outcome, detail, durationMs: 0, ...digest, ...rest });
    if (action.kind === 'report' && outcome === 'done') {
      this.announce({ type: 'report.written', incident: action.incident, path: `/reports/${action.incident}.md` });
    }
  }

  /** As the daemon records what happens between decisions. */
  private announce(spec: EventSpec): void {
    this.record(spec);
    const announcement = announcementOf(spec, this.now, this.desired, this.memory);
    if (announcement !== null) this.record(announcement);
  }

  private snapshotsOf({ action }: Operation): { readonly snapshots?: readonly Snapshot[] } {
    if (action.kind !== 'capture') return {};
    const snapshots = action.targets.map(({ name, type }): Snapshot => {
      const head = this.checkouts[name]?.head ?? 'none';
      const fingerprint = type.kind === 'git' ? revisionPrint({ commit: head, tree: head }) : this.contents[name];
      const state = action.flags?.[name];
      const flags = state === undefined ? {} : { flags: variantsIn(state) };
      return { ...aSnapshot(name, this.now), type: type.kind, fingerprint: fingerprint ?? 'empty', ...flags };
    });
    return { snapshots };
  }

  private restore({ target: { name, type }, to, paths, snapshot }: RestoreAction): void {
    if (snapshot !== undefined && type.kind !== 'git') this.contents[name] = snapshot.fingerprint;
    else if (paths.length === 0) {
      const head = snapshot === undefined ? to : revisionOfPrint(snapshot.fingerprint).commit;
      this.checkouts[name] = { ...this.checkouts[name], head };
    }
  }

  private effect(action: Action): void {
    switch (action.kind) {
      case 'deliver': {
        const key = `${action.document.kind}:${action.document.path}`;
        const values: Values = { ...this.documents[key] };
        for (const change of action.changes) values[change.entry] = change.after;
        this.documents[key] = values;
        this.effects.push(
          `write ${action.changes.map((one) => `${one.entry}=${typeof one.after === 'string' ? one.after : JSON.stringify(one.after)}`).join(' ')}`,
        );
        break;
      }
      case 'capture':
        this.effects.push(
          `capture ${action.targets.map(({ name }) => name).join(' ')}${action.quiesce
            .map(stepText)
            .map((text) => ` after ${text}`)
            .join('')}`,
        );
        break;
      case 'validate':
        this.effects.push(`read ${action.point}`);
        break;
      case 'copy':
        this.effects.push(`copy ${action.point.id} to ${action.copy.name}`);
        break;
      case 'collect':
        this.effects.push('collect');
        break;
      case 'restore':
        this.restore(action);
        this.effects.push(`move ${[action.target.name, ...action.paths].join(' ')} to ${action.to}`);
        break;
      case 'keep':
        break;
      case 'takeUp':
      case 'activate':
      case 'step':
        this.effects.push(stepText(action.step));
        break;
      case 'rehearse':
        this.effects.push(`rehearse ${action.drill}`);
        break;
      case 'notify':
        this.effects.push(`notify ${action.notifier} ${action.notification.topic}`);
        break;
      case 'report':
        this.effects.push(`report ${action.incident}`);
    }
  }
}

/** Operations that are in the log as running before they touch anything. */
const BEGUN: ReadonlySet<Action['kind']> = new Set(['restore', 'capture', 'validate']);

function digestOf({ id, action }: Pick<Operation, 'id' | 'action'>): { readonly digest?: string } {
  if (action.kind === 'restore') return { digest: action.to };
  return action.kind === 'deliver' ? { digest: `written-${id}` } : {};
}

function stepText(step: Step): string {
  if (step.kind === 'run') return step.argv.join(' ');
  if (step.kind === 'service' && step.service.kind === 'unit') return `${step.do.kind} ${step.service.unit}`;
  return step.kind;
}
