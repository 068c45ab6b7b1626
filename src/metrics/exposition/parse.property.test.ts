import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelsKey } from '../../promql/labels.ts';
import { labelsOf } from '../labels.ts';
import type { ExpositionFormat } from './decode.ts';
import { ExpositionError } from './exposition-error.ts';
import { parseExposition } from './parse.ts';
import { SeriesTable } from './series-table.ts';

const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
const label = name.filter((text) => text !== '__name__');
const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Throws only what a parser must not. */
function outcome(text: string, format: ExpositionFormat): number | string {
  try {
    return parseExposition(text, new SeriesTable(), { format, limit: 100 }).length;
  } catch (error) {
    if (error instanceof ExpositionError) return error.code;
    throw error;
  }
}

describe('the parser, on anything', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(name, fc.dictionary(label, value), fc.double(), fc.integer(), (metric, labels, number, time) => {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
        const written = Number.isFinite(number) ? String(number) : String(number).replace('Infinity', 'Inf');
        const [sample] = parseExposition(`${metric}{${pairs.join(',')}} ${written} ${time}\n`, new SeriesTable(), {
          format: 'text',
          limit: 1,
        });
        const expected = labelsOf([['__name__', metric], ...Object.entries(labels)]);
        expect(labelsKey(sample?.labels ?? {})).toBe(labelsKey(expected));
        expect(sample?.value === number || Object.is(sample?.value, number)).toBe(true);
        expect(sample?.timestamp).toBe(time);
      }),
    );
  });

  it('reads numbers as JavaScript does, to the last bit', () => {
    const number = fc.oneof(
      fc.stringMatching(/^-?[0-9]{1,18}$/),
      fc.stringMatching(/^-?[0-9]{0,9}\.[0-9]{1,12}$/),
      fc.stringMatching(/^-?[0-9]{1,17}\.[0-9]{0,3}$/),
    );
    fc.assert(
      fc.property(number, (text) => {
        const [sample] = parseExposition(`m ${text}\n`, new SeriesTable(), { format: 'text', limit: 1 });
        expect(Object.is(sample?.value, Number(text))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('ends, with samples or with an ExpositionError', () => {
    const piece = fc.oneof(
      fc.constantFrom('m', '{', '}', '"', '\\', '=', ',', ' ', '\n', '#', '1', 'NaN', '# TYPE '),
      fc.string(),
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, fc.constantFrom('text' as const, 'openmetrics' as const), (exposition, format) => {
        expect(() => outcome(exposition, format)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});
