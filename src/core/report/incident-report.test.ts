import { describe, expect, test } from 'vitest';
import { aDesired, aPolicy, aRun, aRung, aTrigger, aVerify } from '../../../test/support/policies.ts';
import { World } from '../../../test/support/world.ts';
import { buildIncidentReport, type ReadingPoint, type ReportInput } from './incident-report.ts';
import { reportHtml } from './report-html.ts';
import { reportMarkdown } from './report-markdown.ts';

const EVIL = `<script>alert(1)</script>" onload='x' \${x} | [a](b) \`c\` &`;

/** An incident whose first rung fails and whose second one helps, as a host lives through it. */
function lived(evil = ''): ReportInput {
  const ladder = [
    aRung({ verify: aVerify({ withinMs: 60_000 }) }),
    aRung({
      name: 'restart',
      do: [aRun(['systemctl', 'restart', `app${evil}.service`])],
      verify: aVerify({ withinMs: 600_000 }),
    }),
  ];
  const trigger = aTrigger({ query: `p95_seconds${evil}` });
  const guard = aPolicy({
    triggers: [trigger],
    ladder,
    rtoMs: 120_000,
    escalate: [{ afterMs: 30_000, notify: [`senior${evil}`] }],
  });
  const world = new World(aDesired({ policies: { guard } }), { 'envFile:/app.env': { FAST_PATH: 'true' } });
  const readings: ReadingPoint[] = [];
  const live = (seconds: number, value: number): void => {
    for (let passed = 0; passed < seconds; passed += 5) {
      world.live(5, value);
      readings.push({ at: world.now, mean: value, low: value, high: value });
    }
  };
  live(60, 0.1);
  live(90, 0.9);
  live(30, 0.1);
  const incident = Object.values(world.memory.incidents)[0];
  if (incident === undefined) throw new Error('there was no incident');
  return {
    incident,
    hostName: `web-1${evil}`,
    events: world.log
      .filter((event) => event.at >= incident.openedAt && event.type !== 'trigger.changed')
      .map((event) => ({ ...event, actor: `revertd${evil}` })),
    revisions: [],
    readings: [
      { key: `guard/latency${evil}`, trigger, readings },
      { key: 'guard/silent', trigger: aTrigger({ name: 'silent' }), readings: [] },
    ],
    until: world.now,
  };
}

describe('the report of an incident', () => {
  const report = buildIncidentReport(lived());
  const value = (name: string): string | undefined =>
    [...report.times, ...report.facts].find((fact) => fact.name === name)?.value;

  test('says how long detection, reaction and recovery took, and holds it against the objective', () => {
    expect(value('Detected after')).toBe('10s');
    expect(value('Reacted after')).toBe('0s from detection to the first step');
    expect(value('Recovered after')).toBe('1m30s, within the objective of 2m');
  });

  test('says what was done, how each rung was judged, and that nothing was lost', () => {
    expect(report.rungs).toMatchObject([
      { name: 'flags', result: 'failed', steps: [{ text: 'set flag fast-path to its safe variant', outcome: 'done' }] },
      {
        name: 'restart',
        result: 'successful',
        steps: [{ outcome: 'done' }],
        verification: ['guard/latency = 0.1, clear'],
      },
    ]);
    expect(value('Data lost')).toBe('none: nothing that was done loses data');
    expect(value('Flags')).toBe('fast-path → off');
    expect(value('Escalated')).toBe('level 1 after 30s: senior');
    expect(report.marks.map(({ label }) => label)).toEqual(['breached', 'flags', 'restart', 'resolved']);
  });

  test('says each thing once in its timeline', () => {
    const texts = report.timeline.map(({ text }) => text);
    expect(texts.filter((text) => text.includes('systemctl restart'))).toEqual([
      'step: run systemctl restart app.service',
      'step done: run systemctl restart app.service',
    ]);
    expect(texts.at(-1)).toBe('report written: /reports/INC-1.md');
  });

  test('tells of an open incident how it stands', () => {
    const { incident, ...rest } = lived();
    const open = { ...incident, phase: { kind: 'entering', rung: 1, since: 0, unsure: false } as const };
    const { state, times } = buildIncidentReport({ ...rest, incident: open });
    expect(state).toBe('open');
    expect(times.at(-1)).toEqual({ name: 'Not recovered', value: '1m55s, within the objective of 2m' });
  });
});

describe('as a page', () => {
  const html = reportHtml(buildIncidentReport(lived()));

  test('needs nothing from elsewhere, and runs nothing', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|javascript:|url\(|@import/i);
    expect(html.replaceAll('http-equiv', '')).not.toMatch(/https?:/);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('plots the readings against the threshold, in words too', () => {
    const svg = /<svg[^]*?<\/svg>/.exec(html)?.[0] ?? '';
    expect(svg).toContain('<title id="plot-0-t">guard/latency</title>');
    expect(svg).toContain('<desc id="plot-0-d">lowest 0.1, highest 0.9, last 0.1; threshold &gt; 0.5</desc>');
    expect(svg.match(/class="threshold"/g)).toHaveLength(1);
    expect(svg.match(/class="breach"/g)).toHaveLength(18);
    for (const label of ['breached', 'flags', 'restart', 'resolved']) expect(svg).toContain(`>${label}</text>`);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(html.match(/No values were read/g)).toHaveLength(1);
  });

  test('has room for people, each with a name', () => {
    const rooms = html.match(/<div class="room"[^>]*>/g) ?? [];
    expect(rooms.length).toBeGreaterThanOrEqual(8);
    for (const room of rooms) expect(room).toMatch(/aria-label="[^"]+"/);
  });

  test('shows what comes from outside as text, everywhere', () => {
    const evil = reportHtml(buildIncidentReport(lived(EVIL)));
    expect(evil).not.toMatch(/<script|onload='|" onload/i);
    expect(evil).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39;');
    // What was escaped is the same page: no tag more, no tag less, but for two lines that are longer.
    const tags = (page: string): number => page.match(/<[a-z]/gi)?.length ?? 0;
    expect(tags(evil)).toBe(tags(html));
  });
});

describe('in Markdown', () => {
  test('has its parts, and room for people', () => {
    const markdown = reportMarkdown(buildIncidentReport(lived()));
    const headings = markdown.split('\n').filter((line) => line.startsWith('#'));
    expect(headings).toEqual([
      '# INC-1: guard on web-1',
      '## What was breached',
      '## Times',
      '## What was done',
      '## Readings',
      '## Timeline',
      '## Left to people',
      '### Impact',
      '### Root cause',
      '### Lessons',
      '### Action items',
      '### Post-mortem',
    ]);
    expect(markdown).toContain('- Recovered after: 1m30s, within the objective of 2m');
  });

  test('shows what comes from outside as text', () => {
    const markdown = reportMarkdown(buildIncidentReport(lived(EVIL)));
    expect(markdown).not.toMatch(/(?<!\\)<script/);
    expect(markdown).not.toMatch(/(?<!\\)\[a\]/);
    for (const row of markdown.split('\n').filter((line) => line.startsWith('| '))) {
      expect(row.replaceAll(String.raw`\|`, '').split('|')).toHaveLength(6);
    }
  });
});
