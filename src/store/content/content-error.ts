/** What went wrong in the content store. `code` is stable; the message says what to do. */
export type ContentErrorCode =
  /** What is stored is not what was stored; `blob` names it. */
  | 'corrupt'
  /** It is not there; `blob` names it. */
  | 'missing'
  /** It is encrypted with a key that was not given, or the key given is not the store's. */
  | 'key'
  /** The disk, or the quota, is full. Nothing half is left. */
  | 'full'
  /** Written by a newer version, or by something else. */
  | 'format'
  | 'aborted'
  | 'io';

export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly code: ContentErrorCode;
  /** The SHA-256 of the content that is concerned. */
  readonly blob: string | undefined;

  constructor(code: ContentErrorCode, message: string, options: { cause?: unknown; blob?: string } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.blob = options.blob;
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The error code of a failed system call; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
}

/** A failed system call as an error of the store; what is none of its faults passes unchanged. */
export function contentFault(error: unknown, doing: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  if (FULL.has(errno)) {
    return new ContentError('full', `${doing}: no space is left (${errno}); make room, then try again`, {
      cause: error,
    });
  }
  return new ContentError('io', `${doing}: ${errno}`, { cause: error });
}

/** Does `act`; a failed system call in it rejects as a fault of the store ({@link contentFault}). */
export async function guarded<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw contentFault(error, doing);
  }
}
