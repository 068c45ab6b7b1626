import { SourceError } from '../source-error.ts';
import { GitExit } from './git-command.ts';
import { classifyFailure, describeFailure, type GitFailure } from './git-failures.ts';

/** The mirror cannot be read although nothing outside it is at fault: it is thrown away and made again. */
export class MirrorBroken extends Error {
  override readonly name = 'MirrorBroken';
}

/** The server or the way to it is at fault. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  readonly failure: GitFailure;

  constructor(failure: GitFailure, message: string, options: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** What a failed command amounts to that needed nothing but the mirror. A full disk is no reason to throw a good one away. */
export function localFault(error: unknown, mirror: string): unknown {
  if (!(error instanceof GitExit)) return error;
  if (error.exitCode === undefined) return killed(error, mirror);
  const failure = classifyFailure(error.stderr);
  switch (failure) {
    case 'storage':
    case 'exhausted':
    case 'busy':
      return new SourceError(failure, describeFailure(failure, mirror, error.stderr), { cause: error });
    case 'auth':
      return new SourceError('storage', describeFailure('storage', mirror, error.stderr), { cause: error });
    default:
      return new MirrorBroken(error.message, { cause: error });
  }
}

/** What a failed command amounts to that used the network. */
export function remoteFault(error: unknown, address: string): unknown {
  if (!(error instanceof GitExit)) return error;
  if (error.exitCode === undefined) return killed(error, address);
  const failure = classifyFailure(error.stderr);
  return new RemoteFailure(failure, describeFailure(failure, address, error.stderr), { cause: error });
}

function killed(error: GitExit, subject: string): SourceError {
  return new SourceError('unknown', `${subject}: git ${error.command} was killed from outside`, { cause: error });
}
