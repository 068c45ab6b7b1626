import { createHash } from 'node:crypto';
import type { TargetOf } from '../../../core/model/target.ts';
import { formatDuration } from '../../../core/units.ts';
import { startDeadline } from '../../deadline.ts';
import { type ProcessEnd, type ProcessSpec, runProcess } from '../../process.ts';
import { resolveTexts, SecretError } from '../../secrets.ts';
import { asUser, UserFault } from '../../steps/run/run-as-user.ts';
import type { CapturedHost } from '../captured-target.ts';
import { TargetError } from '../target-driver.ts';

export type ProgramCall = Pick<ProcessSpec, 'stdin' | 'take'> & {
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  /** What the program is told beside its own variables. */
  readonly told?: Readonly<Record<string, string>>;
};

/**
 * Runs one of a target's programs, as a `run` step would. Resolves with what it said when it ended with 0; rejects with
 * TargetError otherwise, and as `take` does.
 */
export async function runProgram(
  { allow, secrets }: CapturedHost,
  { name, type }: TargetOf<'command'>,
  { argv, signal, told = {}, ...streams }: ProgramCall,
): Promise<string> {
  const [program = ''] = argv;
  const refused = allow.mayRun(program);
  if (refused !== undefined) throw new TargetError('notAllowed', refused);
  if (signal.aborted) throw new TargetError('aborted', `${program} was not begun`);
  const deadline = startDeadline(signal, type.timeoutMs);
  try {
    const as = type.user === undefined ? undefined : await asUser(type.user, argv, deadline.signal);
    const home = as === undefined ? {} : { HOME: as.home };
    const env = { ...home, REVERTD_TARGET: name, ...told, ...(await resolveTexts(type.env, secrets)) };
    const folder = type.cwd === undefined ? {} : { cwd: type.cwd };
    const end = await runProcess({ argv: as?.argv ?? argv, env, ...folder, ...streams, secrets }, deadline.signal);
    if (end.kind === 'exited' && end.code === 0) return end.output.trimEnd();
    throw faultOf(program, end, deadline.cause() === 'timedOut' ? formatDuration(type.timeoutMs) : undefined);
  } catch (error) {
    if (error instanceof SecretError) throw new TargetError('secret', error.message, error);
    if (error instanceof UserFault) throw new TargetError('program', error.message, error);
    throw error;
  }
}

function faultOf(program: string, end: ProcessEnd, late: string | undefined): TargetError {
  switch (end.kind) {
    case 'exited':
      return new TargetError('program', withOutput(`${program} ended with exit code ${end.code}`, end.output));
    case 'killed':
      return new TargetError('program', withOutput(`${program} was killed by ${end.by}`, end.output));
    case 'notStarted':
      return new TargetError('program', end.message);
    case 'stopped': {
      if (late === undefined) return new TargetError('aborted', withOutput(`${program} was stopped`, end.output));
      const text = `${program} had not ended after ${late} and was killed with all it started`;
      return new TargetError('timedOut', withOutput(text, end.output));
    }
  }
}

function withOutput(text: string, output: string): string {
  const trimmed = output.trimEnd();
  return trimmed === '' ? text : `${text}: ${trimmed}`;
}

/** The SHA-256 of what a program writes, and how long that is, in bounded memory. Rejects as `runProgram` does. */
export async function sumOfOutput(
  host: CapturedHost,
  target: TargetOf<'command'>,
  call: Pick<ProgramCall, 'argv' | 'signal'>,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const sum = createHash('sha256');
  let bytes = 0;
  const take = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of stdout) {
      sum.update(piece);
      bytes += piece.length;
      refuseLonger(target, bytes);
    }
  };
  await runProgram(host, target, { ...call, take });
  return { sha256: sum.digest('hex'), bytes };
}

/** @throws {TargetError} `format` */
export function refuseLonger({ type }: TargetOf<'command'>, bytes: number): void {
  if (bytes <= type.maxBytes) return;
  throw new TargetError(
    'format',
    `${type.capture[0]} wrote more than ${type.maxBytes} bytes, which \`maxBytes\` allows`,
  );
}
