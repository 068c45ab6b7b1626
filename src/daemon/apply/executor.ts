import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { EventSpec } from '../../core/event.ts';
import type { MergePhase, MergeReport } from '../../core/merge/merge-report.ts';
import type {
  CaptureAction,
  CopyAction,
  DeliverAction,
  KeepAction,
  NotifyAction,
  RehearseAction,
  RestoreAction,
  ValidateAction,
} from '../../core/model/action.ts';
import type { Check, CheckResult } from '../../core/model/check.ts';
import { documentKey } from '../../core/model/flag.ts';
import type { Notifier } from '../../core/model/notifier.ts';
import { firstAttempt, type Operation } from '../../core/model/operation.ts';
import type { PointId, Snapshot } from '../../core/model/point.ts';
import { describeStep, type Step } from '../../core/model/step.ts';
import { formatDuration, type Millis } from '../../core/units.ts';
import type { WrittenReport } from '../../drivers/notifiers/notifier-driver.ts';
import { PlaceError } from '../../drivers/places/place-driver.ts';
import type { Progress } from '../../drivers/targets/captured-target.ts';
import { TargetError } from '../../drivers/targets/target-driver.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { faultPoint } from '../fault-point.ts';
import { copyPoint } from './copy-point.ts';
import type { Hands } from './hands.ts';
import { isHostStep } from './host-step.ts';
import { capturePoint, collectContent, type PointWork, releaseCapture, validatePoint } from './point-operations.ts';
import { rehearse } from './rehearsal.ts';

const DELIVER_DEADLINE_MS: Millis = 15_000;
/** For all that a rehearsal only looks at. */
const REHEARSAL_DEADLINE_MS: Millis = 600_000;
/** Beside what the program of a copy may take: a large point is written into one file first. */
const PACK_DEADLINE_MS: Millis = 3_600_000;
/** Of millions of pieces. */
const COLLECT_DEADLINE_MS: Millis = 3_600_000;
/** What a driver may take beyond its own deadline, to look first and to clean up after. */
const GIVE_UP_AFTER_MS: Millis = 30_000;
/** Timers hold at most 2^31 - 1 ms, 24 days. */
const LONGEST_TIMER_MS: Millis = 2_147_483_647;

type PointAction = CaptureAction | ValidateAction | CopyAction;

export type Outcome = {
  readonly outcome: 'done' | 'failed' | 'unknown';
  readonly detail: string;
  readonly digest?: string;
  readonly merge?: MergeReport;
  readonly snapshots?: readonly Snapshot[];
  readonly final?: boolean;
  readonly retryAfterMs?: Millis;
  /** What the outcome has people told, in the same transaction. */
  readonly written?: Extract<EventSpec, { type: 'report.written' }>;
};

export type ExecutorHost = {
  readonly hands: Hands;
  readonly now: () => Millis;
  /** Writes events to the log; they are durable when it returns. */
  readonly record: (...events: EventSpec[]) => void;
  readonly notifier: (name: string) => Notifier | undefined;
  readonly hostName: string;
  readonly log: (operation: string, line: string) => void;
  /** Makes one check, of any kind, for a rehearsal; never rejects. */
  readonly check: (check: Check) => Promise<Pick<CheckResult, 'outcome' | 'detail'>>;
  /** The folder in which rehearsals have theirs. */
  readonly scratchDir: string;
  /** A fault of the program or of the store. */
  readonly onFault: (error: unknown) => void;
  /** Writes the report of a closed incident and answers where. */
  readonly writeReport: (incident: string) => Promise<string>;
  /** Where the content of points is. */
  readonly content: () => Promise<ContentStore>;
  /** The most bytes that a target's capture may find. */
  readonly room: () => Promise<number>;
  /** A folder of revertd's own for restores that touch nothing live. */
  readonly scratch: string;
  /** Manifests of the points that there are. */
  readonly neededContent: () => { readonly sound: readonly string[]; readonly damaged: readonly string[] };
  /** The report of an incident, for messages about it. */
  readonly readReport: (incident: string) => WrittenReport | undefined;
};

/** Carries out operations that are already in the log, each beside the others, and logs their outcome. */
export class Executor {
  readonly #host: ExecutorHost;
  readonly #running = new Map<
    string,
    { readonly done: Promise<void>; readonly abort: AbortController; readonly kind: string }
  >();

  /** How far the captures and readings of points are, by point. */
  readonly #progress = new Map<PointId, Progress>();

  constructor(host: ExecutorHost) {
    this.#host = host;
  }

  /** What merges under way go through now, by target. */
  readonly #phases = new Map<string, MergePhase>();

  get phases(): ReadonlyMap<string, MergePhase> {
    return this.#phases;
  }

