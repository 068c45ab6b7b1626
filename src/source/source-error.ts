import {
  REFUSAL_CODES,
  type RefusalCode,
  type SourceReading,
  UNREACHABLE_CODES,
  type UnreachableCode,
} from './policy-source.ts';

/** `unknownRevision`: no commit has this name. `configuration`: the settings contradict themselves or cannot mean anything. */
export type SourceErrorCode = RefusalCode | UnreachableCode | 'unknownRevision' | 'configuration';

/** A fault of a policy source, by its code; the message says what is wrong and how to mend it. */
export class SourceError extends Error {
  readonly code: SourceErrorCode;
  /** The revision that is refused, where it has a name already. */
  readonly revision: string | undefined;

  constructor(code: SourceErrorCode, message: string, options: ErrorOptions & { readonly revision?: string } = {}) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
    this.revision = options.revision;
  }
}

/** The reading that a fault amounts to; what is no fault of the source, such as an abort or a defect, is thrown again. */
export function readingOf(error: unknown, revision?: string): SourceReading {
  if (!(error instanceof SourceError)) throw error;
  const { code, message } = error;
  const refusal = REFUSAL_CODES.find((known) => known === code);
  const named = error.revision ?? revision;
  if (refusal !== undefined) {
    return { state: 'refused', code: refusal, message, ...(named === undefined ? {} : { revision: named }) };
  }
  const unreachable = UNREACHABLE_CODES.find((known) => known === code);
  if (unreachable === undefined) throw error;
  return { state: 'unreachable', code: unreachable, message };
}
