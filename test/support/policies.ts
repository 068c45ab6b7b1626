import type { Check } from '../../src/core/model/check.ts';
import type { Desired } from '../../src/core/model/desired.ts';
import type { Drill } from '../../src/core/model/drill.ts';
import type { Flag } from '../../src/core/model/flag.ts';
import { NOTIFICATION_TOPICS, type Notifier } from '../../src/core/model/notifier.ts';
import type { Origin } from '../../src/core/model/origin.ts';
import { type Point, pointId, type Recovered, type Snapshot } from '../../src/core/model/point.ts';
import type { PointPolicy } from '../../src/core/model/point-policy.ts';
import type { RollbackPolicy, Rung, Verify } from '../../src/core/model/policy.ts';
import type { Step } from '../../src/core/model/step.ts';
import type { CodeTarget, GitTarget, Target } from '../../src/core/model/target.ts';
import type { Trigger } from '../../src/core/model/trigger.ts';

/** Building blocks for worlds in tests: small, complete, and changed where a test says so. */
export const ORIGIN: Origin = { file: 'policies.yaml', line: 1, column: 1 };

export function aFlag(change: Partial<Flag> = {}): Flag {
  return {
    name: 'fast-path',
    origin: ORIGIN,
    suspend: false,
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'on',
    safeVariant: 'off',
    digest: 'flag-1',
    drift: 'repair',
    deliver: [{ origin: ORIGIN, document: { kind: 'envFile', path: '/app.env' }, entry: 'FAST_PATH', takeUp: [] }],
    ...change,
  };
}

export function aTrigger(change: Partial<Trigger> = {}): Trigger {
  return {
    name: 'latency',
    origin: ORIGIN,
    digest: 'trigger-1',
    query: 'latency_seconds',
    threshold: { kind: 'above', value: 0.5 },
    forMs: 10_000,
    noData: 'hold',
    severity: 'critical',
    windowMs: 0,
    ...change,
  };
}

export function aVerify(change: Partial<Verify> = {}): Verify {
  return {
    settleMs: 5_000,
    withinMs: 60_000,
    forMs: 0,
    triggersClear: true,
    checks: [],
    onInconclusive: 'ask',
    ...change,
  };
}

export function setFlagOff(flag = 'fast-path'): Step {
  return { kind: 'setFlag', origin: ORIGIN, timeoutMs: 30_000, flag, to: { kind: 'safe' } };
}

export function aRun(argv: readonly string[], change: Partial<Extract<Step, { kind: 'run' }>> = {}): Step {
  return { kind: 'run', origin: ORIGIN, timeoutMs: 30_000, argv, env: {}, repeatable: true, unless: [], ...change };
}

export function aRung(change: Partial<Rung> = {}): Rung {
  return { name: 'flags', origin: ORIGIN, do: [setFlagOff()], onFailure: [], verify: aVerify(), ...change };
}

/** A check that a world answers by its key. */
export function aCheck(key: string): Check {
  return { key, origin: ORIGIN, kind: 'run', argv: [key], env: {}, timeoutMs: 5_000 };
}

export function aPolicy(change: Partial<RollbackPolicy> = {}): RollbackPolicy {
  return {
    name: 'guard',
    origin: ORIGIN,
    suspend: false,
    triggers: [aTrigger()],
    match: { kind: 'any' },
    ladder: [aRung()],
    cooldownMs: 600_000,
    notify: [],
    release: { kind: 'onFlagChange' },
    ...change,
  };
}

export function aDesired(change: Partial<Desired> = {}): Desired {
  return {
    revision: 'rev-1',
    metricSources: {},
    flags: { 'fast-path': aFlag() },
    policies: { guard: aPolicy() },
    notifiers: {},
    targets: {},
    adopt: 'ask',
    ...change,
  };
}