  get progress(): ReadonlyMap<PointId, Progress> {
    return this.#progress;
  }

  /** Ends the capture of a point; whether one was under way. What it stored is collected, and its point has failed. */
  cancelCapture(point: PointId, reason: string): boolean {
    const found = [...this.#running].find(([id]) => id.startsWith(`capture:${point}#`));
    found?.[1].abort.abort(new CaptureCancelled(reason));
    return found !== undefined;
  }

  start(operation: Operation): void {
    const abort = new AbortController();
    const done = this.#carryOut(operation, abort)
      .catch((error: unknown) => this.#host.onFault(error))
      .finally(() => this.#running.delete(operation.id));
    this.#running.set(operation.id, { done, abort, kind: operation.action.kind });
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** Kills the steps of ladders and take-ups that are under way. How far each got is unknown, unless it ended all the same. */
  killSteps(reason: string): void {
    for (const { abort, kind } of this.#running.values()) {
      if (kind === 'step' || kind === 'takeUp') abort.abort(new StepKilled(reason));
    }
  }

  /** Ends rehearsals: nothing waits for them, and how far each got is nobody's concern any more. */
  abandon(ids: readonly string[], reason: string): void {
    for (const id of ids) this.#running.get(id)?.abort.abort(new StepKilled(reason));
  }

  /** A daemon that stops waits for no rehearsal. What it leaves open in the log, the next life finds interrupted. */
  stopRehearsals(reason: string): void {
    for (const { abort, kind } of this.#running.values()) if (kind === 'rehearse') abort.abort(new Error(reason));
  }

  /** Ends what can be ended. What fails for that stays open in the log, and the next life asks what became of it. */
  abortAll(reason: string): void {
    for (const { abort } of this.#running.values()) abort.abort(new Error(reason));
  }

  async #carryOut(operation: Operation, abort: AbortController): Promise<void> {
    const { kind } = operation.action;
    faultPoint(`planned:${kind}`);
    const startedAt = this.#host.now();
    const { written, ...performed } = await this.#performInTime(operation, abort.signal);
    const outcome = afterKill(performed, abort.signal);
    if (abort.signal.aborted && outcome === performed && outcome.outcome !== 'done') return;
    faultPoint(`effect:${kind}`);
    const durationMs = Math.max(0, this.#host.now() - startedAt);
    this.#host.record(
      { type: 'operation.finished', id: operation.id, ...outcome, durationMs },
      ...(written === undefined ? [] : [written]),
    );
    faultPoint(`finished:${kind}`);
    if (kind === 'capture') await releaseCapture({ content: this.#host.content, operation: operation.id });
  }

  /** Every driver keeps its own deadline; one that hangs all the same is given up on. */
  async #performInTime(operation: Operation, signal: AbortSignal): Promise<Outcome> {
    const limitMs = this.#deadlineMs(operation) + GIVE_UP_AFTER_MS;
    const { promise: hung, resolve: giveUp } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => giveUp(givenUp(operation, limitMs)), Math.min(limitMs, LONGEST_TIMER_MS));
    try {
      return await Promise.race([this.#perform(operation, signal), hung]);
    } finally {
      clearTimeout(timer);
    }
  }

  #deadlineMs({ action }: Operation): Millis {
    switch (action.kind) {
      case 'takeUp':
      case 'activate':
      case 'step':
        return action.step.timeoutMs;
      case 'restore':
      case 'capture':
      case 'validate':
        return action.timeoutMs;
      case 'rehearse':
        return rehearsalDeadlineMs(action);
      case 'copy':
        return action.copy.step.timeoutMs + PACK_DEADLINE_MS;
      case 'collect':
        return COLLECT_DEADLINE_MS;
      case 'notify':
        return this.#host.notifier(action.notifier)?.timeoutMs ?? 0;
      case 'deliver':
      case 'keep':
      case 'report':
        return DELIVER_DEADLINE_MS;
    }
  }

  async #perform(operation: Operation, signal: AbortSignal): Promise<Outcome> {
    const { action } = operation;
    switch (action.kind) {
      case 'deliver':
        return await this.#deliver(action, signal);
      case 'takeUp':
      case 'activate':
      case 'step':
        return await this.#step(operation, action.step, signal);
      case 'restore':
        return await this.#restore(operation, action, signal);
      case 'keep':
        return await this.#keep(action, signal);
      case 'rehearse':
        return await this.#rehearse(operation, action, signal);
      case 'capture':
      case 'validate':
      case 'copy':
        return await this.#point(operation, action, signal);
      case 'collect':
        return await collectContent(this.#host.neededContent(), this.#pointWork(operation, signal));
      case 'notify':
        return await this.#notify(action, signal);
      case 'report':
        return await this.#report(action.incident);
    }
  }

  async #deliver({ document, changes }: DeliverAction, signal: AbortSignal): Promise<Outcome> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DELIVER_DEADLINE_MS)]);
    const edits = changes.map(({ entry, after }) => ({ entry, value: after }));
    try {
      const { digest } = await this.#host.hands.places[document.kind].write(document, edits, deadline);
      return { outcome: 'done', detail: `wrote ${documentKey(document)}`, digest };
    } catch (error) {
      if (error instanceof PlaceError) return { outcome: 'failed', detail: error.message };
      throw error;
    }
  }

  async #step(operation: Operation, step: Step, signal: AbortSignal): Promise<Outcome> {
    if (!isHostStep(step)) return { outcome: 'failed', detail: `a step of kind ${step.kind} has no driver` };
    const { hands, record, log } = this.#host;
    const fingerprint = await hands.steps.prepare(step, signal);
    record({ type: 'operation.running', id: operation.id, fingerprint });
    faultPoint(`running:${operation.action.kind}`);
    const { outcome, detail } = await hands.steps.perform(step, {
      signal,
      operation: operation.id,
      once: this.#onceOf(operation),
      secrets: hands.secrets,
      log: (line) => log(operation.id, line),
      remember: (latest) => record({ type: 'operation.running', id: operation.id, fingerprint: latest }),
    });
    return { outcome, detail: hands.secrets.redact(detail) };
  }

  /** Numbers of incidents and operations begin anew on each host and with each store, so host and time belong to it. */
  #onceOf(operation: Operation, part = ''): string {
    const { id, plannedAt } = firstAttempt(operation);
    return createHash('sha256')
      .update(JSON.stringify([this.#host.hostName, id, plannedAt, part]))
      .digest('hex')
      .slice(0, 32);
  }

  async #restore(operation: Operation, action: RestoreAction, signal: AbortSignal): Promise<Outcome> {
    const { hands, record, log } = this.#host;
    const driver = hands.targets[action.target.type.kind];
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.min(action.timeoutMs, LONGEST_TIMER_MS))]);
    const fingerprint = await driver.prepare(action, deadline);
    record({ type: 'operation.running', id: operation.id, fingerprint });
    faultPoint('running:restore');
    const context = {
      signal: deadline,
      operation: operation.id,
      log: (line: string) => log(operation.id, line),
      perform: async (step: Step, cwd?: string) => await this.#performWithin(operation, step, deadline, cwd),
      onPhase: (phase: MergePhase) => void this.#phases.set(action.target.name, phase),
      ...(action.snapshot === undefined ? {} : { store: await this.#host.content() }),
    };
    const { outcome, detail, ...rest } = await driver
      .restore(action, context)
      .finally(() => this.#phases.delete(action.target.name));
    const digest = 'state' in rest && rest.state !== undefined ? { digest: rest.state } : {};
    const merge = 'merge' in rest && rest.merge !== undefined ? { merge: rest.merge } : {};
    return { outcome, detail: hands.secrets.redact(detail), ...digest, ...merge };
  }

  async #point(operation: Operation, action: PointAction, signal: AbortSignal): Promise<Outcome> {
    const { hands, record } = this.#host;
    record({ type: 'operation.running', id: operation.id, fingerprint: null });
    faultPoint(`running:${action.kind}`);
    try {
      const found = await this.#workOnPoint(operation, action, signal);
      return { ...found, detail: hands.secrets.redact(found.detail) };
    } finally {
      if (action.kind !== 'copy') this.#progress.delete(action.point);
    }
  }

  /** The program of a copy keeps the deadline of its step. */
  async #workOnPoint(operation: Operation, action: PointAction, signal: AbortSignal): Promise<Outcome> {
    if (action.kind === 'copy') return await copyPoint(action, this.#pointWork(operation, signal));
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.min(action.timeoutMs, LONGEST_TIMER_MS))]);
    const work = this.#pointWork(operation, deadline, action.point);
    return action.kind === 'capture' ? await capturePoint(action, work) : await validatePoint(action, work);
  }

  #pointWork(operation: Operation, signal: AbortSignal, point?: PointId): PointWork {
    const { hands, hostName, content, room, scratch, now, log, check } = this.#host;
    return {
      signal,
      hostName,
      operation: operation.id,
      targets: hands.targets,
      content,
      room,
      scratch,
      now,
      log: (line) => log(operation.id, line),
      ask: check,
      progress: (done) => {
        if (point !== undefined) this.#progress.set(point, done);
      },
      perform: async (step) => await this.#performWithin(operation, step, signal, undefined),
    };
  }

