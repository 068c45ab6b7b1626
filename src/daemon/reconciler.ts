import { decide } from '../core/decide.ts';
import { abandonedRehearsals } from '../core/drills/settle-drills.ts';
import type { Event, EventSpec } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import type { Memory } from '../core/memory.ts';
import type { Action } from '../core/model/action.ts';
import type { Desired } from '../core/model/desired.ts';
import { type DocumentKey, documentKey } from '../core/model/flag.ts';
import { type Operation, type OperationId, plannedOperation } from '../core/model/operation.ts';
import type { Step } from '../core/model/step.ts';
import { announcementOf } from '../core/notifications/announce.ts';
import type { Halt, Observed, Reading } from '../core/observed.ts';
import { doTheSame } from '../core/places/deliveries.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Judgement } from '../core/plan/saved-plan.ts';
import type { Millis } from '../core/units.ts';
import { type Wants, wantsOf } from '../core/wants.ts';
import type { Store } from '../store/store.ts';
import type { CheckWatch } from './observe/check-watch.ts';
import type { DocumentWatch } from './observe/document-watch.ts';
import type { MeasureWatch } from './observe/measure-watch.ts';
import type { TargetWatch } from './observe/target-watch.ts';

/** Nothing waits longer than this for its next look, whatever else happens. */
const HEARTBEAT_MS: Millis = 1_000;
const FLUSH_MS: Millis = 10_000;

export type ReconcilerHost = {
  readonly store: Store;
  readonly now: () => Millis;
  readonly documents: DocumentWatch;
  readonly checks: CheckWatch;
  readonly targets: TargetWatch;
  readonly measures: MeasureWatch;
  readonly windows: (windows: Desired['windows'], now: Millis) => NonNullable<Observed['windows']>;
  readonly drills: (drills: Desired['drills'], now: Millis) => NonNullable<Observed['drills']>;
  readonly schedules: (desired: Desired | null, now: Millis) => NonNullable<Observed['schedules']>;
  readonly halt: () => Halt | null;
  readonly start: (operation: Operation) => void;
  /** Ends operations that are of no use any more. */
  readonly abandon: (ids: readonly OperationId[]) => void;
  /** Told after each decision, for metrics and those who watch. */
  readonly onPlan: (plan: Plan, tookMs: number) => void;
  readonly onWants: (wants: Wants) => void;
  readonly onEvents: (events: readonly Event[], actor: string) => void;
  /** A fault of the program or of the store: nothing can be decided any more. */
  readonly onFault: (error: unknown) => void;
};

type Released = { readonly at: Millis; readonly actor: string; readonly steps: readonly Step[] };

/**
 * The loop: observe, decide, log, apply. A cycle is synchronous, so that it sees one state of the world and nothing
 * comes between a decision and its log; observing and applying go on beside it and ask for the next cycle.
 */
export class Reconciler {
  readonly #host: ReconcilerHost;
  #desired: Desired | null = null;
  #memory: Memory;
  #readings: Reading[] = [];
  #flushedAt: Millis = 0;
  #timer: NodeJS.Timeout | null = null;
  #scheduled = false;
  #running = false;
  #acting = true;
  #plan: Plan | null = null;
  /** For which policies the newest decision was taken. */
  #planned: Desired | null = null;
  /** For what observations were last asked for. */
  #asked: { readonly desired: Desired; readonly memory: Memory } | null = null;
  /** Documents whose writing a person released from the halt: since when, and who. What makes them effective follows. */
  readonly #released = new Map<DocumentKey, Released>();

  constructor(host: ReconcilerHost) {
    this.#host = host;
    this.#memory = host.store.memory();
  }

  get memory(): Memory {
    return this.#memory;
  }

  get desired(): Desired | null {
    return this.#desired;
  }

  /** The newest decision. */
  get plan(): Plan | null {
    return this.#plan;
  }

  /** Observes and plans, but never acts. */
  set acting(value: boolean) {
    this.#acting = value;
  }

  run(): void {
    this.#running = true;
    this.wake();
  }

