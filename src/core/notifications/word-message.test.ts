import { describe, expect, test } from 'vitest';
import type { IncidentAbout } from '../model/notification.ts';
import { NOTIFICATION_TOPICS, type NotificationTopic } from '../model/notifier.ts';
import { checkTemplate } from '../templates/check-template.ts';
import { parseTemplate } from '../templates/parse-template.ts';
import { DEFAULT_TEMPLATES } from './default-templates.ts';
import { MESSAGE_SHAPE, type MessageSource, messageFields } from './message-fields.ts';
import { fillBody, inOwnWords, wordMessage } from './word-message.ts';

const ABOUT: IncidentAbout = {
  id: 'INC-1',
  policy: 'guard',
  severity: 'critical',
  status: 'verifying rung "flags"',
  rung: 'flags',
  reason: 'guard/latency = 0.9 > 0.5 for 30s',
  outcome: '',
  startedAt: '2026-01-02T03:04:05.000Z',
  endedAt: '',
  duration: '15m',
  breachedFor: '15m30s',
  rto: '10m',
  level: '',
  command: 'revertd incidents show INC-1',
  triggers: [{ trigger: 'guard/latency', value: '0.9', threshold: '> 0.5', labels: '', since: '03:03:35' }],
  walked: [{ rung: 'cache', outcome: 'failed', reason: 'latency is 0.9' }],
};

function aMessage(topic: NotificationTopic, about: IncidentAbout | undefined = ABOUT): MessageSource {
  return {
    id: 'INC-1/x',
    topic,
    severity: 'critical',
    title: 'INC-1 guard: it goes on',
    text: 'words',
    at: Date.UTC(2026, 0, 2),
    host: 'web-1',
    policy: 'guard',
    facts: {},
    ...(about === undefined ? {} : { about }),
  };
}

describe('the built-in words', () => {
  test.each(NOTIFICATION_TOPICS)('of %s are faultless, and have a title and a text', (topic) => {
    const { parts, faults } = parseTemplate(DEFAULT_TEMPLATES[topic]);
    expect(faults).toEqual([]);
    expect(checkTemplate(parts, MESSAGE_SHAPE)).toEqual([]);
    const { title, text } = wordMessage({}, aMessage(topic));
    expect(title).toBe('INC-1 guard: it goes on');
    expect(text).not.toMatch(/\n\n\n|\$\{/);
    expect(text).toMatch(/Host web-1, policy guard$/);
  });

  test('of an update say what an operator asks', () => {
    expect(wordMessage({}, aMessage('update')).text).toBe(`Why: guard/latency = 0.9 > 0.5 for 30s
Now: verifying rung "flags"
Open for 15m, breached for 15m30s (objective 10m)
- rung "cache" failed: latency is 0.9

Host web-1, policy guard`);
  });
});

describe('own words', () => {
  const templates = {
    update: { file: 'u.md', text: '*${incident.id}* <${incident.status}>\n\nNow ${incident.status}\n' },
  };

  test('go before the built-in ones, for their topic only', () => {
    expect(wordMessage({ templates }, aMessage('update'))).toEqual({
      title: '*INC-1* <verifying rung "flags">',
      text: 'Now verifying rung "flags"',
    });
    expect(wordMessage({ templates }, aMessage('rung')).title).toBe('INC-1 guard: it goes on');
    expect(inOwnWords({ templates }, aMessage('rung'))).toEqual(aMessage('rung'));
    expect(inOwnWords({ templates }, aMessage('update')).text).toBe('Now verifying rung "flags"');
  });

  test('fill a JSON body, texts alone', () => {
    const body = { title: 'Post-mortem of ${incident.id}', dueInHours: 48, list: ['${topic}', true, null] };
    expect(fillBody(body, aMessage('report'))).toEqual({
      title: 'Post-mortem of INC-1',
      dueInHours: 48,
      list: ['report', true, null],
    });
  });
});

test('every field of the shape has a value, and no other', () => {
  const message = { ...aMessage('report'), report: { markdown: '# INC-1' } };
  const { incident, ...outer } = messageFields(message);
  expect(Object.keys(outer).sort()).toEqual(
    Object.keys(MESSAGE_SHAPE)
      .filter((name) => name !== 'incident')
      .sort(),
  );
  expect(Object.keys(incident ?? {}).sort()).toEqual(Object.keys(MESSAGE_SHAPE.incident).sort());
  expect(Object.keys(ABOUT.triggers[0] ?? {})).toEqual(Object.keys(MESSAGE_SHAPE.incident.triggers));
  expect(Object.keys(ABOUT.walked[0] ?? {})).toEqual(Object.keys(MESSAGE_SHAPE.incident.walked));
});
