import { parsePointer } from '../../../core/json-pointer.ts';
import { FormatError } from '../text-format.ts';

/** The parts of an entry that is a JSON pointer. Throws FormatError if it is none. */
export function pointerParts(pointer: string): readonly string[] {
  const parts = parsePointer(pointer);
  if (parts !== undefined) return parts;
  const expected = 'a JSON pointer like /featureFlags/NAME, with ~1 for "/" and ~0 for "~" in names';
  throw new FormatError('badEntry', `${JSON.stringify(pointer)} is not ${expected}`);
}
