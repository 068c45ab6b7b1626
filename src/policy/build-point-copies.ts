import type { PointCopy } from '../core/model/point-policy.ts';
import type { Millis } from '../core/units.ts';
import { argvAt, type BuildContext, durationAt, fault, SHORTEST_TIMEOUT, valueOrigin } from './build-context.ts';
import { buildHeaders } from './build-parts.ts';
import type { RawPointCopy } from './raw-documents.ts';

const DEFAULT_TIMEOUT_MS: Millis = 3_600_000;

/** What a copy's program is told, each in as many arguments as name it. */
export const COPY_VARIABLES = ['file', 'point'] as const;

export function buildPointCopies(context: BuildContext, raw: readonly RawPointCopy[]): readonly PointCopy[] {
  const copies = raw.map((copy, index): PointCopy => {
    const path = ['spec', 'copies', index];
    if (!copy.command.some((argument) => argument.includes('${file}'))) {
      const message = 'the program is not told what to copy: one of its arguments must be, or name, `${file}`';
      fault(context, [...path, 'command'], 'E-COPY', message);
    }
    return {
      name: copy.name ?? `copy-${index + 1}`,
      step: {
        origin: valueOrigin(context, path),
        timeoutMs: durationAt(context, [...path, 'timeout'], copy.timeout, DEFAULT_TIMEOUT_MS, SHORTEST_TIMEOUT),
        kind: 'run',
        argv: argvAt(context, [...path, 'command'], copy.command),
        env: buildHeaders(context, [...path, 'env'], copy.env),
        // The same point goes to the same name, so that doing it again writes the same over the same.
        repeatable: true,
        unless: [],
      },
    };
  });
  refuseSameNames(context, copies);
  return copies;
}

function refuseSameNames(context: BuildContext, copies: readonly PointCopy[]): void {
  for (const [index, { name }] of copies.entries()) {
    if (copies.findIndex((other) => other.name === name) === index) continue;
    const message = `two copies are called "${name}"; what became of each is remembered by its name`;
    fault(context, ['spec', 'copies', index], 'E-COPY', { message, found: name });
  }
}
