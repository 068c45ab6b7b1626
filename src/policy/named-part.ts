import { parsePointer } from '../core/json-pointer.ts';
import { nearestName } from '../core/nearest-name.ts';
import { isWithin, type NamedPart } from './build-context.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { alternativesText } from './found.ts';
import { hasVariable } from './host-variables.ts';
import type { Declared } from './link.ts';

/** What is wrong with it; undefined if nothing is. A part is named by a path within the target, by a JSON pointer of the document, or by a flag. */
export function checkPart(
  { text, origin }: NamedPart,
  { type, flags }: NonNullable<Declared['target']>,
): Diagnostic | undefined {
  if (hasVariable(text)) return undefined;
  switch (type) {
    case 'git':
    case 'files': {
      if (isWithin(text)) return undefined;
      const message = `"${text}" is not a path within the target; it must be relative, and must not contain \`..\``;
      return errorAt(origin, 'E-PATH', { message, found: text });
    }
    case 'http': {
      if ((parsePointer(text)?.length ?? 0) > 0) return undefined;
      const message = `"${text}" is not a place in a JSON document; expected a JSON pointer such as /limits/rate`;
      return errorAt(origin, 'E-POINTER', { message, found: text });
    }
    case 'sqlite':
    case 'postgres':
    case 'rows': {
      const message = 'a database has no paths; name its `tables`, or leave `only` out';
      return errorAt(origin, 'E-RESTORE-PART', { message, found: text });
    }
    case 'flags': {
      // Which flags there are is held against the reference to each.
      if (flags === undefined || flags.length === 0 || flags.includes(text)) return undefined;
      const suggestion = nearestName(text, flags);
      const expected = alternativesText(flags);
      const hint = suggestion === undefined ? `expected ${expected}` : `did you mean "${suggestion}"?`;
      const message = `"${text}" is not among the flags that the target stands for; ${hint}`;
      const wording = { message, found: text, expected };
      return errorAt(origin, 'E-RESTORE-PART', suggestion === undefined ? wording : { ...wording, suggestion });
    }
    case 'command': {
      const message = `a target of type ${type} is restored as a whole; leave \`only\` out`;
      return errorAt(origin, 'E-RESTORE-PART', { message, found: text });
    }
  }
}
