import * as fc from 'fast-check';
import type { Desired } from '../../src/core/model/desired.ts';
import type { Drill } from '../../src/core/model/drill.ts';
import type { Flag } from '../../src/core/model/flag.ts';
import type { IncidentAnswer } from '../../src/core/model/incident.ts';
import type { Notifier } from '../../src/core/model/notifier.ts';
import type { RollbackPolicy, Rung } from '../../src/core/model/policy.ts';
import type { Step } from '../../src/core/model/step.ts';
import type { Trigger } from '../../src/core/model/trigger.ts';
import {
  aCheck,
  aDrill,
  aFlag,
  aPolicy,
  aRestore,
  aRun,
  aRung,
  aService,
  aTarget,
  aTrigger,
  aVerify,
  ORIGIN,
  setFlagOff,
} from './policies.ts';

/** What may befall a host, in small worlds: two flags in one document, two policies with overlapping ladders. */
export const FLAGS = ['fast-path', 'other'] as const;
export const POLICIES = ['guard', 'ward'] as const;
export const DOCUMENT = 'envFile:/app.env';
const SECOND = 1_000;

export type Weather = 'breached' | 'between' | 'clear' | 'nan' | 'empty' | 'failed' | 'silent';

export type Move =
  | { readonly kind: 'live'; readonly seconds: number; readonly weather: readonly Weather[]; readonly healthy: boolean }
  | { readonly kind: 'commit'; readonly desired: Desired }
  /** A commit that changes the default of one flag, and nothing else. */
  | { readonly kind: 'flip'; readonly flag: string }
  | { readonly kind: 'outcomes'; readonly outcome: 'done' | 'failed' | 'unknown' }
  | { readonly kind: 'edit'; readonly entry: string; readonly value: string | null }
  /** Somebody pushes a revision to what the target tracks, or checks one out by hand. */
  | { readonly kind: 'push' | 'checkout'; readonly revision: string }
  | { readonly kind: 'jump'; readonly byMs: number }
  | { readonly kind: 'kill'; readonly begun: number }
  | { readonly kind: 'lift' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'approve' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'rollback'; readonly policy: string; readonly force: boolean }
  | { readonly kind: 'check'; readonly outcome: 'true' | 'false' | 'unknown' }
  /** An instant of the drill's schedule has come. */
  | { readonly kind: 'due' }
  | { readonly kind: 'adopt' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'halt' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'readable' }
  | { readonly kind: 'override'; readonly flag: string; readonly ttlMs: number }
  | { readonly kind: 'answer'; readonly answer: IncidentAnswer };

const someFlag = fc.constantFrom(...FLAGS);

function entryOf(flag: string): string {
  return flag.toUpperCase().replaceAll('-', '_');
}

export const anyFlag = (name: string): fc.Arbitrary<Flag> =>
  fc
    .record({
      suspend: often(false, true),
      defaultVariant: fc.constantFrom('on', 'off'),
      drift: fc.constantFrom('repair', 'report'),
      takeUp: fc.constantFrom<readonly Step[]>([], [aRun(['reload'])], [aRun(['reload']), aRun(['warm-up'])]),
    })
    .map(({ takeUp, ...rest }) =>
      aFlag({
        name,
        ...rest,
        digest: `${name}:${rest.defaultVariant}`,
        deliver: [{ origin: ORIGIN, document: { kind: 'envFile', path: '/app.env' }, entry: entryOf(name), takeUp }],
      }),
    );

const anyTrigger = (name: string): fc.Arbitrary<Trigger> =>
  fc
    .record({
      forMs: fc.constantFrom(0, 10 * SECOND),
      noData: often<Trigger['noData']>('hold', 'clear', 'fire'),
      severity: often<Trigger['severity']>('critical', 'warning'),
      hysteresis: fc.boolean(),
      decision: often<Trigger['decision']>(undefined, { fixForwardMs: 60 * SECOND }),
    })
    .map(({ hysteresis, decision, ...rest }) =>
      aTrigger({
        name,
        ...rest,
        ...(decision === undefined ? {} : { decision }),
        digest: JSON.stringify([name, rest, hysteresis, decision]),
        ...(hysteresis ? { clear: { threshold: { kind: 'below', value: 0.2 }, forMs: 10 * SECOND } } : {}),
      }),
    );

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  someFlag.map((flag) => setFlagOff(flag)),
  fc.boolean().map((repeatable) => aRun([repeatable ? 'again' : 'once'], { repeatable })),
  fc.constant(aRestore()),
);

const APPROVAL: NonNullable<Rung['approval']> = { roles: { dba: 1 }, withinMs: 120 * SECOND, onTimeout: 'escalate' };
const LOSS: NonNullable<Rung['dataLoss']> = {
  counts: [{ label: 'rows', measure: { key: 'rows', origin: ORIGIN, kind: 'query', expr: 'rows' } }],
};

