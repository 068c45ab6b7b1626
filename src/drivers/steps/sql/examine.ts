import type { Examination } from '../../../core/model/drill.ts';
import { nameDatabase, type SqlStatement, shorten } from '../../../core/model/sql-step.ts';
import { bindParams } from '../../../core/sql/bind-params.ts';
import { splitStatements } from '../../../core/sql/split-statements.ts';
import type { Millis } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import type { SecretResolver } from '../../secrets.ts';
import { judgeResult } from '../../sql/judge-result.ts';
import { openSession } from '../../sql/open-session.ts';
import { SqlError, type SqlResult, type SqlSession } from '../../sql/session.ts';
import { obstacle, ready, type StepOf, unsure } from '../step-driver.ts';
import { readScript, ScriptError } from './read-script.ts';

const LOCK_MS: Millis = 2_000;
const STATEMENT_MS: Millis = 10_000;

/** Statements that are planned by EXPLAIN without being executed: postgresql.org/docs/current/sql-explain.html. */
const EXPLAINED = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'WITH', 'VALUES', 'REPLACE']);

/** SQLite explains everything; but what comes after these can only be understood once they were executed. */
const CHANGES_SCHEMA = new Set([
  'CREATE',
  'ALTER',
  'DROP',
  'PRAGMA',
  'ATTACH',
  'DETACH',
  'VACUUM',
  'REINDEX',
  'ANALYZE',
]);

/**
 * Whether the database lets us in and understands the statements, as it is now: each is planned and none is executed, in a
 * transaction that only reads. What follows a change of the schema can only be understood after it. The conditions are
 * asked, and their answer is told: most become true only by the statements.
 */
export async function examineScript(
  host: { readonly allow: AllowList; readonly secrets: SecretResolver },
  step: StepOf<'sql'>,
  signal: AbortSignal,
): Promise<Examination> {
  const { database } = step;
  const refused = database.kind === 'sqlite' ? host.allow.mayWrite(database.path) : undefined;
  if (refused !== undefined) return obstacle(refused);
  try {
    const statements = await readScript(step);
    const options = { access: 'read', statementMs: STATEMENT_MS, lockMs: LOCK_MS } as const;
    const session = await openSession(database, host, options, signal);
    try {
      await session.begin();
      return await examineAll(step, statements, session);
    } finally {
      await session.close();
    }
  } catch (error) {
    if (error instanceof ScriptError) return obstacle(error.message);
    if (!(error instanceof SqlError)) throw error;
    const detail = `${nameDatabase(database)}: ${error.message}`;
    return error.code === 'stopped' || error.code === 'locked' ? unsure(detail) : obstacle(detail);
  }
}

async function examineAll(
  step: StepOf<'sql'>,
  statements: readonly SqlStatement[],
  session: SqlSession,
): Promise<Examination> {
  const first = statements.findIndex(({ text }) => !isExplained(text, step));
  const known = first === -1 ? statements : statements.slice(0, first);
  for (const { text } of known) await ask(step, session, `EXPLAIN ${text}`);
  const understood = `${known.length} of ${statements.length} statement(s) understood, none executed`;
  if (first !== -1) return ready(`${understood}; \`${shorten(statements[first]?.text ?? '')}\` can only be tried`);
  const conditions: string[] = [];
  for (const { query, expect } of step.require) {
    const { detail } = judgeResult(expect, await ask(step, session, query));
    conditions.push(`${shorten(query)} ${detail}`);
  }
  return ready([understood, ...conditions].join('; now: '));
}

function isExplained(text: string, { database }: StepOf<'sql'>): boolean {
  const [statement] = splitStatements(text, database.kind);
  const verb = statement?.verb[0] ?? '';
  return database.kind === 'sqlite' ? !CHANGES_SCHEMA.has(verb) : EXPLAINED.has(verb);
}

async function ask({ params, database }: StepOf<'sql'>, session: SqlSession, text: string): Promise<SqlResult> {
  const bound = bindParams(text, Object.keys(params), database.kind);
  return await session.run(
    bound.text,
    bound.names.map((name) => ({ name, value: params[name] ?? null })),
  );
}
