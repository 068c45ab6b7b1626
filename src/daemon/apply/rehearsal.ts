import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RehearseAction } from '../../core/model/action.ts';
import type { Check, CheckResult } from '../../core/model/check.ts';
import { describeCheck } from '../../core/model/describe-check.ts';
import type { Examination, PlannedRung, PlannedStep, RehearsalOutcome, RehearsedItem } from '../../core/model/drill.ts';
import { documentPath, type FlagPlace } from '../../core/model/flag.ts';
import { describeStep, type Step } from '../../core/model/step.ts';
import { activationOf, buildOf, shortCommit, type Target } from '../../core/model/target.ts';
import type { Millis } from '../../core/units.ts';
import type { StepOutcome } from '../../drivers/steps/step-driver.ts';
import type { TargetOrder } from '../../drivers/targets/target-driver.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import type { Hands } from './hands.ts';
import { isHostStep } from './host-step.ts';

/** Looking at one thing must not take longer, whatever the thing itself may take. */
const EXAMINE_DEADLINE_MS: Millis = 30_000;
/** Details stand in the log and in memory. */
const LONGEST_DETAIL = 2_000;

export type Rehearsal = {
  readonly action: RehearseAction;
  /** The operation's id. */
  readonly operation: string;
  readonly hands: Pick<Hands, 'steps' | 'targets' | 'places' | 'allow' | 'secrets'>;
  /** Makes one check, of any kind; never rejects. */
  readonly check: (check: Check) => Promise<Pick<CheckResult, 'outcome' | 'detail'>>;
  /** Where the content of points is. */
  readonly content: () => Promise<ContentStore>;
  /** Where drivers get a folder of their own, which goes when the drill ends. */
  readonly scratch: string;
  readonly elapsed: () => Millis;
  /** Writes one thing down that was gone through; durable when it returns. */
  readonly note: (rung: string, item: RehearsedItem) => void;
  readonly log: (line: string) => void;
  readonly perform: (step: Step, signal: AbortSignal, cwd?: string) => Promise<StepOutcome>;
  readonly signal: AbortSignal;
};

/**
 * Goes through the rungs of a drill, one thing after the other as a rollback would. Whatever is found, the rest is gone
 * through too: a drill is to show all that is wrong. Ends early only if the signal aborts.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<void> {
  const { action, scratch } = rehearsal;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    for (const rung of action.rungs) await rehearseRung(rehearsal, rung);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function rehearseRung(rehearsal: Rehearsal, { rung, when, steps, checks }: PlannedRung): Promise<void> {
  const note = async (work: AsyncGenerator<Item>): Promise<void> => {
    for await (const item of work) rehearsal.note(rung, item);
  };
  for (const check of when) await note(checkItem(rehearsal, check, 'when'));
  for (const planned of steps) await note(stepItems(rehearsal, planned));
  for (const check of checks) await note(checkItem(rehearsal, check, 'verify'));
}

type Item = RehearsedItem;

async function* checkItem(rehearsal: Rehearsal, check: Check, place: 'when' | 'verify'): AsyncGenerator<Item> {
  if (rehearsal.signal.aborted) return;
  const summary = `${place}: ${describeCheck(check)}`;
  yield await timed(rehearsal, 'check', summary, async () => {
    const { outcome, detail } = await rehearsal.check(check);
    // That a check is false while all is well says nothing of the time after the rung.
    return { outcome: outcome === 'unknown' ? 'unknown' : 'ready', detail: `${outcome} now: ${detail}` };
  });
}

async function* stepItems(rehearsal: Rehearsal, planned: PlannedStep): AsyncGenerator<Item> {
  const { step, part, known, move, places } = planned;
  const prefix = part === 'onFailure' ? 'onFailure: ' : '';
  if (known !== undefined) {
    yield await timed(rehearsal, 'step', `${prefix}${describeStep(step)}`, () => Promise.resolve(known));
  } else if (move !== undefined && step.kind === 'restore') {
    const order = { ...move, paths: step.paths, ...(step.rows === undefined ? {} : { rows: step.rows }) };
    yield* moveItems(
      rehearsal,
      planned,
      order,
      `${prefix}${describeStep(step)}, ${move.snapshot === undefined ? shortCommit(move.to) : move.to}`,
    );
  } else if (places !== undefined) {
    yield* placeItems(rehearsal, places, `${prefix}${describeStep(step)}`);
  } else {
    yield* examined(rehearsal, step, `${prefix}${describeStep(step)}`);
  }
}

async function* examined(rehearsal: Rehearsal, step: Step, summary: string): AsyncGenerator<Item> {
  if (rehearsal.signal.aborted || !isHostStep(step)) return;
  yield await timed(rehearsal, 'step', summary, (signal) => rehearsal.hands.steps.examine(step, signal));
}

async function* moveItems(
  rehearsal: Rehearsal,
  { step, part }: PlannedStep,
  order: TargetOrder,
  summary: string,
): AsyncGenerator<Item> {
  const { hands, action } = rehearsal;
  const { target } = order;
  const driver = hands.targets[target.type.kind];
  const isReal = action.mode === 'scratch' && part === 'do';
  const found = await timed(rehearsal, 'step', summary, (signal) => driver.examine(order, signal));
  yield found;
  if (isReal && found.outcome === 'successful') {
    yield await timed(rehearsal, 'step', `${summary}, in a scratch folder`, async () => {
      if (driver.rehearse === undefined) {
        return { outcome: 'unknown', detail: `not rehearsed: targets of type ${target.type.kind} cannot be yet` };
      }
      return await driver.rehearse(order, await rehearsalContext(rehearsal, step, target));
    });
  }
  yield* aroundMove(rehearsal, target, isReal);
}

/** What a move brings with it; a build that is rehearsed for real needs no look. */
async function* aroundMove(rehearsal: Rehearsal, target: Target, isBuilt: boolean): AsyncGenerator<Item> {
  const { quiesce } = target;
  for (const step of quiesce) yield* examined(rehearsal, step, `${target.name} quiesce: ${describeStep(step)}`);
  for (const step of isBuilt ? [] : buildOf(target)) {
    yield* examined(rehearsal, step, `${target.name} build: ${describeStep(step)}`);
  }
  for (const step of activationOf(target))
    yield* examined(rehearsal, step, `${target.name} activate: ${describeStep(step)}`);
}

