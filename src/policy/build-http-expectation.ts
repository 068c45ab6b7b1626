import { parsePointer } from '../core/json-pointer.ts';
import type { HttpExpectation } from '../core/model/http-expectation.ts';
import { type BuildContext, fault } from './build-context.ts';
import { buildStatus } from './build-parts.ts';
import { checkPattern } from './build-source-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawHttpExpectation } from './raw-documents.ts';

export function buildHttpExpectation(context: BuildContext, path: Path, raw: RawHttpExpectation): HttpExpectation {
  const { bodyContains, bodyLacks, bodyMatches, json } = raw;
  checkPattern(context, [...path, 'bodyMatches'], bodyMatches);
  for (const [index, { pointer }] of (json ?? []).entries()) {
    if (hasVariable(pointer) || parsePointer(pointer) !== undefined) continue;
    const message = `\`pointer\` is not a JSON pointer: found "${pointer}"; ~ stands only before 0 and 1`;
    fault(context, [...path, 'json', index, 'pointer'], 'E-POINTER', { message, found: pointer });
  }
  return {
    status: buildStatus(raw.status),
    ...(bodyContains === undefined ? {} : { bodyContains }),
    ...(bodyLacks === undefined ? {} : { bodyLacks }),
    ...(bodyMatches === undefined ? {} : { bodyMatches }),
    ...(json === undefined ? {} : { json }),
  };
}