  /** No further cycle; what was being applied goes on and may still be recorded. */
  stop(): void {
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  follow(desired: Desired): void {
    this.#desired = desired;
    this.wake();
  }

  /** New evaluations of triggers. */
  take(readings: readonly Reading[]): void {
    if (readings.length === 0) return;
    this.#readings.push(...readings);
    this.wake();
  }

  /** Asks for a cycle soon; asked for several times, there is one. */
  wake(): void {
    if (!this.#running || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running) this.#guarded(() => this.cycle());
    });
  }

  /** Writes down what happened outside of a decision, and whom it is told to. Durable when it returns. */
  record(actor: string, ...specs: EventSpec[]): void {
    const at = this.#host.now();
    const events: Event[] = [];
    let memory = this.#memory;
    const add = (spec: EventSpec): void => {
      const event: Event = { at, ...spec };
      events.push(event);
      memory = evolve(memory, event);
    };
    for (const spec of specs) {
      add(spec);
      const announcement = this.#desired === null ? null : announcementOf(spec, at, this.#desired, memory);
      if (announcement !== null) add(announcement);
    }
    this.#invalidateWritten(specs);
    this.#host.store.commit({ events, actor, memory });
    this.#memory = memory;
    this.#host.onEvents(events, actor);
    this.wake();
  }

  /** The clock was set: memory moves along, and what was seen by the old clock counts no more. */
  followClock(byMs: Millis): void {
    this.#readings = [];
    this.#flushedAt += byMs;
    this.#host.documents.forget();
    this.#host.checks.forget();
    this.#host.measures.forget();
    this.#host.targets.forget();
    this.record('revertd', { type: 'clock.jumped', byMs });
  }

  /** What would be decided for other policies, or for these; nothing changes. */
  preview(desired: Desired | null = this.#desired): Plan | null {
    return desired === null ? null : decide(desired, this.observed, this.#memory, this.#host.now());
  }

  /** The newest decision if it was taken for what is desired and remembered now, else what would be decided. */
  get present(): Plan | null {
    const isOfNow = this.#plan !== null && this.#plan.memory === this.#memory && this.#planned === this.#desired;
    return isOfNow ? this.#plan : this.preview();
  }

  /** What is seen now, without readings: memory has taken those in. */
  get observed(): Observed {
    return this.#observed([]);
  }

  /** One decision, logged and begun. */
  cycle(): void {
    const desired = this.#desired;
    if (desired === null) return;
    const now = this.#host.now();
    const memory = this.#memory;
    // After each decision it is said what the next one needs; only what happened since then may have changed that.
    const isAsked = this.#asked?.desired === desired && this.#asked.memory === memory;
    if (!isAsked) this.#observe(desired, now);
    const observed = this.#observed(this.#readings);
    const begun = performance.now();
    const plan = decide(desired, observed, memory, now);
    const tookMs = performance.now() - begun;
    this.#readings = [];
    if (this.#acting) this.#commit(plan, { desired, observed, memory, now });
    // Without acting nothing becomes of a plan; only what triggers have seen is kept, or none would ever fire.
    else this.#memory = { ...memory, triggers: plan.memory.triggers };
    this.#plan = plan;
    this.#planned = desired;
    this.#host.onPlan(plan, tookMs);
    if (this.#acting) this.#host.abandon(abandonedRehearsals(plan.memory));
    if (this.#acting) for (const operation of plan.operations) this.#host.start(operation);
    if (this.#acting) this.#followThrough(plan);
    this.#observe(desired, now);
    this.#flush(now);
    this.#sleepUntil(plan.requeueAt);
  }

  /**
   * Begins what a person wants done although everything is halted. The judge sees the plan as it is before anything is
   * begun; without a halt the daemon does what is due by itself.
   */
  applyJudged(actor: string, judge: (present: Plan) => Judgement): Judgement {
    const present = this.preview();
    if (present === null) throw new RangeError('no revision of the policies is in force');
    const judgement = judge(present);
    this.cycle();
    const wanted = new Set(judgement.same.map(({ key }) => key));
    const withheld = (this.#plan?.withheld ?? []).filter(({ key }) => wanted.has(key));
    const at = this.#host.now();
    for (const action of withheld) {
      if (action.kind === 'deliver')
        this.#released.set(documentKey(action.document), { at, actor, steps: action.takeUp });
    }
    this.#begin(actor, withheld);
    return judgement;
  }

  /** What makes a document effective that a person had written during the halt is part of what they applied. */
  #followThrough(plan: Plan): void {
    if (plan.memory.halt === null) this.#released.clear();
    for (const action of plan.withheld) {
      const released = action.kind === 'takeUp' ? this.#released.get(action.document) : undefined;
      if (action.kind !== 'takeUp' || released === undefined) continue;
      // Only what is owed for that very write; an older debt was no part of the plan.
      const isWritten = (plan.memory.documents[action.document]?.writtenAt ?? 0) >= released.at;
      const isApplied = released.steps.some((step) => doTheSame(step, action.step));
      if (isWritten && isApplied) this.#begin(released.actor, [action]);
    }
  }

  #begin(actor: string, actions: readonly Action[]): void {
    if (actions.length === 0) return;
    const at = this.#host.now();
    const { nextOperation, repeats } = this.#memory;
    const operations = actions.map((action, index) =>
      plannedOperation(action, { number: nextOperation + index, at, repeats: repeats?.[action.key] }),
    );
    this.record(actor, ...operations.map((operation) => ({ type: 'operation.planned' as const, operation })));
    for (const operation of operations) this.#host.start(operation);
  }

  #commit(plan: Plan, decision: { desired: Desired; observed: Observed; memory: Memory; now: Millis }): void {
    if (plan.events.length > 0) {
      this.#host.store.commit({
        events: plan.events,
        actor: 'revertd',
        memory: plan.memory,
        ...(plan.operations.length > 0 ? { decision } : {}),
      });
    }
    this.#memory = plan.memory;
    this.#noteReadings(decision.observed.readings, plan);
    if (plan.events.length > 0) this.#host.onEvents(plan.events, 'revertd');
  }

  #noteReadings(readings: readonly Reading[], plan: Plan): void {
    for (const { trigger } of readings) {
      const memory = plan.memory.triggers[trigger];
      if (memory === undefined) continue;
      this.#host.store.history.note({ trigger, at: memory.at, value: memory.value, state: memory.state });
    }
  }