async function rehearsalContext(rehearsal: Rehearsal, step: Step, { name, type }: Target) {
  const { operation, log, perform, check, scratch, signal: aborted } = rehearsal;
  const signal = AbortSignal.any([aborted, AbortSignal.timeout(step.timeoutMs)]);
  return {
    signal,
    operation,
    log,
    ask: check,
    folder: join(scratch, name),
    ...(type.kind === 'git' ? {} : { store: await rehearsal.content() }),
    perform: async (inner: Step, cwd?: string) => await perform(inner, signal, cwd),
  };
}

/** A flag is set where its places can be read, may be written, and can be made effective. */
async function* placeItems(rehearsal: Rehearsal, places: readonly FlagPlace[], summary: string): AsyncGenerator<Item> {
  if (rehearsal.signal.aborted) return;
  yield await timed(rehearsal, 'step', summary, async (signal) => {
    const findings = await Promise.all(places.map(async (place) => await examinePlace(rehearsal, place, signal)));
    const bad = findings.find(({ outcome }) => outcome !== 'ready');
    if (bad !== undefined) return bad;
    const seen = findings.map(({ detail }) => detail).join('; ');
    return { outcome: 'ready', detail: seen === '' ? 'it has no places' : seen };
  });
  for (const step of places.flatMap(({ takeUp }) => takeUp)) {
    yield* examined(rehearsal, step, `${summary}, then ${describeStep(step)}`);
  }
}

async function examinePlace(
  { hands }: Rehearsal,
  { document, entry }: FlagPlace,
  signal: AbortSignal,
): Promise<Examination> {
  const { container, path } = document;
  const refused = container === undefined ? hands.allow.mayWrite(path) : hands.allow.mayTouchContainer(container);
  if (refused !== undefined) return { outcome: 'obstacle', detail: refused };
  const reading = await hands.places[document.kind].read(document, [entry], signal);
  if (reading.state === 'unreadable') return { outcome: 'obstacle', detail: reading.message };
  const value = reading.values[entry];
  const shown = value === undefined ? 'has no such entry yet' : `is ${JSON.stringify(value)} now`;
  return { outcome: 'ready', detail: `${entry} in ${documentPath(document)} ${shown}` };
}

const OUTCOMES = {
  ready: 'successful',
  obstacle: 'failed',
  unknown: 'inconclusive',
} as const satisfies Record<Examination['outcome'], RehearsalOutcome>;

async function timed(
  { elapsed, signal, hands }: Rehearsal,
  what: Item['what'],
  summary: string,
  look: (signal: AbortSignal) => Promise<Examination>,
): Promise<Item> {
  const begun = elapsed();
  const { outcome, detail } = await look(AbortSignal.any([signal, AbortSignal.timeout(EXAMINE_DEADLINE_MS)]));
  return {
    what,
    summary,
    outcome: OUTCOMES[outcome],
    detail: hands.secrets.redact(detail).slice(0, LONGEST_DETAIL),
    durationMs: Math.round(elapsed() - begun),
  };
}
