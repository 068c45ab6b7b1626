import { describe, expect, it } from 'vitest';
import { fillVariables } from './host-variables.ts';

const HOST: Readonly<Record<string, string>> = { dir: '/srv/app', port: '80', empty: '' };
const fill = (text: string) => fillVariables(text, (name) => HOST[name], Object.keys(HOST));

describe('filling in', () => {
  it.each([
    ['${host.dir}/x', '/srv/app/x'],
    ['${host.dir}:${host.port}', '/srv/app:80'],
    ['nothing', 'nothing'],
    ['$${host.dir}', '${host.dir}'],
    ['a $$${host.port}', 'a $${host.port}'],
    ['$1 and $', '$1 and $'],
    ['', ''],
    ['${host.dir:-/opt}', '/srv/app'],
    ['${host.pace:-30s} ${host.mark:-:-}${host.none:-}', '30s :-'],
    ['${host.empty:-5m}${host.empty}', '5m'],
    ['[${host.window:-1m}]', '[1m]'],
  ])('%s', (text, expected) => {
    const filled = fill(text);
    expect(filled.text).toBe(expected);
    expect(filled.faults).toEqual([]);
  });

  it('does not fill in what a value contains', () => {
    expect(fillVariables('${host.a}', () => '${host.b}', []).text).toBe('${host.b}');
  });
});

describe('faults', () => {
  it.each([
    [
      'x ${host.dri}',
      2,
      'the host has no variable dri (its variables stand in its own configuration); did you mean ${host.dir}?',
    ],
    ['${host.zzzzz}', 0, 'the host has no variable zzzzz (its variables stand in its own configuration)'],
    [
      '${host.pace:30s}',
      0,
      'unknown variable "${host.pace:30s}": only ${host.NAME} is filled in; write $${ for the text ${ itself',
    ],
    ['${hosts.dir}', 0, 'unknown variable ${hosts.dir}; did you mean ${host.dir}?'],
    ['${HOME}', 0, 'unknown variable "${HOME}": only ${host.NAME} is filled in; write $${ for the text ${ itself'],
    ['${}', 0, 'unknown variable "${}": only ${host.NAME} is filled in; write $${ for the text ${ itself'],
    ['a ${host.dir', 2, 'found ${ without its closing brace; write $${ for the text ${ itself'],
  ])('%s', (text, offset, message) => {
    expect(fill(text).faults).toMatchObject([{ offset, message }]);
  });

  it('reports each of several', () => {
    expect(fill('${a} ${host.dir} ${b}').faults.map(({ offset }) => offset)).toEqual([0, 17]);
  });
});

it('leads back from the filled text to the original', () => {
  const { text, offsetInOriginal } = fill('a ${host.dir} $${ b');
  expect(text).toBe('a /srv/app ${ b');
  const backOf = (needle: string): number => offsetInOriginal(text.indexOf(needle));
  expect([backOf('a'), backOf('/srv'), backOf('app'), backOf('${'), backOf('b')]).toEqual([0, 2, 2, 14, 18]);
});