  /** What moves without an event: readings, and what triggers have accumulated. After the action, which it would delay. */
  #flush(now: Millis): void {
    if (!this.#acting || now - this.#flushedAt < FLUSH_MS) return;
    this.#flushedAt = now;
    this.#host.store.commit({ events: [], actor: 'revertd', memory: this.#memory });
    this.#host.store.history.flush();
  }

  #observed(readings: readonly Reading[]): Observed {
    const { documents, checks, measures, targets, halt, windows, schedules, drills, now } = this.#host;
    return {
      readings,
      documents: documents.sights,
      checks: checks.results,
      measures: measures.results,
      windows: windows(this.#desired?.windows, now()),
      drills: drills(this.#desired?.drills, now()),
      schedules: schedules(this.#desired, now()),
      halt: halt(),
      targets: targets.sights,
    };
  }

  #observe(desired: Desired, now: Millis): void {
    const wants = wantsOf(desired, this.#memory, now);
    this.#asked = { desired, memory: this.#memory };
    this.#host.onWants(wants);
    this.#host.documents.refresh(wants.documents);
    this.#host.checks.refresh(wants.checks);
    this.#host.targets.refresh(wants.targets);
    this.#host.measures.refresh(wants.measures);
  }

  /** What was seen of a document before its write ended is of no use, whatever the clock says. */
  #invalidateWritten(specs: readonly EventSpec[]): void {
    for (const spec of specs) {
      if (spec.type !== 'operation.finished') continue;
      const action = this.#memory.operations[spec.id]?.action;
      if (action?.kind === 'deliver') this.#host.documents.invalidate(documentKey(action.document));
      if (action?.kind === 'restore') this.#host.targets.invalidate(action.target.name);
    }
  }

  #sleepUntil(requeueAt: Millis | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (!this.#running) return;
    const wait = requeueAt === null ? HEARTBEAT_MS : Math.min(HEARTBEAT_MS, requeueAt - this.#host.now());
    this.#timer = setTimeout(() => this.wake(), Math.max(1, wait));
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#host.onFault(error);
    }
  }
}
