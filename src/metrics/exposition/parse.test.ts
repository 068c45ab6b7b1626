import { describe, expect, it } from 'vitest';
import { formatSeries, labelsOf } from '../labels.ts';
import { decodeBody, type ExpositionFormat, formatOf } from './decode.ts';
import { ExpositionError } from './exposition-error.ts';
import { parseExposition } from './parse.ts';
import { SeriesTable } from './series-table.ts';

function parse(text: string, format: ExpositionFormat = 'text', table = new SeriesTable(), limit = 1000) {
  return parseExposition(text, table, { format, limit });
}

function shown(text: string, format: ExpositionFormat = 'text'): string[] {
  return parse(text, format).map(({ labels, value, timestamp }) =>
    [formatSeries(labels), value, ...(timestamp === undefined ? [] : [`@${timestamp}`])].join(' '),
  );
}

function fault(act: () => unknown): Pick<ExpositionError, 'code' | 'line' | 'message'> {
  try {
    act();
  } catch (error) {
    if (error instanceof ExpositionError) return { code: error.code, line: error.line, message: error.message };
    throw error;
  }
  throw new Error('expected an ExpositionError');
}

describe('the text format', () => {
  const cases: readonly [string, string, string[]][] = [
    ['a bare sample', 'up 1\n', ['up 1']],
    ['no line break at the end', 'up 1', ['up 1']],
    ['labels, sorted', 'm{z="1",a="2"} 3\n', ['m{a="2", z="1"} 3']],
    [
      'blanks wherever they may be',
      ' m { a = "1" , b="2" , } \t 3 \t 1700000000000 \n',
      ['m{a="1", b="2"} 3 @1700000000000'],
    ],
    ['empty braces and empty values', 'm{} 1\nn{a=""} 2\n', ['m 1', 'n 2']],
    ['escapes', 'm{a="x\\\\y\\"z\\n\\t"} 1\n', ['m{a="x\\\\y\\"z\\n\\\\t"} 1']],
    ['braces and hashes inside of values', 'm{a="}{#"} 1\n', ['m{a="}{#"} 1']],
    ['numbers', 'a 1e3\nb -.5\nc 5.\nd +7\ne 0\n', ['a 1000', 'b -0.5', 'c 5', 'd 7', 'e 0']],
    ['words for numbers', 'a NaN\nb +Inf\nc -Inf\nd Inf\n', ['a NaN', 'b Infinity', 'c -Infinity', 'd Infinity']],
    ['negative timestamps', 'a 1 -5\n', ['a 1 @-5']],
    ['metadata, comments and empty lines', '# HELP a b c\n# TYPE a counter\n#x\n# EOF\n\n  \na 1\n', ['a 1']],
    ['UTF-8', 'm{a="größe 🚀"} 1\n', ['m{a="größe 🚀"} 1']],
    ['quoted names', '{"my.metric","a b"="c"} 1\n', ['my.metric{a b="c"} 1']],
    ['colons in names', 'a:b:rate5m 1\n', ['a:b:rate5m 1']],
    ['nothing at all', '', []],
  ];
  it.each(cases)('reads %s', (_, text, expected) => {
    expect(shown(text)).toEqual(expected);
  });

  const faults: readonly [string, string, string, number, string][] = [
    ['an HTML page', '\n<!doctype html>\n<p>1', 'html', 2, 'expected metrics as text'],
    ['a name that begins with a digit', 'a 1\n9a 1\n', 'bad_name', 2, 'found "9a"'],
    ['a name with a dash', 'a-b 1\n', 'bad_name', 1, 'found "-b"'],
    ['labels without a name', '{a="b"} 1\n', 'bad_name', 1, 'expected a metric name'],
    ['JSON', '{"status": "ok"}\n', 'bad_label', 1, 'expected , or }'],
    ['an unquoted label value', 'm{a=b} 1\n', 'bad_label', 1, 'in double quotes for "a"'],
    ['a label without a value', 'm{a} 1\n', 'bad_label', 1, 'expected = after'],
    ['a label twice', 'm{a="1",a="2"} 1\n', 'bad_label', 1, 'there twice'],
    ['two names', 'm{"n"} 1\n', 'bad_label', 1, 'there twice'],
    ['an open brace', 'm{a="1" 1\n', 'bad_label', 1, 'a closing }'],
    ['an open quote', 'm{a="1} 1\n', 'bad_label', 1, 'a closing "'],
    ['no value', 'm{a="1"}\n', 'bad_value', 1, 'found nothing'],
    ['a word as value', 'm ok\n', 'bad_value', 1, 'found "ok"'],
    ['a hexadecimal value', 'm 0x10\n', 'bad_value', 1, 'found "0x10"'],
    ['a value beyond the range of a double', 'm 1e999\n', 'bad_value', 1, 'found "1e999"'],
    ['a fraction as timestamp', 'm 1 1.5\n', 'bad_timestamp', 1, 'whole milliseconds'],
    ['a fourth word', 'm 1 2 3\n', 'trailing_text', 1, 'found "3"'],
    ['an exemplar', 'm 1 # {a="b"} 1\n', 'bad_timestamp', 1, 'found "#"'],
    ['an unknown type', '# TYPE a conter\n', 'bad_metadata', 1, 'found "conter"'],
    ['metadata of nothing', '# HELP\n', 'bad_metadata', 1, 'expected a metric name after # HELP'],
    ['a line that is too long', `a 1\n# ${'x'.repeat(70_000)}\n`, 'line_too_long', 2, '70002 characters'],
    ['a series twice', 'm{a="1",b="2"} 1\nx 1\nm{b="2",a="1"} 1\n', 'repeated_series', 3, 'm{b=\\"2\\",a=\\"1\\"} 1'],
    ['a series twice with one timestamp', 'm 1 5\nm 2 5\n', 'repeated_series', 2, 'already in this answer'],
  ];
  it.each(faults)('refuses %s', (_, text, code, line, message) => {
    const found = fault(() => parse(text));
    expect(found).toMatchObject({ code, line });
    expect(found.message).toContain(message);
    expect(found.message.length).toBeLessThan(250);
  });

  it('refuses more samples than the limit, at the first one too many', () => {
    const text = Array.from({ length: 50 }, (_, index) => `m${index} 1\n`).join('');
    expect(parse(text, 'text', new SeriesTable(), 50)).toHaveLength(50);
    expect(fault(() => parse(text, 'text', new SeriesTable(), 49))).toMatchObject({
      code: 'too_many_samples',
      line: 50,
    });
  });
});

