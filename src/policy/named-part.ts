import { parsePointer } from '../core/json-pointer.ts';
import type { Target } from '../core/model/target.ts';
import { isWithin, type NamedPart } from './build-context.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { hasVariable } from './host-variables.ts';

/** What is wrong with it; undefined if nothing is. A part is named by a path within the target, or by a JSON pointer of the document. */
export function checkPart({ text, origin }: NamedPart, type: Target['type']['kind']): Diagnostic | undefined {
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
    case 'postgres': {
      const message = 'a database has no paths; name its `tables`, or leave `only` out';
      return errorAt(origin, 'E-RESTORE-PART', { message, found: text });
    }
    case 'command': {
      const message = `a target of type ${type} is restored as a whole; leave \`only\` out`;
      return errorAt(origin, 'E-RESTORE-PART', { message, found: text });
    }
  }
}
