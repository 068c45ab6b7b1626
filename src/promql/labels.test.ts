import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareLabels,
  createInterner,
  dropLabels,
  dropMetadata,
  formatLabels,
  keepLabels,
  labelsKey,
  labelValue,
  withLabel,
} from './labels.ts';

const LABELS = { __name__: 'up', __type__: 'gauge', job: 'a', zone: 'x' };
const anyLabels = fc.dictionary(
  fc.constantFrom('a', 'b', '__proto__', 'constructor', '1:a'),
  fc.string({ maxLength: 4 }),
);

describe('labels', () => {
  it('are kept, dropped and set without touching the original', () => {
    expect(keepLabels(LABELS, ['zone', 'none', 'toString'])).toStrictEqual({ zone: 'x' });
    expect(dropLabels(LABELS, ['job', 'none'])).toStrictEqual({ __name__: 'up', __type__: 'gauge', zone: 'x' });
    expect(dropMetadata(LABELS)).toStrictEqual({ job: 'a', zone: 'x' });
    expect(withLabel({ job: 'a' }, 'job', '')).toStrictEqual({});
    expect(withLabel({ job: 'a' }, 'zone', 'y')).toStrictEqual({ job: 'a', zone: 'y' });
    expect(labelValue(LABELS, 'hasOwnProperty')).toBe('');
    expect(LABELS).toStrictEqual({ __name__: 'up', __type__: 'gauge', job: 'a', zone: 'x' });
  });

  it('have equal keys exactly if they are equal, empty values being absent', () => {
    fc.assert(
      fc.property(anyLabels, anyLabels, (a, b) => {
        const plain = (labels: Record<string, string>): string[] =>
          Object.entries(labels).flatMap(([name, value]) => (value === '' ? [] : [JSON.stringify([name, value])]));
        const equal = plain(a).sort().join() === plain(b).sort().join();
        expect(labelsKey(a) === labelsKey(b)).toBe(equal);
      }),
    );
  });

  it('are the same object once interned', () => {
    const interner = createInterner();
    const first = interner.intern({ b: '2', a: '1', c: '' });
    expect(interner.intern({ a: '1', b: '2' })).toBe(first);
    expect(first).toStrictEqual({ b: '2', a: '1' });
    expect(interner.size).toBe(1);
  });

  it.each([
    [{ a: '1' }, { a: '2' }, -1],
    [{ a: '1' }, { b: '1' }, -1],
    [{ a: '1' }, { a: '1', b: '1' }, -1],
    [{ b: '1', a: '1' }, { a: '1', b: '1' }, 0],
  ])('compare %j with %j', (a, b, sign) => {
    expect([Math.sign(compareLabels(a, b)), Math.sign(compareLabels(b, a))]).toStrictEqual([
      sign,
      sign === 0 ? 0 : -sign,
    ]);
  });

  it('are written as Prometheus writes them', () => {
    expect(formatLabels({ job: 'a"b', __name__: 'up', 'x.y': '' })).toBe('{__name__="up", job="a\\"b", "x.y"=""}');
  });
});
