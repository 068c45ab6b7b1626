/**
 * `noSocket`: nothing is at the socket's path. `notPermitted`: revertd may not open it. `refused`: nobody listens.
 * `lost`: the engine hung up before its answer was complete, so that what was asked may have taken effect.
 * `stopped`: the signal aborted. `notAnEngine`: what answers speaks no version of the API that revertd speaks.
 * `noSuchContainer`, `noSuchPath`: it knows none. `tooLarge`: more than what is handled. `engine`: it said no.
 */
export type EngineErrorCode =
  | 'noSocket'
  | 'notPermitted'
  | 'refused'
  | 'lost'
  | 'stopped'
  | 'notAnEngine'
  | 'noSuchContainer'
  | 'noSuchPath'
  | 'tooLarge'
  | 'engine';

/** A fault of the container engine, or on the way to it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
