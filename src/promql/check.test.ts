import { describe, expect, it } from 'vitest';
import { checkQuery } from './check.ts';
import { FUNCTIONS } from './functions.ts';
import { parseQuery } from './parse.ts';

describe('checkQuery', () => {
  it.each([
    ['1 + 2', 'scalar'],
    ['"x"', 'string'],
    ['up', 'vector'],
    ['up[5m]', 'matrix'],
    ['up[5m:1m]', 'matrix'],
    ['-(up)', 'vector'],
    ['1 > bool 2', 'scalar'],
    ['up > 1', 'vector'],
    ['time()', 'scalar'],
    ['scalar(up)', 'scalar'],
    ['hour()', 'vector'],
    ['1 + on () 2', 'scalar'],
    ['label_join(up, "a", "")', 'vector'],
    ['{job=~".+"}', 'vector'],
    ['{"foo"}', 'vector'],
    ['{a="", b!=""}', 'vector'],
  ])('knows the type of %s', (query, type) => {
    expect(checkQuery(parseQuery(query))).toBe(type);
  });

  it.each([
    ['rate(up)', 'expected range vector in argument 1 of rate(), got instant vector', 5],
    ['sum(1)', 'expected instant vector in aggregation sum, got scalar', 4],
    ['topk("1", up)', 'expected scalar in the parameter of topk, got string', 5],
    ['count_values(up, up)', 'expected string in the parameter of count_values, got instant vector', 13],
    ['count_values("", up)', 'invalid label name ""', 13],
    ['count_values("a\\xc5z", up)', 'invalid label name "a\\xc5z"', 13],
    ['up + "x"', 'operands must be scalars or instant vectors, got string', 5],
    ['up[5m] + 1', 'operands must be scalars or instant vectors, got range vector', 0],
    ['1 > 2', 'comparisons between scalars must use the bool modifier', 2],
    ['up + bool up', 'bool modifier can only be used on comparison operators', 3],
    ['up and 1', 'set operator and is only allowed between instant vectors', 3],
    ['up + on (a) 1', 'vector matching only allowed between instant vectors', 0],
    ['up and on (a) group_left up', 'no grouping allowed for and operation', 0],
    ['up + on (a) group_left (a) up', 'label a must not occur in ON and GROUP clause at once', 3],
    ['-"x"', 'a sign is only allowed before a scalar or instant vector, got string', 0],
    ['up[5m][1h:]', 'expected instant vector in a subquery, got range vector', 0],
    ['{}', 'vector selector must contain at least one matcher that does not match the empty string', 0],
    ['{a=~".*"}', 'vector selector must contain at least one matcher that does not match the empty string', 0],
    ['{a!="x"}', 'vector selector must contain at least one matcher that does not match the empty string', 0],
    ['up{__name__="x"}', 'metric name must not be set twice: up or x', 0],
    ['up{"x"}', 'metric name must not be set twice: up or x', 0],
    ['up{a=~"("}', 'the pattern of a=~"(" is no valid RE2 regular expression', 0],
    ['up{a=~"(?=x)"}', 'the pattern of a=~"(?=x)" is no valid RE2 regular expression', 0],
    ['up{""="x"}', 'a label name must be valid and not empty', 0],
    ['abs()', 'abs() takes 1 arguments, got 0', 0],
    ['round(up, 1, 2)', 'round() takes 1 to 2 arguments, got 3', 0],
    ['label_join(up, "a")', 'label_join() takes 3 to any number of arguments, got 2', 0],
    ['label_join(up, "a", "", up)', 'expected string in argument 4 of label_join(), got instant vector', 24],
    ['label_replace(up, "a", "b", "c", "(")', 'invalid regular expression in label_replace(): (', 33],
    ['label_replace(up, "", "b", "c", "d")', 'invalid destination label name in label_replace(): ', 18],
    ['label_join(up, "a", "b", "")', 'invalid source label name in label_join(): ', 25],
  ])('refuses %s', (query, message, offset) => {
    expect(() => checkQuery(parseQuery(query))).toThrow(expect.objectContaining({ code: 'semantic', message, offset }));
  });

  it.each([
    'mad_over_time(up[5m])',
    'up + fill(0) up',
    'limitk(1, up)',
    'limit_ratio(0.5, up)',
    'info(up)',
    'histogram_count(up)',
    'start_timestamp(up)',
    'start()',
  ])('refers %s to a server', (query) => {
    expect(() => checkQuery(parseQuery(query))).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('accepts experimental functions on request', () => {
    expect(checkQuery(parseQuery('mad_over_time(up[5m]) + fill(0) up'), { experimental: true })).toBe('vector');
  });

  it('knows every function by a signature that fits itself', () => {
    for (const { args, optional = 0 } of Object.values(FUNCTIONS)) expect(optional).toBeLessThanOrEqual(args.length);
  });

  it('is quick about a pattern that would explode elsewhere', () => {
    expect(checkQuery(parseQuery('up{a=~"(a*)*(a*)*b"}'))).toBe('vector');
    expect(() => checkQuery(parseQuery('up{a=~"((((a{100}){100}){100}){100})"}'))).toThrow('no valid RE2');
  });
});
