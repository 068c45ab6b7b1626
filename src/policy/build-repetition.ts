import type { Repetition } from '../core/model/step.ts';
import { buildChecks } from './build-check.ts';
import { type BuildContext, fault } from './build-context.ts';
import type { Path } from './path.ts';
import type { RawRepetition } from './raw-documents.ts';

export function buildRepetition(context: BuildContext, path: Path, raw: RawRepetition): Repetition {
  if (raw.repeatable === true && raw.unless !== undefined) {
    fault(context, [...path, 'unless'], 'E-REPETITION', '`repeatable: true` and `unless` exclude each other; keep one');
  }
  return { repeatable: raw.repeatable ?? false, unless: buildChecks(context, [...path, 'unless'], raw.unless) };
}
