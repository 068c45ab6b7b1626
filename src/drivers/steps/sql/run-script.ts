import { describeRows, type SqlStatement, type SqlStep, shorten } from '../../../core/model/sql-step.ts';
import { bindParams } from '../../../core/sql/bind-params.ts';
import { isWithin, judgeResult } from '../../sql/judge-result.ts';
import type { SqlResult, SqlSession } from '../../sql/session.ts';
import type { Fingerprint, StepContext, StepFault } from '../step-driver.ts';

/** A guard of the step was not met. */
export class GuardError extends Error {
  override readonly name = 'GuardError';
  readonly code: StepFault;

  constructor(code: StepFault, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where a run was when it was last heard of, for `observe`. */
export type Progress =
  | { readonly phase: 'prepared' }
  /** Without a transaction: this statement, counted from 1, was begun. */
  | { readonly phase: 'statement'; readonly number: number }
  | { readonly phase: 'committing'; readonly identity: string | null };

export function progressOf(fingerprint: Fingerprint): Progress {
  const fields = new Map(Object.entries(typeof fingerprint === 'object' ? (fingerprint ?? {}) : {}));
  const identity = fields.get('identity');
  switch (fields.get('phase')) {
    case 'statement':
      return { phase: 'statement', number: Number(fields.get('number')) };
    case 'committing':
      return { phase: 'committing', identity: typeof identity === 'string' ? identity : null };
    default:
      return { phase: 'prepared' };
  }
}

export type ScriptRun = {
  readonly step: SqlStep;
  readonly statements: readonly SqlStatement[];
  readonly session: SqlSession;
  readonly context: Pick<StepContext, 'log' | 'remember'>;
  /** Told what is under way, so that a fault can say how far it came. */
  readonly onProgress: (progress: Progress) => void;
};

/** Runs everything, holds the guards against it, and commits. Gives a line for each statement. */
export async function runScript(run: ScriptRun): Promise<readonly string[]> {
  const { step, session } = run;
  if (step.transaction) await session.begin();
  const lines: string[] = [];
  for (const [index, statement] of run.statements.entries()) {
    if (!step.transaction) note(run, { phase: 'statement', number: index + 1 });
    lines.push(await runStatement(run, statement, index));
  }
  for (const condition of step.require) await requireCondition(run, condition);
  if (step.transaction) {
    note(run, { phase: 'committing', identity: (await session.identity()) ?? null });
    await session.commit();
  }
  return lines;
}

function note({ context, onProgress }: ScriptRun, progress: Progress): void {
  context.remember(progress);
  onProgress(progress);
}

async function runStatement(run: ScriptRun, statement: SqlStatement, index: number): Promise<string> {
  const what = `statement ${index + 1} of ${run.statements.length}`;
  if (statement.atMostCounted !== undefined) {
    throw new GuardError('rows', `${what} (${shorten(statement.text)}) is bound by a count that nobody has agreed to`);
  }
  run.context.log(`${what}: ${shorten(statement.text)}`);
  const result = await ask(run, statement.text);
  const rows = result.rows === null ? '' : `${result.rows} row${result.rows === 1 ? '' : 's'}`;
  if (statement.rows !== undefined && (result.rows === null || !isWithin(statement.rows, result.rows))) {
    const found = rows === '' ? 'no count of rows' : rows;
    throw new GuardError(
      'rows',
      `${what} (${shorten(statement.text)}) gave ${found}, expected ${describeRows(statement.rows)}`,
    );
  }
  requireCheckpoint(statement, result);
  return `${shorten(statement.text)}${rows === '' ? '' : `: ${rows}`}`;
}

/** SQLite answers a checkpoint that readers kept it from with a row that says so, and with no error. */
function requireCheckpoint({ text }: SqlStatement, { columns, first }: SqlResult): void {
  const [busy, ...others] = columns;
  if (busy !== 'busy' || others.join() !== 'log,checkpointed' || first?.[0] !== 1) return;
  throw new GuardError('locked', `${shorten(text)} was not completed: somebody else reads or writes the database`);
}

async function requireCondition(run: ScriptRun, { query, expect }: SqlStep['require'][number]): Promise<void> {
  const { outcome, detail } = judgeResult(expect, await ask(run, query));
  if (outcome !== 'true') throw new GuardError('condition', `${shorten(query)} ${detail}`);
}

async function ask({ step, session }: ScriptRun, text: string): Promise<SqlResult> {
  const bound = bindParams(text, Object.keys(step.params), step.database.kind);
  return await session.run(
    bound.text,
    bound.names.map((name) => ({ name, value: step.params[name] ?? null })),
  );
}
