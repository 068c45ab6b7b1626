import type { Person } from '../core/model/approval.ts';
import type { Desired, PolicySet } from '../core/model/desired.ts';
import type { PolicyFile } from '../core/model/revision.ts';
import { nearestName } from '../core/nearest-name.ts';
import { mapValues } from '../core/record.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import { type BuildContext, durationAt, fault, faultAtKey, valueOrigin } from '../policy/build-context.ts';
import { formatDiagnostic } from '../policy/format-diagnostic.ts';
import type { LoadResult } from '../policy/load.ts';
import { buildInputs } from './build-input.ts';
import { checkNames } from './check-names.ts';
import { applyCommit, documentNames } from './commit-patch.ts';
import { namesIn } from './known-names.ts';
import type { EventKind, Expectation, PolicyTest, TestEvent } from './policy-test.ts';
import type { CommitPatch, RawApproving, RawEvent, RawPolicyTest, RawTestSpec } from './raw-test.ts';

/** The policies of the folder, and how a changed folder is loaded for the same host. */
export type TestPolicies = {
  readonly files: readonly PolicyFile[];
  readonly first: PolicySet;
  readonly load: (files: readonly PolicyFile[], revision: string) => LoadResult;
};

const DEFAULT_START = '2026-01-01T00:00:00Z';
const DEFAULT_INTERVAL_MS: Millis = 15_000;

/** More values of one series than a test can need; a longer test has a longer interval. */
export const MOST_SAMPLES = 20_000;

/** What is wrong is among the context's diagnostics; the test is then not to be run. */
export function buildTest(
  context: BuildContext,
  { metadata, spec }: RawPolicyTest,
  policies: TestPolicies,
): PolicyTest {
  const startAt = startOf(context, spec);
  const intervalMs = intervalOf(context, spec);
  const { events, revisions } = buildEvents(context, spec, policies, startAt);
  const known = namesIn([policies.first, ...revisions]);
  checkNames(context, spec, known);
  const expectations = buildExpectations(context, spec, startAt);
  return {
    name: metadata.name,
    origin: valueOrigin(context, ['metadata', 'name']),
    startAt,
    intervalMs,
    endAt: endOf(context, spec, { startAt, intervalMs, expectations }),
    desired: { ...policies.first, adopt: spec.adopt ?? 'ask' },
    inputs: buildInputs(context, spec.input ?? [], known),
    flags: spec.flags ?? {},
    documents: spec.documents ?? {},
    targets: mapValues(spec.targets ?? {}, ({ revision, good }) => ({
      revision: revision ?? 'first',
      good: good ?? [],
    })),
    events,
    expectations,
  };
}

function startOf(context: BuildContext, { start = DEFAULT_START }: RawTestSpec): Millis {
  const at = Date.parse(start);
  if (!Number.isNaN(at)) return at;
  fault(context, ['spec', 'start'], 'E-RANGE', {
    message: `\`start\` is no day of the calendar: ${start}`,
    found: start,
  });
  return Date.parse(DEFAULT_START);
}

function intervalOf(context: BuildContext, { interval }: RawTestSpec): Millis {
  return durationAt(context, ['spec', 'interval'], interval, DEFAULT_INTERVAL_MS, { ms: 1_000, text: '1s' });
}

function buildExpectations(context: BuildContext, { expect }: RawTestSpec, startAt: Millis): readonly Expectation[] {
  let latest = startAt;
  return expect.map((raw, index) => {
    const when = raw.at === undefined ? 'within' : 'at';
    const path = ['spec', 'expect', index];
    const time = startAt + durationAt(context, [...path, when], raw[when], 0);
    if (time < latest) {
      const message = `expectations stand in the order of their times: ${raw[when]} comes after ${formatDuration(latest - startAt)}`;
      fault(context, [...path, when], 'E-ORDER', message);
    }
    latest = Math.max(latest, time);
    return { origin: valueOrigin(context, path), when, time, raw };
  });
}

type Span = {
  readonly startAt: Millis;
  readonly intervalMs: Millis;
  readonly expectations: readonly Expectation[];
};

/** A test ends with its last expectation, or with its `duration`. */
function endOf(context: BuildContext, { duration }: RawTestSpec, { startAt, intervalMs, expectations }: Span): Millis {
  const last = Math.max(startAt, ...expectations.map(({ time }) => time));
  const endAt = duration === undefined ? last : startAt + durationAt(context, ['spec', 'duration'], duration, 0);
  if (endAt < last) {
    const message = `\`duration\` (${duration}) ends before the last expectation (${formatDuration(last - startAt)})`;
    fault(context, ['spec', 'duration'], 'E-RANGE', message);
  }
  const samples = (endAt - startAt) / intervalMs;
  if (samples > MOST_SAMPLES) {
    const message = `the test is too long: ${formatDuration(endAt - startAt)} at an interval of ${formatDuration(intervalMs)} are ${Math.floor(samples)} values, at most ${MOST_SAMPLES} are simulated; make \`interval\` longer`;
    fault(context, duration === undefined ? ['spec', 'expect'] : ['spec', 'duration'], 'E-LONG', message);
  }
  return endAt;
}