const anyRung = (name: string): fc.Arbitrary<Rung> =>
  fc
    .record({
      do: fc.array(anyStep, { minLength: 1, maxLength: 2 }),
      onFailure: often<readonly Step[]>([], [aRun(['undo'])]),
      forMs: fc.constantFrom(0, 15 * SECOND),
      onInconclusive: fc.constantFrom('ask', 'next', 'done'),
      consent: often<Pick<Rung, 'approval' | 'dataLoss'>>(
        {},
        { approval: APPROVAL },
        { approval: APPROVAL, dataLoss: LOSS },
      ),
      when: often<Pick<Rung, 'when'>>({}, { when: [aCheck('ready')] }),
    })
    .map(({ forMs, onInconclusive, consent, when, ...rest }) =>
      aRung({ name, ...rest, ...consent, ...when, verify: aVerify({ withinMs: 30 * SECOND, forMs, onInconclusive }) }),
    );

export const anyPolicy = (name: string): fc.Arbitrary<RollbackPolicy> =>
  fc
    .record({
      suspend: often(false, true),
      triggers: fc.tuple(anyTrigger('latency'), anyTrigger('errors')),
      match: fc.constantFrom<RollbackPolicy['match']>({ kind: 'any' }, { kind: 'all' }),
      ladder: fc.oneof(fc.tuple(anyRung('first')), fc.tuple(anyRung('first'), anyRung('second'))),
      cooldownMs: fc.constantFrom(30 * SECOND, 120 * SECOND),
      limit: often<RollbackPolicy['limit']>(undefined, { rollbacks: 1, perMs: 600 * SECOND }),
      release: fc.constantFrom<RollbackPolicy['release']>(
        { kind: 'onFlagChange' },
        { kind: 'manual' },
        { kind: 'after', spanMs: 60 * SECOND },
      ),
    })
    .map(({ limit, ...rest }) =>
      aPolicy({ name, ...rest, notify: ['pager'], ...(limit === undefined ? {} : { limit }) }),
    );

const PAGER: Notifier = {
  name: 'pager',
  origin: ORIGIN,
  suspend: false,
  on: ['opened', 'rung', 'asking', 'resolved', 'exhausted', 'aborted', 'braked', 'warning', 'refused', 'drift'],
  timeoutMs: 10 * SECOND,
  type: { kind: 'command', argv: ['page'] },
};

const anyTarget = fc
  .record({
    tracks: fc.boolean(),
    quiesce: often<readonly Step[]>([], [aService('app.service', 'stop')]),
    activate: often<readonly Step[]>([], [aRun(['activate'])]),
    suspend: often(false, true),
  })
  .map(({ tracks, quiesce, activate, suspend }) => {
    const track = { remote: 'origin', ref: 'main', intervalMs: 5 * SECOND };
    return aTarget({ quiesce, suspend, type: { activate, bakeMs: 30 * SECOND, ...(tracks ? { track } : {}) } });
  });

const anyDrill: fc.Arbitrary<Drill> = fc
  .record({
    policy: fc.constantFrom(...POLICIES),
    mode: fc.constantFrom<Drill['mode']>('dryRun', 'scratch'),
    suspend: often(false, true),
    notify: often<readonly string[]>([], ['pager']),
  })
  .map(aDrill);

export const anyDesired: fc.Arbitrary<Desired> = fc
  .record({
    flags: fc.record({ 'fast-path': anyFlag('fast-path'), other: anyFlag('other') }, { requiredKeys: ['fast-path'] }),
    policies: fc.record({ guard: anyPolicy('guard'), ward: anyPolicy('ward') }, { requiredKeys: [] }),
    notifiers: often<Desired['notifiers']>({ pager: PAGER }, {}),
    targets: fc.record({ code: anyTarget }, { requiredKeys: [] }),
    drills: fc.record({ monthly: anyDrill }, { requiredKeys: [] }),
    adopt: often<Desired['adopt']>('ask', 'git'),
    revision: fc.constantFrom('rev-1', 'rev-2', 'rev-3'),
  })
  .map((desired) => ({ metricSources: {}, ...desired }));

const anyWeather = fc.constantFrom<Weather>(
  'breached',
  'breached',
  'breached',
  'clear',
  'clear',
  'clear',
  'between',
  'nan',
  'empty',
  'failed',
  'silent',
);

export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('live'),
      seconds: fc.constantFrom(5, 15, 40, 200),
      weather: fc.array(anyWeather, { minLength: 4, maxLength: 4 }),
      healthy: often(true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit'), desired: anyDesired }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flip'), flag: someFlag }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('outcomes'), outcome: fc.constantFrom('done', 'failed', 'unknown') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('edit'),
      entry: someFlag.map(entryOf),
      value: fc.constantFrom('true', 'false', 'maybe', null),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('push', 'checkout'),
      revision: fc.constantFrom('v1', 'v2', 'v3'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('jump'), byMs: fc.integer({ min: -7_200_000, max: 7_200_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('due') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill'), begun: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'lift',
        'abort',
        'adopt',
        'approve',
        'reject',
        'restart',
        'halt',
        'resume',
        'unreadable',
        'readable',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rollback'),
      policy: fc.constantFrom(...POLICIES),
      force: often(false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('check'), outcome: fc.constantFrom('true', 'false', 'unknown') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('override'), flag: someFlag, ttlMs: fc.constantFrom(10_000, 600_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('answer'), answer: fc.constantFrom('next', 'retry', 'done') }),
  },
);

/** The first value mostly, the others now and then. */
function often<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));
}
