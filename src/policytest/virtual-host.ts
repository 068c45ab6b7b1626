import { decide } from '../core/decide.ts';
import type { Event, EventSpec } from '../core/event.ts';
import { evolve, remember } from '../core/evolve.ts';
import { EMPTY_MEMORY, type Memory } from '../core/memory.ts';
import type { Action } from '../core/model/action.ts';
import type { Check, CheckResult } from '../core/model/check.ts';
import type { Desired } from '../core/model/desired.ts';
import type { Operation } from '../core/model/operation.ts';
import type { SetFlagStep } from '../core/model/step.ts';
import { announcementOf } from '../core/notifications/announce.ts';
import type { Halt, Reading } from '../core/observed.ts';
import type { Plan } from '../core/plan/plan.ts';
import { schedulesOf } from '../core/points/schedules.ts';
import { isSame } from '../core/record.ts';
import { judgeChange, judgeIntact } from '../core/targets/judge-target.ts';
import type { Millis } from '../core/units.ts';
import { wantsOf } from '../core/wants.ts';
import { DueCalendar } from '../policy/due-times.ts';
import { WindowCalendar } from '../policy/window-spans.ts';
import { actionText, checkText, observedStep, unlessOutcome } from './outcomes.ts';
import type { PolicyTest, WorldEvent } from './policy-test.ts';
import type { IsSilent } from './samples.ts';
import { sightsOf, VirtualDocuments } from './virtual-documents.ts';
import { VirtualMetrics } from './virtual-metrics.ts';
import { revisionCalled, VirtualTargets } from './virtual-targets.ts';

/** What was done to the host, in the order of its beginning: a latch of a ladder, or an action and how it ended. */
export type Deed =
  | { readonly kind: 'setFlag'; readonly step: SetFlagStep }
  | { readonly kind: 'action'; readonly action: Action; readonly outcome: 'done' | 'failed' | 'unknown' };

type Failing = { readonly step: string; times: number; readonly outcome: 'failed' | 'unknown' };
type Kill = Extract<WorldEvent, { kind: 'kill' }>;

/** At one instant nothing is decided more often than this; policies that write against each other would go on for ever. */
const MOST_ROUNDS = 1_000;

/** At an instant the host does not come to rest. */
export class RestlessError extends Error {
  override readonly name = 'RestlessError';
  readonly code = 'restless';
}

/**
 * A host in memory around the real `decide`: samples, documents, steps and notifiers are simulated, everything else is
 * the daemon's own. Time passes only when it is told to; what is begun ends at the same instant.
 */
export class VirtualHost {
  readonly startedAt: Millis;
  readonly documents: VirtualDocuments;
  readonly targets: VirtualTargets;
  readonly #metrics: VirtualMetrics;
  readonly #calendar = new WindowCalendar();
  readonly #dues = new DueCalendar();
  readonly #log: Event[] = [];
  readonly #deeds: Deed[] = [];
  readonly #answers: { readonly of: string; readonly is: CheckResult['outcome'] }[] = [];
  readonly #failing: Failing[] = [];
  readonly #silences: { readonly source: string; readonly until: Millis }[] = [];
  readonly #kills: Kill[] = [];
  readonly #isSilent: IsSilent = (source, at) =>
    this.#silences.some((silence) => silence.source === source && at < silence.until);
  #desired: Desired;
  #memory: Memory = EMPTY_MEMORY;
  #halt: Halt | null = null;
  #now: Millis;
  /** When the daemon starts again; null while it runs. */
  #downUntil: Millis | null = null;
  #wakeAt: Millis | null = null;

  constructor(
    test: Pick<PolicyTest, 'desired' | 'startAt' | 'intervalMs' | 'inputs' | 'flags' | 'documents' | 'targets'>,
  ) {
    this.startedAt = test.startAt;
    this.#now = test.startAt;
    this.#desired = test.desired;
    this.documents = new VirtualDocuments(test);
    this.targets = new VirtualTargets(test.targets);
    this.#metrics = new VirtualMetrics(test.inputs, test.intervalMs);
    this.record(STARTED);
    this.commit(test.desired);
    for (const [target, { good }] of Object.entries(test.targets)) {
      for (const name of [...good].reverse())
        this.record({ type: 'target.good', target, revision: revisionCalled(name) });
    }
  }

