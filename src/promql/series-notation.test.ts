import { describe, expect, it } from 'vitest';
import { parseMetric, parseSequence, parseSeriesLine, type SequencePoint } from './series-notation.ts';

function show(points: readonly SequencePoint[]): string {
  return points.map((point) => (point.kind === 'value' ? String(point.value) : point.kind)).join(' ');
}

describe('parseSequence', () => {
  it.each([
    ['', ''],
    ['1 -2 +3 .5 1e3', '1 -2 3 0.5 1000'],
    ['0+10x3', '0 10 20 30'],
    ['10-5x2 7', '10 5 0 7'],
    ['-1+1x2', '-1 0 1'],
    ['5x2', '5 5 5'],
    ['1+1x0', '1'],
    ['_ _x2 1', 'omitted omitted omitted 1'],
    ['1 stale 2', '1 stale 2'],
    ['NaN Inf -Inf +Infx1', 'NaN Infinity -Infinity Infinity Infinity'],
    ['1.5+0.5x2', '1.5 2 2.5'],
  ])('reads %j', (text, expected) => {
    expect(show(parseSequence(text))).toBe(expected);
  });

  it.each([
    ['1 two 3', 'unexpected two, expected a number, a+bxn, axn, _, _xn or stale', 2],
    ['1+2', 'unexpected 1+2, expected a number, a+bxn, axn, _, _xn or stale', 0],
    ['1x', 'unexpected 1x, expected a number, a+bxn, axn, _, _xn or stale', 0],
    ['0x99999999999', 'more than 1000000 values', 0],
    ['_x1000001', 'more than 1000000 values', 0],
  ])('refuses %j', (text, message, offset) => {
    expect(() => parseSequence(text)).toThrow(expect.objectContaining({ message, offset }));
  });
});

describe('parseSeriesLine', () => {
  it.each([
    ['up 1', { __name__: 'up' }],
    ['up{} 1', { __name__: 'up' }],
    ['up{job="node", instance=\'a:1\',} 1', { __name__: 'up', job: 'node', instance: 'a:1' }],
    ['{job="node"} 1', { job: 'node' }],
    ['{} 1', {}],
    ['{"utf8 name", "l.x"="y"} 1', { __name__: 'utf8 name', 'l.x': 'y' }],
    ['a:b:c{x="}\\""} 1', { __name__: 'a:b:c', x: '}"' }],
  ])('reads the labels of %s', (text, labels) => {
    expect(parseSeriesLine(text)).toStrictEqual({ labels, points: [{ kind: 'value', value: 1 }] });
  });

  it.each([
    ['1 2', 'expected a metric name or {', 0],
    ['up{job} 1', 'expected = and a quoted value', 6],
    ['up{job="a" b="c"} 1', 'expected , or }', 11],
    ['up{="a"} 1', 'expected a label name', 3],
    ['up{"x"} 1', 'the metric name is set twice', 3],
    ['up{a="\\q"} 1', 'malformed label value', 4],
    ['up oops', 'unexpected oops, expected a number, a+bxn, axn, _, _xn or stale', 3],
  ])('refuses %s', (text, message, offset) => {
    expect(() => parseSeriesLine(text)).toThrow(expect.objectContaining({ message, offset }));
  });

  it('refers native histograms to a server', () => {
    expect(() => parseSeriesLine('h {{schema:0 count:1}}x3')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});

describe('parseMetric', () => {
  it('takes nothing after the labels', () => {
    expect(parseMetric('up{job="x"} ')).toStrictEqual({ __name__: 'up', job: 'x' });
    expect(() => parseMetric('up{job="x"} 1')).toThrow('unexpected 1');
  });
});
