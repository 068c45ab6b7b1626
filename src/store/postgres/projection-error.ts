/**
 * Why nothing can be written to PostgreSQL. Until a person does something about it only `unreachable` passes; `refused` may.
 *
 * `changed`: what an earlier revertd did to the schema is not what this one knows; `newer`: a later one has been there;
 * `diverged`: the database has events that this host's log has not.
 */
export type ProjectionErrorCode =
  | 'secret'
  | 'badDsn'
  | 'unreachable'
  | 'loginRefused'
  | 'newer'
  | 'changed'
  | 'diverged'
  | 'refused';

export class ProjectionError extends Error {
  override readonly name = 'ProjectionError';
  readonly code: ProjectionErrorCode;

  constructor(code: ProjectionErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