  /** A step of a target's own, which belongs to the operation that moves the target. */
  async #performWithin(operation: Operation, step: Step, signal: AbortSignal, cwd: string | undefined) {
    const { hands, log } = this.#host;
    if (!isHostStep(step))
      return { outcome: 'failed', code: 'notSupported', detail: `${step.kind} is a decision` } as const;
    const placed = step.kind === 'run' && step.cwd === undefined && cwd !== undefined ? { ...step, cwd } : step;
    log(operation.id, hands.steps.describe(placed));
    return await hands.steps.perform(placed, {
      signal,
      operation: operation.id,
      once: this.#onceOf(operation, describeStep(step)),
      secrets: hands.secrets,
      log: (line) => log(operation.id, line),
      // The fingerprint is the move's own: after a crash the target is asked, not its steps.
      remember: () => undefined,
    });
  }

  async #rehearse(operation: Operation, action: RehearseAction, signal: AbortSignal): Promise<Outcome> {
    const { hands, record, log, check, scratchDir, content } = this.#host;
    const { id } = operation;
    record({ type: 'operation.running', id, fingerprint: null });
    faultPoint('running:rehearse');
    await rehearse({
      action,
      operation: id,
      hands,
      check,
      content,
      scratch: join(scratchDir, action.run.replaceAll(/[^A-Za-z0-9@.-]/g, '-')),
      elapsed: () => performance.now(),
      note: (rung, item) => {
        if (signal.aborted) return;
        record({ type: 'drill.rehearsed', drill: action.drill, run: action.run, rung, item });
        faultPoint('rehearsed');
      },
      log: (line) => log(id, line),
      perform: async (step, until, cwd) => await this.#performWithin(operation, step, until, cwd),
      signal,
    });
    return signal.aborted ? { outcome: 'failed', detail: 'it was ended' } : { outcome: 'done', detail: '' };
  }

  async #keep({ target, commits }: KeepAction, signal: AbortSignal): Promise<Outcome> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DELIVER_DEADLINE_MS)]);
    try {
      await this.#host.hands.targets[target.type.kind].keep(target, commits, deadline);
      return { outcome: 'done', detail: `${commits.length} kept` };
    } catch (error) {
      if (error instanceof TargetError) return { outcome: 'failed', detail: error.message };
      throw error;
    }
  }

  async #notify({ notifier: name, notification }: NotifyAction, signal: AbortSignal): Promise<Outcome> {
    const notifier = this.#host.notifier(name);
    if (notifier === undefined) return { outcome: 'failed', detail: `there is no notifier ${name} any more` };
    const { hands, hostName, now, readReport } = this.#host;
    const { topic, incident } = notification;
    const report = topic === 'report' && incident !== undefined ? readReport(incident) : undefined;
    const message = { ...notification, host: hostName, ...(report === undefined ? {} : { report }) };
    const delivery = await hands.send(notifier, message, { signal, secrets: hands.secrets, now });
    const detail = hands.secrets.redact(delivery.detail);
    if (delivery.outcome === 'delivered') return { outcome: 'done', detail };
    const { retry, retryAfterMs } = delivery;
    return {
      outcome: 'failed',
      detail,
      ...(retry ? {} : { final: true }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  async #report(incident: string): Promise<Outcome> {
    try {
      const path = await this.#host.writeReport(incident);
      return { outcome: 'done', detail: path, written: { type: 'report.written', incident, path } };
    } catch (error) {
      return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** Whatever it goes through has a deadline of its own, and they come one after the other. */
function rehearsalDeadlineMs({ rungs }: RehearseAction): Millis {
  const steps = rungs.flatMap((rung) => rung.steps);
  return steps.reduce((sum, { step }) => sum + step.timeoutMs, REHEARSAL_DEADLINE_MS);
}

/** The reason of an abort that a person asked for: the point is not wanted any more. */
class CaptureCancelled extends Error {
  override readonly name = 'CaptureCancelled';
}

/** The reason of an abort that a person or a decision asked for. */
class StepKilled extends Error {
  override readonly name = 'StepKilled';
}

function afterKill(performed: Outcome, { reason }: AbortSignal): Outcome {
  if (reason instanceof CaptureCancelled && performed.outcome !== 'done') {
    return { outcome: 'failed', detail: `cancelled: ${reason.message}` };
  }
  if (!(reason instanceof StepKilled) || performed.outcome === 'done') return performed;
  return { outcome: 'unknown', detail: `killed: ${reason.message}` };
}

/** A write or a step may still take effect; a reload, a message or a report is made again in any case. */
function givenUp({ action }: Operation, limitMs: Millis): Outcome {
  const outcome =
    action.kind === 'deliver' || action.kind === 'step' || action.kind === 'restore' ? 'unknown' : 'failed';
  return { outcome, detail: `given up after ${formatDuration(limitMs)}: it neither ended nor could be stopped` };
}
