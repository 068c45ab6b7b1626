import { describe, expect, it } from 'vitest';
import { AnswerError, QUESTIONS } from './answers.ts';

const { service, metrics, flag, notify } = QUESTIONS;

describe('an answer', () => {
  it.each([
    ['shop.service', { unit: 'shop.service', service: 'shop' }],
    ['shop', { unit: 'shop.service', service: 'shop' }],
    ['shop@eu.service', { unit: 'shop@eu.service', service: 'shop' }],
  ])('%s names a service', (answer, expected) => {
    expect(service.read(answer)).toEqual(expected);
  });

  it.each([
    [
      '/etc/shop/env#NEW_PRICING',
      { name: 'new-pricing', path: '/etc/shop/env', place: { kind: 'envFile', key: 'NEW_PRICING' } },
    ],
    [
      '/etc/shop/config.json#/features/newPricing',
      { name: 'new-pricing', path: '/etc/shop/config.json', place: { kind: 'file', pointer: '/features/newPricing' } },
    ],
    ['/etc/shop/env#_X', { name: 'x', path: '/etc/shop/env', place: { kind: 'envFile', key: '_X' } }],
  ])('%s names the place of a flag', (answer, expected) => {
    expect(flag.read(answer)).toEqual(expected);
  });

  it.each([
    ['oncall-webhook', { kind: 'credential', name: 'oncall-webhook' }],
    ['https://chat.example.com/hook', { kind: 'url', url: 'https://chat.example.com/hook' }],
    ['/usr/local/bin/page', { kind: 'command', program: '/usr/local/bin/page' }],
  ])('%s says whom to tell', (answer, expected) => {
    expect(notify.read(answer)).toEqual(expected);
  });

  it.each([
    [service, 'shop.timer', 'expected something like shop.service'],
    [service, 'my shop', 'no systemd service'],
    [metrics, '127.0.0.1:9464', 'expected something like http://127.0.0.1:9464/metrics'],
    [metrics, 'http://me:secret@127.0.0.1/metrics', 'leave the password out'],
    [flag, 'NEW_PRICING', 'expected /etc/shop/env#NEW_PRICING'],
    [flag, '/etc/../env#X', 'no place of a flag'],
    [flag, '/etc/shop/env#/features/x', 'no environment variable'],
    [flag, '/etc/shop/config.json#NEW', 'no JSON pointer'],
    [notify, 'the on-call', "neither a credential's name, nor an address, nor a program"],
  ] as const)('is refused with what is expected: %o %s', (question, answer, message) => {
    expect(() => question.read(answer)).toThrow(AnswerError);
    expect(() => question.read(answer)).toThrow(message);
  });

  it.each(Object.values(QUESTIONS).map((question) => [question.option, question] as const))(
    '%s has a usual one that is right',
    (_option, question) => {
      expect(question.read(question.usual)).toBeDefined();
    },
  );
});