describe('OpenMetrics', () => {
  it('has seconds as timestamps, exemplars and units, and ends with # EOF', () => {
    const text = [
      '# TYPE a_seconds histogram',
      '# UNIT a_seconds seconds',
      'a_seconds_bucket{le="1.0"} 4 # {trace_id="}x"} 0.67 1700000000.5',
      'a_seconds_count 5 1700000000.123 # {} 1',
      'a_seconds_count 6 1700000001',
      '# EOF\n',
    ].join('\n');
    expect(shown(text, 'openmetrics')).toEqual([
      'a_seconds_bucket{le="1.0"} 4',
      'a_seconds_count 5 @1700000000123',
      'a_seconds_count 6 @1700000001000',
    ]);
  });

  it.each([
    ['an answer that is cut short', 'a 1\nb 2\n', 'eof_missing', 2],
    ['an empty answer', '', 'eof_missing', 0],
    ['text behind the end', 'a 1\n# EOF\nb 1\n', 'text_after_eof', 3],
    ['an unreadable timestamp', 'a 1 x\n# EOF\n', 'bad_timestamp', 1],
  ])('refuses %s', (_, text, code, line) => {
    expect(fault(() => parse(text, 'openmetrics'))).toMatchObject({ code, line });
  });
});

describe('the table of series', () => {
  it('hands out the same label objects in every scrape', () => {
    const table = new SeriesTable();
    const [first] = parse('m{a="1"} 1\n', 'text', table);
    const [second] = parse('m{a="1"} 2\n', 'text', table);
    expect(second?.labels).toBe(first?.labels);
  });

  it.each([
    ['the same', 'a 1\nb{x="1"} 2\nc 3\n'],
    ['another order', 'c 3\nb{x="1"} 2\na 1\n'],
    ['one more, and one less', 'a 1\nnew 4\nb{x="1"} 2\n'],
    ['names that begin like others', 'ab 1\nb{x="1"} 2\ncc 3\n'],
    ['braces behind a name that had none', 'a {y="2"} 1\nb{x="1"} 2\nc{} 3\n'],
    ['other blanks', ' a\t1\n b{x="1"}2\nc  3\n'],
    ['timestamps', 'a 1 5\na 2 6\nb{x="1"} 2 7\nc 3\n'],
    ['nothing', ''],
  ])('reads what comes after a scrape as it would without one: %s', (_, text) => {
    const table = new SeriesTable();
    parse('a 1\nb{x="1"} 2\nc 3\n', 'text', table);
    const plain = (samples: ReturnType<typeof parse>) => samples.map((sample) => ({ ...sample }));
    expect(plain(parse(text, 'text', table))).toEqual(plain(parse(text)));
    expect(plain(parse('a 1\nb{x="1"} 2\nc 3\n', 'text', table))).toEqual(plain(parse('a 1\nb{x="1"} 2\nc 3\n')));
  });

  it('applies the labels of the target before it looks for repetitions', () => {
    const table = new SeriesTable((exposed) => labelsOf([...Object.entries(exposed), ['job', 'j']]));
    expect(parse('m 1\n', 'text', table)[0]?.labels).toEqual({ __name__: 'm', job: 'j' });
    expect(fault(() => parse('m 1\nm{job="x"} 1\n', 'text', table)).code).toBe('repeated_series');
  });

  it('does not remember what is no longer sent', () => {
    const table = new SeriesTable();
    for (let scrape = 0; scrape < 20; scrape++) {
      parse(Array.from({ length: 100 }, (_, index) => `m{i="${scrape}-${index}"} 1\n`).join(''), 'text', table);
    }
    expect(table.size).toBeLessThanOrEqual(200);
  });

  it('works again after a scrape with a fault', () => {
    const table = new SeriesTable();
    expect(fault(() => parse('a 1\nb x\n', 'text', table)).code).toBe('bad_value');
    expect(parse('a 1\nb 2\n', 'text', table)).toHaveLength(2);
  });
});

describe('the body', () => {
  it.each([
    ['text/plain; version=0.0.4; charset=utf-8', 'text'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    ['Text/Plain', 'text'],
    [undefined, 'text'],
  ])('of type %s is read as %s', (type, format) => {
    expect(formatOf(type)).toBe(format);
  });

  it.each([
    ['text/html; charset=utf-8', 'html'],
    ['application/json', 'content_type'],
    ['application/vnd.google.protobuf', 'content_type'],
  ])('of type %s is refused', (type, code) => {
    expect(fault(() => formatOf(type)).code).toBe(code);
  });

  it('must be UTF-8, and the fault names the line', () => {
    expect(decodeBody(Buffer.from('größe\n'))).toBe('größe\n');
    const body = Buffer.concat([Buffer.from('a 1\nö 2\nc{x="'), Buffer.from([0xff, 0xfe]), Buffer.from('"} 1\n')]);
    expect(fault(() => decodeBody(body))).toMatchObject({ code: 'invalid_utf8', line: 3 });
  });
});
