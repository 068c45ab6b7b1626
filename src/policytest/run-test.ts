import { approveRung, overrideApproval, rejectRung } from '../core/approval-commands.ts';
import type { Event, EventSpec } from '../core/event.ts';
import type { Origin } from '../core/model/origin.ts';
import {
  abortIncident,
  adopt,
  answerIncident,
  CommandError,
  liftHold,
  overrideFlag,
} from '../core/operator-commands.ts';
import { takePoint } from '../core/points/point-commands.ts';
import { beginRollback } from '../core/rollback-command.ts';
import type { Millis } from '../core/units.ts';
import { type Difference, judge } from './judge.ts';
import type { Expectation, PeopleEvent, PolicyTest, TestEvent, WorldEvent } from './policy-test.ts';
import { BEGINNING, type Mark, markOf } from './view.ts';
import { RestlessError, VirtualHost } from './virtual-host.ts';

/** No test has more instants at which something is decided. */
export const MOST_INSTANTS = 100_000;

export type TestResult = {
  readonly name: string;
  readonly origin: Origin;
  readonly failures: readonly Failure[];
  /** How many expectations were judged. */
  readonly judged: number;
  /** Everything that happened. */
  readonly log: readonly Event[];
};

export type Failure = {
  /** Of the expectation, or of the event that could not be. */
  readonly origin: Origin;
  /** From the start of the test. */
  readonly at: Millis;
  readonly message: string;
  readonly differences: readonly Difference[];
  /** What happened since the expectation before it, or all if that says too little: positions in `log`. */
  readonly since: number;
  readonly until: number;
};

/** Runs a test from its start to its end, in simulated time. */
export function runTest(test: PolicyTest): TestResult {
  return new TestRun(test).run();
}

/** Told of each instant at which the sources delivered, once everything of it was done. */
export type OnInstant = (host: VirtualHost) => void;

export class TestRun {
  readonly #test: PolicyTest;
  readonly #host: VirtualHost;
  readonly #events: TestEvent[];
  readonly #expectations: Expectation[];
  readonly #failures: Failure[] = [];
  readonly #onInstant: OnInstant;
  #mark: Mark = BEGINNING;
  #nextSample = 0;
  #judged = 0;
  #stopped = false;

  constructor(test: PolicyTest, onInstant: OnInstant = () => undefined) {
    this.#test = test;
    this.#events = [...test.events];
    this.#expectations = [...test.expectations];
    this.#host = new VirtualHost(test);
    this.#onInstant = onInstant;
  }

  run(): TestResult {
    for (let instants = 0; !this.#stopped; instants += 1) {
      const now = this.#nextInstant();
      if (now > this.#test.endAt) break;
      if (instants >= MOST_INSTANTS) {
        this.#fail(this.#test.origin, `the test does not end: more than ${MOST_INSTANTS} instants`);
        break;
      }
      this.#live(now);
    }
    const { name, origin } = this.#test;
    return { name, origin, failures: this.#failures, judged: this.#judged, log: this.#host.log };
  }

  #nextInstant(): Millis {
    return Math.min(
      this.#sampleAt(),
      this.#events[0]?.at ?? Number.POSITIVE_INFINITY,
      this.#expectations[0]?.time ?? Number.POSITIVE_INFINITY,
      this.#host.wakeAt ?? Number.POSITIVE_INFINITY,
    );
  }

  #sampleAt(): Millis {
    return this.#test.startAt + this.#nextSample * this.#test.intervalMs;
  }

