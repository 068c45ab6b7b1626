import { approveRung, rejectRung } from '../../src/core/approval-commands.ts';
import { isOpen } from '../../src/core/model/incident.ts';
import { triggerKey } from '../../src/core/model/trigger.ts';
import { abortIncident, adopt, answerIncident, CommandError, overrideFlag } from '../../src/core/operator-commands.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { mapValues } from '../../src/core/record.ts';
import { beginRollback } from '../../src/core/rollback-command.ts';
import { DOCUMENT, type Move, POLICIES, type Weather } from './random-world.ts';
import type { World } from './world.ts';

/** More rounds than any plan can need at one instant. */
const ROUNDS = 60;

/** Does one move; `round` makes each decision, so that a test can look at all of them. */
export function move(world: World, one: Move, round: (world: World) => Plan): void {
  switch (one.kind) {
    case 'live':
      for (let passed = 0; passed < one.seconds; passed += 5) {
        world.now += 5_000;
        read(world, one.weather, one.healthy);
        settle(world, round);
      }
      return;
    case 'commit':
      world.accept(one.desired);
      break;
    case 'flip':
      flip(world, one.flag);
      break;
    case 'outcomes':
      world.perform = (action) => ({
        outcome: one.outcome === 'unknown' && action.kind !== 'step' ? 'failed' : one.outcome,
        detail: '',
      });
      break;
    case 'edit':
      edit(world, one.entry, one.value);
      break;
    case 'due':
      world.drills = { monthly: { last: world.now, next: world.now + 3_600_000 } };
      break;
    case 'push':
    case 'checkout': {
      const before = world.checkouts['code'] ?? { head: one.revision };
      const change = one.kind === 'push' ? { tip: one.revision } : { head: one.revision };
      world.checkouts['code'] = { ...before, ...change };
      break;
    }
    case 'jump':
      world.now += one.byMs;
      // What was seen by the old clock tells nothing by the new one; here it moves along.
      world.drills = mapValues(world.drills, ({ last }) => ({
        last: last === null ? null : last + one.byMs,
        next: null,
      }));
      world.checks = mapValues(world.checks, (result) => ({ ...result, at: result.at + one.byMs }));
      world.measures = mapValues(world.measures, (result) => ({ ...result, at: result.at + one.byMs }));
      world.record({ type: 'clock.jumped', byMs: one.byMs });
      break;
    case 'kill':
      world.kill(one.begun);
      break;
    case 'restart':
      world.restart();
      break;
    case 'halt':
      world.halt = { since: world.now, by: 'ann', reason: 'looking' };
      break;
    case 'resume':
      world.halt = null;
      break;
    case 'unreadable':
      world.unreadable.add(DOCUMENT);
      break;
    case 'readable':
      world.unreadable.delete(DOCUMENT);
      break;
    case 'check':
      world.check('ready', one.outcome);
      break;
    default:
      command(world, one);
  }
  settle(world, round);
}

export function settle(world: World, round: (world: World) => Plan): void {
  for (let rounds = 0; rounds < ROUNDS; rounds += 1) {
    const plan = round(world);
    if (plan.actions.length === 0 && plan.events.length === 0) return;
  }
  throw new Error('the world does not come to rest');
}

type Command = Extract<
  Move,
  { kind: 'lift' | 'abort' | 'adopt' | 'override' | 'answer' | 'approve' | 'reject' | 'rollback' }
>;

function command(world: World, one: Command): void {
  const situation = { desired: world.desired, memory: world.memory, now: world.now, actor: 'ann' };
  const [open] = Object.values(world.memory.incidents).filter(isOpen);
  const [hold] = Object.values(world.memory.holds);
  switch (one.kind) {
    case 'lift':
      if (hold !== undefined) world.record({ type: 'hold.lifted', id: hold.id, object: hold.object, reason: 'ann' });
      return;
    case 'abort':
      if (open !== undefined) abortIncident(situation, open.id, undefined).forEach((spec) => world.record(spec));
      return;
    case 'adopt':
      adopt(situation, undefined).forEach((spec) => world.record(spec));
      return;
    case 'approve':
    case 'reject': {
      if (open?.phase.kind !== 'awaiting-approval' || open.phase.request === null) return;
      const person = { name: 'ann', isPerson: true, roles: ['dba'] };
      const asked = { memory: world.memory, checks: world.checks, now: world.now, person };
      const run = one.kind === 'approve' ? approveRung : rejectRung;
      attempt(() => run(asked, open.id, {}).forEach((spec) => world.record(spec)));
      return;
    }
    case 'rollback':
      attempt(() =>
        beginRollback(situation, { policy: one.policy, force: one.force, reason: 'trying' }).forEach((spec) =>
          world.record(spec),
        ),
      );
      return;
    case 'answer':
      if (open?.phase.kind !== 'asking') return;
      answerIncident(situation, open.id, one.answer).forEach((spec) => world.record(spec));
      return;
    case 'override': {
      if (world.desired.flags[one.flag] === undefined) return;
      const request = { flag: one.flag, variant: 'off', ttlMs: one.ttlMs, reason: 'trying', force: true };
      overrideFlag(situation, request).forEach((spec) => world.record(spec));
    }
  }
}

/** A command that is refused changes nothing. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
}

function flip(world: World, name: string): void {
  const flag = world.desired.flags[name];
  if (flag === undefined) return;
  const defaultVariant = flag.defaultVariant === 'on' ? 'off' : 'on';
  const changed = { ...flag, defaultVariant, digest: `${name}:${defaultVariant}` };
  const revision = `${world.desired.revision}'`;
  world.accept({ ...world.desired, revision, flags: { ...world.desired.flags, [name]: changed } });
}

function edit(world: World, entry: string, value: string | null): void {
  const { [entry]: _old, ...rest } = world.documents[DOCUMENT] ?? {};
  world.documents[DOCUMENT] = value === null ? rest : { ...rest, [entry]: value };
}

/** One reading of every trigger that may exist; each has its own weather. */
function read(world: World, weather: readonly Weather[], healthy: boolean): void {
  const keys = POLICIES.flatMap((policy) => ['latency', 'errors'].map((name) => triggerKey(policy, name)));
  for (const [index, trigger] of keys.entries()) {
    const kind = weather[index] ?? 'clear';
    if (kind === 'silent') continue;
    if (kind === 'failed') {
      world.reading(undefined, { trigger, healthy, result: { kind: 'failed', message: 'no such thing' } });
    } else world.reading(VALUES[kind], { trigger, healthy });
  }
}

const VALUES = { breached: 0.9, between: 0.3, clear: 0.1, nan: 'NaN', empty: undefined } as const;