type Built = { readonly events: readonly TestEvent[]; readonly revisions: readonly PolicySet[] };

/** In the order of their time; commits build on each other. */
function buildEvents(context: BuildContext, spec: RawTestSpec, policies: TestPolicies, startAt: Millis): Built {
  const revisions: PolicySet[] = [];
  let { files } = policies;
  const commit = (path: readonly (string | number)[], patch: CommitPatch): Desired => {
    const patched = applyCommit(files, patch);
    const result = policies.load(patched.files, `test-${revisions.length + 2}`);
    if (result.ok) {
      ({ files } = patched);
      revisions.push(result.desired);
    } else refuseCommit(context, path, { files, absent: patched.absent, result });
    return { ...(revisions.at(-1) ?? policies.first), adopt: spec.adopt ?? 'ask' };
  };
  const timed = (spec.events ?? []).map((raw, index) => {
    const path = ['spec', 'events', index];
    return { raw, path, at: startAt + durationAt(context, [...path, 'at'], raw.at, 0) };
  });
  const events = timed
    .sort((a, b) => a.at - b.at)
    .map(({ raw, path, at }): TestEvent => {
      const kind = kindOf(context, path, raw, (patch) => commit(path, patch));
      return { at, origin: valueOrigin(context, path), ...kind };
    });
  return { events, revisions };
}

type RefusedCommit = {
  readonly files: readonly PolicyFile[];
  readonly absent: readonly string[];
  readonly result: Extract<LoadResult, { ok: false }>;
};

function refuseCommit(
  context: BuildContext,
  path: readonly (string | number)[],
  { files, absent, result }: RefusedCommit,
): void {
  for (const key of absent) {
    const suggestion = nearestName(key, documentNames(files));
    const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
    const message = `these policies have no ${key}, and what is given is no whole document${hint}`;
    faultAtKey(context, [...path, 'commit', key], 'E-COMMIT', {
      message,
      found: key,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  if (absent.length > 0) return;
  const [first] = result.diagnostics.filter(({ severity }) => severity === 'error');
  const why = first === undefined ? '' : `: ${formatDiagnostic(first)}`;
  faultAtKey(context, [...path, 'commit'], 'E-COMMIT', `this commit would be refused${why}`);
}

/** The schema has seen to it that there is exactly one. */
function kindOf(
  context: BuildContext,
  path: readonly (string | number)[],
  raw: RawEvent,
  commit: (patch: CommitPatch) => Desired,
): EventKind {
  const span = (key: string, inner: string, text: string | undefined): Millis =>
    durationAt(context, [...path, key, inner], text, 0);
  if (raw.commit !== undefined) return { kind: 'commit', desired: commit(raw.commit) };
  if (raw.halt !== undefined) return { kind: 'halt', reason: raw.halt };
  if (raw.lift !== undefined) return { kind: 'lift', hold: raw.lift };
  if (raw.adopt !== undefined) return { kind: 'adopt', object: raw.adopt === true ? undefined : raw.adopt };
  if (raw.answer !== undefined) return { kind: 'answer', incident: raw.answer.incident, answer: raw.answer.with };
  if (raw.abort !== undefined) return { kind: 'abort', incident: raw.abort };
  if (raw.approve !== undefined) {
    const { incident, override = false, refused = false } = raw.approve;
    return { kind: 'approve', incident, person: personIn(raw.approve), override, refused };
  }
  if (raw.reject !== undefined) {
    return { kind: 'reject', incident: raw.reject.incident, person: personIn(raw.reject) };
  }
  if (raw.rollback !== undefined) {
    const { policy, rung, force = false, refused = false } = raw.rollback;
    return { kind: 'rollback', policy, rung, force, refused };
  }
  if (raw.take !== undefined) return { kind: 'take', policy: raw.take };
  if (raw.restart !== undefined) {
    const awayMs = raw.restart === true ? 0 : durationAt(context, [...path, 'restart'], raw.restart, 0);
    return { kind: 'restart', awayMs };
  }
  if (raw.override !== undefined) {
    const { flag, variant, for: ttl, force = false } = raw.override;
    return { kind: 'override', flag, variant, force, ttlMs: ttl === undefined ? null : span('override', 'for', ttl) };
  }
  if (raw.kill !== undefined) {
    return { kind: 'kill', during: raw.kill.during ?? '', awayMs: span('kill', 'away', raw.kill.away) };
  }
  if (raw.fail !== undefined) {
    const { step, times = 1, outcome = 'failed' } = raw.fail;
    return { kind: 'fail', step, times, outcome };
  }
  if (raw.silent !== undefined) {
    return { kind: 'silent', source: raw.silent.source, forMs: span('silent', 'for', raw.silent.for) };
  }
  if (raw.check !== undefined) return { kind: 'check', of: raw.check.of, is: raw.check.is };
  if (raw.push !== undefined) return { kind: 'push', ...raw.push };
  if (raw.edit !== undefined) return { kind: 'edit', documents: raw.edit };
  return { kind: 'resume' };
}

function personIn({ by, roles = [] }: RawApproving): Person {
  return { name: by, isPerson: by !== 'root', roles };
}
