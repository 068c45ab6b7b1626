import { setTimeout as delay } from 'node:timers/promises';
import { nameDatabase } from '../../../core/model/sql-step.ts';
import { describeStep } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import type { SecretResolver } from '../../secrets.ts';
import { openSession } from '../../sql/open-session.ts';
import { SqlError, type SqlHost } from '../../sql/session.ts';
import {
  type Ask,
  failed,
  type Observation,
  type StepContext,
  type StepDriver,
  type StepFault,
  type StepOf,
  type StepOutcome,
} from '../step-driver.ts';
import { observeRepetition, outcomeBefore } from '../unless.ts';
import { examineScript } from './examine.ts';
import { readScript, ScriptError } from './read-script.ts';
import { GuardError, type Progress, progressOf, runScript } from './run-script.ts';

type SqlStepOf = StepOf<'sql'>;

/** How long PostgreSQL is asked what became of a transaction whose answer was lost: it may be starting again. */
const RESOLVE_MS: Millis = 20_000;
const POLL_MS: Millis = 250;

export type SqlStepHost = { readonly allow: AllowList; readonly ask: Ask; readonly secrets: SecretResolver };

/**
 * Runs statements, in one transaction unless the step says otherwise. What fails, or does not meet its guards, is rolled
 * back. PostgreSQL is asked by the transaction's own number whether it was committed, so that neither a crash of revertd
 * nor a lost connection leaves that open. SQLite keeps no such books: a crash in the moment of the commit is what `unless`
 * and `repeatable` are for.
 */
export function sqlStep(host: SqlStepHost): StepDriver<'sql'> {
  return {
    describe: describeStep,
    examine: (step, signal) => examineScript(host, step, signal),
    prepare: () => Promise.resolve({ phase: 'prepared' }),
    perform: async (step, context) => {
      if (context.signal.aborted) return failed('aborted', `${describeStep(step)} was stopped before it began`);
      const deadline = startDeadline(context.signal, step.timeoutMs);
      const before = await outcomeBefore(step, host.ask, deadline.signal);
      return before ?? (await perform(step, context, host, deadline));
    },
    observe: async (step, fingerprint, signal) => {
      const progress = progressOf(fingerprint);
      if (progress.phase === 'prepared') return 'notDone';
      const told =
        progress.phase === 'committing' ? await observeCommit(step, progress.identity, host, signal) : 'unknown';
      return told === 'unknown' ? await observeRepetition(step, host.ask, signal) : told;
    },
  };
}

async function perform(
  step: SqlStepOf,
  context: StepContext,
  host: SqlStepHost,
  deadline: Deadline,
): Promise<StepOutcome> {
  let progress: Progress = { phase: 'prepared' };
  const onProgress = (now: Progress) => {
    progress = now;
  };
  try {
    const lines = await runOnce(step, context, host, deadline, onProgress);
    return { outcome: 'done', detail: `${describeStep(step)}\n${lines.slice(0, 20).join('\n')}` };
  } catch (error) {
    if (error instanceof SqlError && error.code === 'commitLost') {
      return await resolveCommit(step, progress, error, context, host);
    }
    return blame(step, progress, deadline, error);
  }
}

async function runOnce(
  step: SqlStepOf,
  context: StepContext,
  host: SqlStepHost,
  deadline: Deadline,
  onProgress: (progress: Progress) => void,
): Promise<readonly string[]> {
  const statements = await readScript(step);
  const lockMs = Math.min(step.lockTimeoutMs ?? step.timeoutMs, step.timeoutMs);
  const options = { access: 'write', statementMs: step.timeoutMs, lockMs } as const;
  const session = await openSession(step.database, host, options, deadline.signal);
  try {
    return await runScript({ step, statements, session, context, onProgress });
  } finally {
    await session.close();
  }
}

function blame(step: SqlStepOf, progress: Progress, deadline: Deadline, error: unknown): StepOutcome {
  if (error instanceof ScriptError) return failed('badFile', error.message);
  const effect = effectSoFar(step, progress);
  if (error instanceof GuardError) return failed(error.code, `${error.message}; ${effect}`);
  if (!(error instanceof SqlError)) throw error;
  const what = describeStep(step);
  if (error.code === 'stopped') {
    const cause = deadline.cause();
    if (cause === 'aborted') return failed('aborted', `${what} was stopped; ${effect}`);
    return failed(
      'timedOut',
      `${what} was not done after ${formatDuration(step.timeoutMs)} (${error.message}); ${effect}`,
    );
  }
  return failed(FAULTS[error.code], `${nameDatabase(step.database)}: ${error.message}; ${effect}`);
}

const FAULTS = {
  secret: 'secret',
  notAllowed: 'notAllowed',
  badDsn: 'secret',
  noDatabase: 'unreachable',
  notADatabase: 'badFile',
  unreachable: 'unreachable',
  loginRefused: 'unreachable',
  connectionLost: 'unreachable',
  commitLost: 'unreachable',
  locked: 'locked',
  statement: 'statement',
} as const satisfies Record<Exclude<SqlError['code'], 'stopped'>, StepFault>;

function effectSoFar(step: SqlStepOf, progress: Progress): string {
  if (step.transaction || progress.phase !== 'statement') return 'nothing was changed';
  return progress.number === 1
    ? 'statement 1 may have had a part of its effect'
    : `statements 1 to ${progress.number - 1} have taken effect, statement ${progress.number} may have in part`;
}

/** The connection broke between COMMIT and its answer: the database itself knows. */
async function resolveCommit(
  step: SqlStepOf,
  progress: Progress,
  error: SqlError,
  context: StepContext,
  host: SqlStepHost,
): Promise<StepOutcome> {
  const identity = progress.phase === 'committing' ? progress.identity : null;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(RESOLVE_MS)]);
  switch (await observeCommit(step, identity, host, signal)) {
    case 'done':
      return { outcome: 'done', detail: `${describeStep(step)}: committed, although ${error.message}` };
    case 'notDone':
      return failed('unreachable', `${error.message}; the transaction was rolled back`);
    case 'unknown':
      return { outcome: 'unknown', detail: `${nameDatabase(step.database)}: ${error.message}` };
  }
}

/** A transaction without a number wrote nothing, so that doing it again is safe. */
async function observeCommit(
  { database }: SqlStepOf,
  identity: string | null,
  host: SqlHost,
  signal: AbortSignal,
): Promise<Observation> {
  if (database.kind === 'sqlite') return 'unknown';
  if (identity === null) return 'notDone';
  const { outcomeOf } = await import('../../sql/postgres.ts');
  for (;;) {
    const told = await outcomeOf(database, identity, host, signal).catch((error: unknown) => {
      if (error instanceof SqlError) return error;
      throw error;
    });
    if (told === 'committed') return 'done';
    if (told === 'aborted') return 'notDone';
    const passes = told === 'inProgress' || (told instanceof SqlError && told.code !== 'statement');
    if (!passes || signal.aborted) return 'unknown';
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