export function aTarget(
  change: Partial<Omit<Target, 'type'>> & { readonly type?: Partial<GitTarget> } = {},
): CodeTarget {
  const { type, ...rest } = change;
  return {
    name: 'code',
    origin: ORIGIN,
    suspend: false,
    quiesce: [],
    checks: [],
    ...rest,
    type: { kind: 'git', path: '/app', build: [], activate: [], bakeMs: 60_000, ...type },
  };
}

/** A database that is captured into points. */
export function aDatabase(change: Partial<Omit<Target, 'type'>> = {}): Target {
  return {
    name: 'database',
    origin: ORIGIN,
    suspend: false,
    quiesce: [],
    checks: [],
    ...change,
    type: { kind: 'sqlite', path: '/data/app.db' },
  };
}

/** What the flags are; all of them, or those that are named. */
export function aFlagsTarget(only: readonly string[] = []): Target {
  const type = { kind: 'flags', only } as const;
  return { name: 'flags', origin: ORIGIN, suspend: false, quiesce: [], checks: [], type };
}

export function aPointPolicy(change: Partial<PointPolicy> = {}): PointPolicy {
  return {
    name: 'nightly',
    origin: ORIGIN,
    suspend: false,
    targets: ['database'],
    consistency: 'live',
    timezone: 'UTC',
    take: { schedule: null, before: [], after: [] },
    ttlMs: null,
    retain: { last: 3 },
    prune: { maxFraction: 0.5, graceMs: 3_600_000 },
    compression: 'zstd',
    verify: null,
    copies: [],
    ...change,
  };
}

/** A valid point of `database`, begun at `at`. */
export function aPoint(at: number, change: Partial<Point> = {}): Point {
  const targets = change.targets ?? ['database'];
  return {
    id: pointId(at, change.policy ?? 'nightly', {}),
    metadata: {},
    policy: 'nightly',
    cause: { kind: 'schedule' },
    createdAt: at,
    completedAt: at + 1_000,
    ttlMs: null,
    state: 'valid',
    snapshots: targets.map((target) => aSnapshot(target, at)),
    pinned: null,
    failure: null,
    verifiedAt: at + 2_000,
    verify: null,
    pruned: null,
    ...change,
    targets,
  };
}

export function aRecovery(change: Partial<Recovered> = {}): Recovered {
  return { tables: 2, rows: 90, lostAndFound: 3, unreadablePages: 1, unreadableRows: 0, unmade: [], ...change };
}

export function aSnapshot(target: string, at: number): Snapshot {
  return {
    target,
    type: 'sqlite',
    manifest: `${target}@${at}`,
    from: at,
    to: at + 1_000,
    bytes: 1_000,
    storedBytes: 100,
    compression: 'zstd',
    encrypted: false,
    fingerprint: `${target}@${at}`,
  };
}

export function aRestore(change: Partial<Extract<Step, { kind: 'restore' }>> = {}): Step {
  return {
    kind: 'restore',
    origin: ORIGIN,
    timeoutMs: 60_000,
    target: 'code',
    to: { kind: 'lastGood' },
    paths: [],
    ...change,
  };
}

export function aService(unit: string, verb: 'start' | 'stop' | 'restart'): Step {
  return { kind: 'service', origin: ORIGIN, timeoutMs: 30_000, service: { kind: 'unit', unit }, do: { kind: verb } };
}

export function aNotifier(change: Partial<Notifier> = {}): Notifier {
  return {
    name: 'oncall',
    origin: ORIGIN,
    suspend: false,
    on: NOTIFICATION_TOPICS,
    timeoutMs: 10_000,
    type: { kind: 'webhook', url: 'http://127.0.0.1:1/', headers: {} },
    ...change,
  };
}

export function aDrill(change: Partial<Drill> = {}): Drill {
  return {
    name: 'monthly',
    origin: ORIGIN,
    suspend: false,
    schedule: '0 3 1 * *',
    timezone: 'UTC',
    policy: 'guard',
    rungs: null,
    mode: 'dryRun',
    notify: [],
    ...change,
  };
}
