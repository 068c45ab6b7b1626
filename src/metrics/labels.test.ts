import { describe, expect, it } from 'vitest';
import { labelsKey } from '../promql/labels.ts';
import { formatSeries, labelsOf } from './labels.ts';

describe('labels', () => {
  it('are sorted, and empty ones are absent', () => {
    expect(
      Object.entries(
        labelsOf([
          ['z', '1'],
          ['__name__', 'm'],
          ['e', ''],
          ['a', '2'],
        ]),
      ),
    ).toEqual([
      ['__name__', 'm'],
      ['a', '2'],
      ['z', '1'],
    ]);
  });

  it('may be called what every JavaScript object has', () => {
    const labels = labelsOf([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]);
    expect([labels['__proto__'], labels['constructor'], labels['toString']]).toEqual(['p', 'c', undefined]);
    expect(labelsKey(labels)).not.toBe(labelsKey(labelsOf([['constructor', 'c']])));
  });

  it('have the same key exactly if they are the same set', () => {
    expect(labelsKey({ b: '2', a: '1' })).toBe(labelsKey({ a: '1', b: '2', c: '' }));
    expect(labelsKey({ a: '1', b: '2' })).not.toBe(labelsKey({ a: '11:b1:2' }));
    expect(labelsKey({ a: 'x', ab: '' })).not.toBe(labelsKey({ a: '', ab: 'x' }));
  });

  it('are shown as people write them', () => {
    expect(formatSeries({ __name__: 'up', job: 'a "b"' })).toBe('up{job="a \\"b\\""}');
    expect(formatSeries({ __name__: 'up' })).toBe('up');
  });
});
