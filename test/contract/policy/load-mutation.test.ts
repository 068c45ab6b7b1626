import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MOST_DIAGNOSTICS } from '../../../src/policy/diagnostic.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { readFixture } from '../../tools/policy-fixtures.ts';

const GOOD = readFixture('memory.good.yaml').bytes;
const HOST = { url: 'http://127.0.0.1:8080', dir: '/etc/memory' };

type Mutation = { readonly at: number; readonly remove: number; readonly insert: Uint8Array };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(GOOD.byteLength),
  remove: fc.nat(8),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc
      .constantFrom(
        '"',
        "'",
        '{',
        '}',
        '[',
        ']',
        ': ',
        '- ',
        '\n',
        '\t',
        '&a ',
        '*a',
        '!!x ',
        '---\n',
        '${',
        '|',
        '>',
        '#',
        '~',
        '<<: ',
      )
      .map((text) => new TextEncoder().encode(text)),
  ),
});

function mutate(bytes: Uint8Array, { at, remove, insert }: Mutation): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

it('a mutated file is loaded or refused with places in it, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const bytes = mutations.reduce(mutate, GOOD);
      const result = loadPolicies([{ path: 'f.yaml', bytes }], { revision: 'r', host: HOST, hostLabels: {} });
      const found = result.ok ? result.warnings : result.diagnostics;
      const lines = new TextDecoder().decode(bytes).split('\n');
      expect(result.ok || found.some(({ severity }) => severity === 'error')).toBe(true);
      expect(found.length).toBeLessThanOrEqual(MOST_DIAGNOSTICS);
      for (const { line, column } of found) {
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1);
      }
    }),
    { numRuns: 300 },
  );
});

it('equal files give equal results', () => {
  const load = () => loadPolicies([{ path: 'f.yaml', bytes: GOOD }], { revision: 'r', host: HOST, hostLabels: {} });
  expect(load()).toEqual(load());
});