  get now(): Millis {
    return this.#now;
  }

  get desired(): Desired {
    return this.#desired;
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** Everything that happened, in order. */
  get log(): readonly Event[] {
    return this.#log;
  }

  get deeds(): readonly Deed[] {
    return this.#deeds;
  }

  /** The next instant at which time alone changes something; null if there is none. */
  get wakeAt(): Millis | null {
    return this.#downUntil ?? this.#wakeAt;
  }

  /** Time goes on. A daemon that was away starts if its time has come. */
  passTo(now: Millis): void {
    this.#now = now;
    if (this.#downUntil !== null && now >= this.#downUntil) this.#start();
  }

  commit(desired: Desired): void {
    this.#desired = desired;
    const { revision } = desired;
    const previous = this.#memory.revision;
    this.record({ type: 'revision.accepted', revision, previous, subject: null, author: null, warnings: [] });
  }

  /** The answers to the checks that the present decision would rest on. */
  get checks(): Readonly<Record<string, CheckResult>> {
    return this.#observe([]).checks;
  }

  halt(reason: string): void {
    this.#halt = { since: this.#now, by: 'test', reason };
  }

  resume(): void {
    if (this.#halt === null) return;
    this.#halt = null;
    this.record({ type: 'halt.lifted' });
  }

  /** The daemon ends, and starts again so long after. */
  restart(awayMs: Millis): void {
    this.#downUntil = this.#now + awayMs;
    if (awayMs === 0) this.#start();
  }

  befall(event: WorldEvent): void {
    switch (event.kind) {
      case 'fail':
        this.#failing.push({ step: event.step, times: event.times, outcome: event.outcome });
        return;
      case 'silent':
        this.#silences.push({ source: event.source, until: this.#now + event.forMs });
        return;
      case 'check':
        this.#answers.unshift({ of: event.of, is: event.is });
        return;
      case 'edit':
        this.documents.edit(event.documents);
        return;
      case 'push': {
        const target = this.#desired.targets[event.target];
        if (target !== undefined) this.targets.push(target, event.revision);
        return;
      }
      case 'kill':
        this.#kills.push(event);
    }
  }

  /** What happened outside of a decision, and whom it is told to. */
  record(...specs: readonly EventSpec[]): void {
    for (const spec of specs) {
      this.#remember(spec);
      const announcement = announcementOf(spec, this.#now, this.#desired, this.#memory);
      if (announcement !== null) this.#remember(announcement);
    }
  }

  /** All sources deliver their values of this number. */
  sample(index: number): void {
    if (this.#downUntil !== null) return;
    this.#follow();
    this.settle(this.#metrics.sample(index, this.#now, this.#isSilent));
  }

  /** Decides and acts until nothing is left to do at this instant. Throws `RestlessError` if there is no end to it. */
  settle(readings: readonly Reading[] = []): void {
    let pending = readings;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      if (this.#downUntil !== null) return;
      const plan = this.#round(pending);
      pending = [];
      if (plan.operations.length === 0 && plan.events.length === 0) return;
    }
    throw new RestlessError(
      `the host does not come to rest: ${MOST_ROUNDS} decisions at one instant, and no end to it`,
    );
  }

  #round(readings: readonly Reading[]): Plan {
    this.#follow();
    const plan = decide(this.#desired, this.#observe(readings), this.#memory, this.#now);
    this.#log.push(...plan.events);
    this.#memory = plan.memory;
    this.#wakeAt = plan.requeueAt;
    for (const event of plan.events) this.#noteLatch(event);
    for (const { trigger } of readings) {
      const memory = plan.memory.triggers[trigger];
      if (memory !== undefined) this.#metrics.note(trigger, memory);
    }
    for (const operation of plan.operations) {
      this.#apply(operation);
      if (this.#downUntil !== null) break;
    }
    // A daemon that is away for no time is back before anything else happens.
    if (this.#downUntil === this.#now) this.#start();
    return plan;
  }

  /** Neighbouring steps that set flags are one decision, so what counts is the latch and not the step's own turn. */
  #noteLatch(event: Event): void {
    if (event.type !== 'hold.placed' || event.hold.kind !== 'latch') return;
    const { flag, variant, incident, origin } = event.hold;
    const ladder = this.#memory.incidents[incident]?.policy.ladder ?? [];
    const steps = ladder.flatMap((rung) => [...rung.do, ...rung.onFailure]);
    const step = steps.find((one) => (one.kind !== 'setFlag' || one.flag === flag) && isSame(one.origin, origin));
    if (step?.kind === 'setFlag') this.#deeds.push({ kind: 'setFlag', step });
    // A restore of flags sets each that is something else, as `setFlag` does.
    if (step?.kind === 'restore') {
      this.#deeds.push({ kind: 'setFlag', step: { kind: 'setFlag', flag, to: { kind: 'variant', variant } } });
    }
  }

  #follow(): void {
    const { triggers } = wantsOf(this.#desired, this.#memory, this.#now);
    this.#metrics.update(Object.values(this.#desired.metricSources), triggers, this.#now);
  }

  #observe(readings: readonly Reading[]) {
    const { documents, checks, measures, targets } = wantsOf(this.#desired, this.#memory, this.#now);
    return {
      readings,
      documents: sightsOf(this.documents, documents, this.#now),
      checks: Object.fromEntries(checks.map(({ check }) => [check.key, this.#check(check)])),
      measures: Object.fromEntries(
        measures.map(({ measure }) => [measure.key, this.#metrics.measure(measure, this.#now)]),
      ),
      windows: this.#calendar.at(this.#desired.windows, this.#now),
      schedules: this.#dues.at(schedulesOf(this.#desired), this.#now),
      halt: this.#halt,
      targets: this.targets.sights(targets, this.#now),
    };
  }

  #check(check: Check): CheckResult {
    if (check.kind === 'query') return this.#metrics.check(check, this.#now, this.#isSilent);
    const said = this.#answerTo(check);
    if (check.kind === 'target' && said === undefined) return this.#checkTarget(check);
    const outcome = said ?? 'true';
    return { key: check.key, at: this.#now, outcome, detail: `${checkText(check)}: ${outcome}` };
  }

  #checkTarget({ key, target: name, is }: Extract<Check, { kind: 'target' }>): CheckResult {
    const base = { key, at: this.#now };
    const target = this.#desired.targets[name];
    if (target === undefined) return { ...base, outcome: 'unknown', detail: `git no longer has target ${name}` };
    if (is.kind === 'intact')
      return {
        ...base,
        ...judgeIntact(
          name,
          target.checks.map((check) => this.#check(check)),
        ),
      };
    const sight = this.targets.sights([target], this.#now)[name];
    return { ...base, ...judgeChange({ name, memory: this.#memory.targets[name], sight }, is.spanMs, this.#now) };
  }

  #answerTo(check: Check): CheckResult['outcome'] | undefined {
    return this.#answers.find(({ of }) => checkText(check).includes(of))?.is;
  }

  #apply(operation: Operation): void {
    const { action, id } = operation;
    const text = actionText(action);
    const kill = this.#kills.findIndex(({ during }) => text.includes(during));
    if (kill !== -1) return this.#applyAndDie(operation, this.#kills.splice(kill, 1)[0]?.awayMs ?? 0);
    const { outcome, detail } = this.#outcomeOf(action, text);
    this.#deeds.push({ kind: 'action', action, outcome });
    const digest = outcome === 'done' ? this.#effect(action) : {};
    const snapshots =
      outcome === 'done' && action.kind === 'capture' ? { snapshots: this.targets.capture(action, this.#now) } : {};
    this.record({ type: 'operation.finished', id, outcome, detail, durationMs: 0, ...digest, ...snapshots });
    if (action.kind === 'report' && outcome === 'done') {
      this.record({ type: 'report.written', incident: action.incident, path: `reports/${action.incident}.md` });
    }
  }

  #outcomeOf(
    action: Action,
    text: string,
  ): { readonly outcome: 'done' | 'failed' | 'unknown'; readonly detail: string } {
    const failing = this.#failing.find((one) => one.times > 0 && text.includes(one.step));
    if (failing !== undefined) {
      failing.times -= 1;
      return { outcome: failing.outcome, detail: 'as the test says' };
    }
    if (action.kind !== 'step' && action.kind !== 'takeUp' && action.kind !== 'activate')
      return { outcome: 'done', detail: '' };
    if (action.step.kind === 'waitFor' && action.step.checks.some((check) => this.#check(check).outcome !== 'true')) {
      return { outcome: 'failed', detail: 'not so in time' };
    }
    switch (unlessOutcome(action.step, (check) => this.#answerTo(check))) {
      case 'true':
        return { outcome: 'done', detail: 'already so' };
      case 'false':
        return { outcome: 'done', detail: '' };
      case 'unknown':
        return { outcome: 'failed', detail: 'not done, for it cannot be told whether it is needed' };
    }
  }

  #effect(action: Action): { readonly digest?: string } {
    if (action.kind === 'restore') return { digest: this.targets.restore(action) };
    return action.kind === 'deliver' ? { digest: this.documents.write(action) } : {};
  }

  /** The effect is there, its outcome is not in the log. */
  #applyAndDie({ id, action }: Operation, awayMs: Millis): void {
    if (LEAVES_TRACES.includes(action.kind)) {
      this.record({ type: 'operation.running', id, fingerprint: null });
    }
    this.#deeds.push({ kind: 'action', action, outcome: 'unknown' });
    this.#effect(action);
    this.#downUntil = this.#now + awayMs;
  }

  /** A new life: memory is what the log says, and what was under way is asked about. */
  #start(): void {
    this.#downUntil = null;
    this.#metrics.restart();
    this.#memory = remember(this.#log);
    this.record(STARTED);
    for (const operation of Object.values(this.#memory.operations)) this.#recover(operation);
  }

  #recover(operation: Operation): void {
    const { id, action } = operation;
    const shown = action.kind === 'deliver' ? this.documents.shows(action) : undefined;
    const outcome = shown === undefined ? this.#found(operation) : 'done';
    const digest = shown === undefined ? {} : { digest: shown };
    this.record({ type: 'operation.finished', id, outcome, detail: 'after a restart', durationMs: 0, ...digest });
  }

  #found(operation: Operation): 'done' | 'notDone' | 'unknown' {
    const { action } = operation;
    switch (action.kind) {
      case 'restore':
        return operation.state === 'running' && this.targets.isAt(action) ? 'done' : 'notDone';
      case 'step':
      case 'takeUp':
      case 'activate':
        return observedStep(operation, action.step, (check) => this.#answerTo(check));
      case 'deliver':
      case 'keep':
      case 'capture':
        // What was interrupted is not whole: the daemon gives it up, and begins another one when it is due.
        return operation.state === 'running' ? 'unknown' : 'notDone';
      case 'rehearse':
      case 'validate':
      case 'copy':
      case 'collect':
      case 'notify':
      case 'report':
        return 'notDone';
    }
  }

  #remember(spec: EventSpec): void {
    const event: Event = { at: this.#now, ...spec };
    this.#log.push(event);
    this.#memory = evolve(this.#memory, event);
  }
}

/** After a kill it is asked whether they had their effect. */
const LEAVES_TRACES: readonly Action['kind'][] = ['step', 'takeUp', 'activate', 'restore', 'capture'];

const STARTED: EventSpec = { type: 'daemon.started', version: 'test', host: 'test', pid: 1 };