  /** At one instant: what befalls the host, its samples, what people do, and then what is expected. */
  #live(now: Millis): void {
    try {
      this.#host.passTo(now);
      const events = this.#dueEvents(now);
      for (const event of events) if (isWorldEvent(event)) this.#host.befall(event);
      const sampled = now === this.#sampleAt();
      if (sampled) {
        this.#host.sample(this.#nextSample);
        this.#nextSample += 1;
      }
      this.#host.settle();
      for (const event of events) if (!isWorldEvent(event)) this.#command(event);
      if (sampled) this.#onInstant(this.#host);
      this.#judgeDue(now);
    } catch (error) {
      if (!(error instanceof RestlessError)) throw error;
      this.#fail(this.#test.origin, error.message);
      this.#stopped = true;
    }
  }

  #dueEvents(now: Millis): TestEvent[] {
    const due = this.#events.filter(({ at }) => at <= now);
    this.#events.splice(0, due.length);
    return due;
  }

  #command(event: TestEvent & PeopleEvent): void {
    const isRefusal = 'refused' in event && event.refused;
    try {
      doAsPeople(this.#host, event);
      this.#host.settle();
      if (isRefusal) this.#fail(event.origin, `\`${event.kind}\` is not refused`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (isRefusal) return;
      this.#fail(event.origin, `\`${event.kind}\` is refused: ${error.message}`);
      this.#stopped = true;
    }
  }

  #judgeDue(now: Millis): void {
    for (let next = this.#expectations[0]; next !== undefined && !this.#stopped; next = this.#expectations[0]) {
      if (next.when === 'at' && now < next.time) return;
      const differences = judge(this.#host, next.raw, this.#mark);
      if (differences.length > 0 && now < next.time) return;
      const when = next.when === 'at' ? '' : ', nor before since the last expectation';
      if (differences.length > 0) this.#fail(next.origin, `it is not as expected${when}`, differences);
      this.#judged += 1;
      this.#expectations.shift();
      this.#mark = markOf(this.#host);
    }
  }

  #fail(origin: Origin, message: string, differences: readonly Difference[] = []): void {
    const at = this.#host.now - this.#test.startAt;
    const until = this.#host.log.length;
    this.#failures.push({ origin, at, message, differences, since: this.#mark.events, until });
  }
}

const WORLD: readonly TestEvent['kind'][] = ['fail', 'silent', 'check', 'edit', 'kill'];

function isWorldEvent(event: TestEvent): event is TestEvent & WorldEvent {
  return WORLD.includes(event.kind);
}

const ACTOR = 'test';

function doAsPeople(host: VirtualHost, event: PeopleEvent): void {
  const situation = { desired: host.desired, memory: host.memory, now: host.now, actor: ACTOR };
  switch (event.kind) {
    case 'commit':
      return host.commit(event.desired);
    case 'halt':
      return host.halt(event.reason);
    case 'resume':
      return host.resume();
    case 'restart':
      return host.restart(event.awayMs);
    case 'lift':
      return host.record(...liftHold(situation, event.hold, undefined));
    case 'adopt':
      return host.record(...adopt(situation, event.object));
    case 'answer':
      return host.record(...answerIncident(situation, event.incident, event.answer));
    case 'abort':
      return host.record(...abortIncident(situation, event.incident, undefined));
    case 'approve':
    case 'reject':
      return host.record(...answerAsPerson(host, event));
    case 'rollback': {
      const { policy, rung, force } = event;
      const request = { policy, force, reason: 'the test says so', ...(rung === undefined ? {} : { rung }) };
      return host.record(...beginRollback(situation, request));
    }
    case 'take':
      return host.record(...takePoint(situation, { policy: event.policy, cause: { kind: 'command', by: ACTOR } }));
    case 'override': {
      const { flag, variant, ttlMs, force } = event;
      return host.record(...overrideFlag(situation, { flag, variant, ttlMs, force, reason: 'the test says so' }));
    }
  }
}

type PersonEvent = Extract<PeopleEvent, { kind: 'approve' | 'reject' }>;

function answerAsPerson(host: VirtualHost, event: PersonEvent): EventSpec[] {
  const { memory, checks, now } = host;
  const situation = { memory, checks, now, person: event.person };
  const answer = { reason: 'the test says so' };
  if (event.kind === 'reject') return rejectRung(situation, event.incident, answer);
  return event.override
    ? overrideApproval(situation, event.incident, answer)
    : approveRung(situation, event.incident, answer);
}
