import { describe, expect, test } from 'vitest';
import { aPolicy, ORIGIN } from '../../../test/support/policies.ts';
import type { Event } from '../event.ts';
import type { Latch } from '../model/hold.ts';
import type { Incident, IncidentOutcome } from '../model/incident.ts';
import { periodHtml } from './period-html.ts';
import { periodMarkdown } from './period-markdown.ts';
import { buildPeriodReport, type PeriodInput } from './period-report.ts';
import { formatBytes, periodRows } from './period-rows.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const NOW = 100 * DAY;

function anIncident(id: string, openedAt: number, tookMs: number | null, change: Partial<Incident> = {}): Incident {
  return {
    id,
    openedAt,
    revision: 'rev-1',
    policy: aPolicy({ rtoMs: 10 * MINUTE }),
    openedBy: [
      { trigger: 'guard/latency', value: 0.9, labels: {}, threshold: '> 0.5', breachedSince: openedAt - 30_000 },
    ],
    joined: [],
    conflictSet: [],
    rungEnteredAt: null,
    held: false,
    pausedAt: null,
    phase:
      tookMs === null
        ? { kind: 'entering', rung: 0, since: 0, unsure: false }
        : { kind: 'closed', outcome: 'resolved', at: openedAt - 30_000 + tookMs, reason: 'verified' },
    ...change,
  };
}

function eventsOf(incident: Incident): Event[] {
  const opened: Event = { at: incident.openedAt, type: 'incident.opened', incident };
  const { phase, id } = incident;
  if (phase.kind !== 'closed') return [opened];
  return [
    opened,
    { at: phase.at, type: 'incident.closed', incident: id, outcome: phase.outcome, reason: phase.reason },
  ];
}

function ended(outcome: IncidentOutcome, at: number): Pick<Incident, 'phase'> {
  return { phase: { kind: 'closed', outcome, at, reason: 'no rung is left' } };
}

const LATCH: Latch = {
  kind: 'latch',
  id: 'latch:fast-path:INC-3',
  object: 'Flag/fast-path',
  since: NOW - DAY,
  cause: 'INC-3',
  flag: 'fast-path',
  variant: 'off',
  incident: 'INC-3',
  origin: ORIGIN,
  lift: { kind: 'manual' },
};

const INCIDENTS = [
  anIncident('INC-1', NOW - 12 * DAY, 20 * MINUTE),
  anIncident('INC-2', NOW - 6 * DAY, 4 * MINUTE),
  anIncident('INC-3', NOW - 2 * DAY, 12 * MINUTE),
  anIncident('INC-4', NOW - DAY, null, ended('exhausted', NOW - DAY + MINUTE)),
  anIncident('INC-5', NOW - MINUTE, null),
];

const BRAKE = { kind: 'cooldown', until: NOW, reason: 'cooldown of 30m after INC-4' } as const;

function input(change: Partial<PeriodInput> = {}): PeriodInput {
  return {
    host: 'web-1',
    from: NOW - 7 * DAY,
    to: NOW,
    incidents: INCIDENTS,
    events: [
      ...INCIDENTS.flatMap(eventsOf),
      { at: NOW - 2 * DAY, type: 'hold.placed', hold: LATCH },
      { at: NOW - DAY, type: 'hold.placed', hold: { ...LATCH, variant: 'slow' } },
      { at: NOW - DAY, type: 'policy.braked', policy: 'guard', brake: BRAKE },
      { at: NOW - DAY, type: 'policy.braked', policy: 'guard', brake: BRAKE },
      { at: NOW - 9 * DAY, type: 'policy.braked', policy: 'guard', brake: BRAKE },
      {
        at: NOW - DAY,
        type: 'revision.refused',
        revision: null,
        code: 'unsigned',
        message: 'nobody signed it',
        diagnostics: [],
      },
      { at: NOW - DAY, type: 'notification.dropped', key: 'oncall/INC-4/opened', reason: 'not delivered within 1d' },
      // Of the next period: it is not counted.
      { at: NOW, type: 'policy.braked', policy: 'guard', brake: BRAKE },
    ],
    holds: [LATCH],
    storage: {
      bytes: 5_242_880,
      events: 1_000,
      readings: 20_000,
      points: { count: 2, content: 4_096, bytes: 1_024 },
    },
    ...change,
  };
}

describe('the report over a period', () => {
  const report = buildPeriodReport(input());

  test('counts rollbacks and recovery times, beside the period before', () => {
    expect(report.now).toMatchObject({
      rollbacks: 4,
      resolved: 2,
      exhausted: 1,
      medianRecoveryMs: 8 * MINUTE,
      worstRecoveryMs: 12 * MINUTE,
      withinRto: 1,
      beyondRto: 1,
      flagsLatched: 2,
      refusedActions: 2,
      refusedRevisions: 1,
      droppedMessages: 1,
    });
    expect(report.before).toMatchObject({ rollbacks: 1, medianRecoveryMs: 20 * MINUTE, refusedActions: 1 });
  });

  test('names incidents, flags and refusals', () => {
    expect(report.incidents.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      'INC-2 resolved',
      'INC-3 resolved',
      'INC-4 exhausted',
      'INC-5 open',
    ]);
    expect(report.flags).toEqual([{ flag: 'fast-path', changes: 2, last: 'latch to slow', lastAt: NOW - DAY }]);
    expect(report.refused).toEqual([
      { what: 'rollback of guard (cooldown)', times: 2, why: BRAKE.reason },
      { what: 'revision (unsigned)', times: 1, why: 'nobody signed it' },
      { what: 'message to oncall', times: 1, why: 'not delivered within 1d' },
    ]);
    expect(report.policies).toEqual([{ policy: 'guard', rollbacks: 4, braked: 2 }]);
  });

  test('says how it moved, and whether that is good', () => {
    const rows = periodRows(report.now, report.before);
    const row = (name: string) => rows.find((one) => one.name === name);
    expect(row('Rollbacks')).toEqual({ name: 'Rollbacks', now: '4', before: '1', trend: '+3', better: false });
    expect(row('Recovery, median')).toMatchObject({ now: '8m', before: '20m', trend: '-12m', better: true });
    expect(row('Halts')).toMatchObject({ trend: '', better: null });
  });

  test('of a time in which nothing happened has no figure that is none', () => {
    const quiet = buildPeriodReport(input({ events: [], incidents: [], holds: [] }));
    expect(quiet.now).toMatchObject({ rollbacks: 0, medianRecoveryMs: null, worstRecoveryMs: null });
    expect(periodRows(quiet.now, quiet.before).every(({ trend }) => trend === '')).toBe(true);
    expect(periodMarkdown(quiet)).not.toMatch(/NaN|undefined|null/);
    expect(periodHtml(quiet)).not.toMatch(/NaN|undefined|null/);
  });

  test('is a page of its own, in which everything is escaped', () => {
    const evil = buildPeriodReport(
      input({ host: '<script>x</script>', holds: [{ kind: '<b>', object: '"><img src=x>', since: NOW }] }),
    );
    const html = periodHtml(evil);
    expect(html).not.toMatch(/<script|<img|<b>&|https?:/i);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('<desc id="rd">INC-2 4m, INC-3 12m</desc>');
    expect(periodMarkdown(evil)).toContain(String.raw`\<script>`);
  });
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [5_242_880, '5.0 MiB'],
  [2 ** 50, '1024.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
