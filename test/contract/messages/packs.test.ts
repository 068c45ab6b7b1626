/** What the packs' messages bring to real receivers: an HTTP server and an SMTP server. Only time is simulated. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Arrived, listed, MessageStage } from '../../support/message-stage.ts';

const stage = await MessageStage.open();
afterAll(() => stage[Symbol.asyncDispose]());

const of = (arrived: readonly Arrived[], notifier: string, topic: string): Arrived | undefined =>
  arrived.find((one) => one.notifier === notifier && one.topic === topic);

/** The text of all blocks of a message to Slack. */
function slackText(one: Arrived | undefined): string {
  const { blocks } = JSON.parse(one?.post?.body ?? '{"blocks":[]}') as {
    readonly blocks: readonly { readonly text?: { readonly text: string } }[];
  };
  return blocks.map(({ text }) => text?.text ?? '').join('\n');
}

const suspended = (policy: string) => (text: string) =>
  text.replace(
    new RegExp(`(kind: RollbackPolicy\\nmetadata:\\n  name: ${policy}\\n[^]*?\\nspec:\\n)`),
    '$1  suspend: true\n',
  );

describe('memory-system', () => {
  test('[P11] tells of the start, every 15 minutes, and of the end, in the words of its templates', async () => {
    const arrived = await stage.live('memory-system', 'memory-messages');
    expect(listed(arrived, ['opened', 'update', 'resolved', 'report'])).toEqual([
      '0m oncall opened',
      '0m monitoring opened',
      '15m monitoring update',
      '15m oncall update',
      '30m oncall update',
      '30m monitoring update',
      expect.stringMatching(/^3\d(\.\d)?m oncall resolved$/),
      expect.stringMatching(/m monitoring resolved$/),
      expect.stringMatching(/m senior-oncall resolved$/),
      expect.stringMatching(/m postmortem-ticket report$/),
    ]);
    const opened = of(arrived, 'oncall', 'opened');
    expect(opened?.post?.url).toBe('/memory-oncall-webhook');
    expect(slackText(opened)).toMatch(
      /\[critical\] Memory system: rollback begins \(INC-1\)\nWhy: memory-system\/sharing-errors = \d+ &gt; 10 for 0s\nSince: \S+Z on web-1\n/,
    );
    expect(slackText(of(arrived, 'monitoring', 'update'))).toMatch(
      /update 1\n.*Now: a person is asked at rung "flags"/s,
    );
    expect(slackText(of(arrived, 'oncall', 'resolved'))).toMatch(/\[resolved\] Memory system: INC-1 is over/);
  });

  test('[P2] brings the second level in after 15 minutes, and to it the end', async () => {
    const arrived = await stage.live('memory-system', 'memory-messages');
    expect(listed(arrived, ['escalated'])).toEqual(['15m oncall escalated', '15m senior-oncall escalated']);
    expect(of(arrived, 'senior-oncall', 'escalated')?.post?.url).toBe('/memory-senior-webhook');
    expect(of(arrived, 'senior-oncall', 'resolved')).toBeDefined();
  });

  test('[P11] files a ticket for the post-mortem within 48 hours, with the report in it', async () => {
    const ticket = of(await stage.live('memory-system', 'memory-messages'), 'postmortem-ticket', 'report')?.post;
    const body = JSON.parse(ticket?.body ?? '{}') as Readonly<Record<string, unknown>>;
    expect(body).toMatchObject({ title: 'Post-mortem of INC-1', dueInHours: 48 });
    expect(body['text']).toMatch(/^# INC-1: memory-system on web-1\n[^]*## Timeline\n[^]*### Root cause/);
  });

  test.each([
    ['is suspended', suspended('memory-system'), []],
    ['has its threshold turned round', (text: string) => text.replaceAll('above: 10\n', 'below: 10\n'), ['before']],
  ])('tells something else when its policy %s', async (_title, change, expected) => {
    const arrived = await stage.live('memory-system', 'memory-messages', change);
    expect(listed(arrived, ['opened']).length > 0 ? ['before'] : []).toEqual(expected);
    const whole = await stage.live('memory-system', 'memory-messages');
    expect(listed(arrived, ['opened', 'update', 'resolved'])).not.toEqual(
      listed(whole, ['opened', 'update', 'resolved']),
    );
  });

  test.each([
    ['updates', (text: string) => text.replace(/ {2}updates:.*\n/, ''), 'update'],
    ['levels', (text: string) => text.replace(/ {2}escalate:.*\n/, ''), 'escalated'],
  ])('has nothing of its %s when they are taken out', async (_title, change, topic) => {
    expect(listed(await stage.live('memory-system', 'memory-messages', change), [topic])).toEqual([]);
  });
});

describe('abathur', () => {
  test('[A9] climbs level by level: 30 minutes, one hour more, two hours more', async () => {
    const arrived = await stage.live('abathur', 'abathur-escalation');
    const firsts = ['senior', 'specialist', 'commander'].map((level) => {
      const first = arrived.find(({ notifier }) => notifier === `abathur-${level}`);
      return `${first?.atMinutes}m ${first?.post?.url} ${first?.topic}`;
    });
    expect(firsts).toEqual([
      '30m /abathur-senior-webhook escalated',
      '90m /abathur-specialist-webhook escalated',
      '210m /abathur-commander-webhook escalated',
    ]);
    const ends = arrived.filter(({ topic }) => topic === 'resolved').map(({ notifier }) => notifier);
    expect(ends.sort()).toEqual(['abathur-commander', 'abathur-oncall', 'abathur-senior', 'abathur-specialist']);
    const { about } = JSON.parse(of(arrived, 'abathur-commander', 'escalated')?.post?.body ?? '{}') as {
      readonly about?: Readonly<Record<string, unknown>>;
    };
    expect(about).toMatchObject({ level: '3', duration: '3h30m', policy: 'abathur-vector-search' });
  });

  test('climbs nowhere when its levels are taken out or its policy is suspended', async () => {
    const levels = (text: string): string => text.replace(/ {2}escalate:\n( {4}- .*\n)+/, '');
    for (const change of [levels, suspended('abathur-vector-search')]) {
      expect(listed(await stage.live('abathur', 'abathur-escalation', change), ['escalated'])).toEqual([]);
    }
  });
});

describe('mem0-stack', () => {
  test('[R12] tells everybody within 5 minutes, and the readers of reports within 30', async () => {
    const arrived = await stage.live('mem0-stack', 'mem0-messages');
    const within = arrived.filter(({ atMinutes }) => atMinutes <= 5).map(({ post }) => post?.url);
    expect(within).toEqual(expect.arrayContaining(['/mem0-oncall-webhook', '/mem0-status-webhook', '/agents']));
    const status = of(arrived, 'mem0-status-page', 'opened')?.post;
    expect(JSON.parse(status?.body ?? '{}')).toEqual({
      incident: 'INC-1',
      status: 'about to begin rung "optimisations"',
      message: expect.stringMatching(/^mem0-service\/down = 0 < 1 for /),
    });
    const late = of(arrived, 'mem0-reports', 'escalated');
    expect(late?.atMinutes).toBe(30);
    expect(late?.mail).toMatchObject({ from: 'revertd@localhost', to: ['mem0-reports@localhost'] });
    expect(late?.mail?.text).toContain('Subject: INC-1 mem0-service: escalated to level 1');
  });

  test('[R12] mails the incident report as text and as a page when the incident ends', async () => {
    const arrived = await stage.live('mem0-stack', 'mem0-messages');
    const [report, resolved] = [of(arrived, 'mem0-reports', 'report'), of(arrived, 'mem0-oncall', 'resolved')];
    expect(report?.atMinutes).toBe(resolved?.atMinutes);
    for (const part of ['# INC-1: mem0-service on web-1', '## What was done', '### Action items']) {
      expect(report?.mail?.text).toContain(part);
    }
    expect(report?.mail?.text).toMatch(/filename="?INC-1\.html[^]*<h2>Timeline<\/h2>/);
  });

  test('tells nobody when its policy is suspended, or its threshold turned round', async () => {
    const turned = (text: string): string =>
      text.replaceAll(/ {6}below: 1\n( {6}for: "\$\{host\.mem0For:-30s\}"\n)/g, '      above: 1\n$1');
    for (const change of [suspended('mem0-service'), turned]) {
      const arrived = await stage.live('mem0-stack', 'mem0-messages', change);
      expect(listed(arrived, ['opened', 'escalated', 'report'])).toEqual([]);
    }
  });
});
