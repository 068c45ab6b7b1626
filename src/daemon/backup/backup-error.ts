/** Why a backup was not made, or not restored. `code` is stable; the message says what to do. */
export type BackupErrorCode =
  /** It is none, or not of a form that this revertd reads. */
  | 'format'
  /** A newer revertd wrote it. */
  | 'newer'
  /** It is not what was written. */
  | 'damaged'
  /** What is there has something that the backup has not. */
  | 'wouldLose'
  /** There is a file already. */
  | 'exists'
  | 'io';

export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** A system call that failed, as an error that says in what; anything else passes unchanged. */
export async function inBackup<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) throw cause;
    throw new BackupError('io', `${doing}: ${String(cause.code)}`, { cause });
  }
}
