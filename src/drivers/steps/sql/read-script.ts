import { open } from 'node:fs/promises';
import type { SqlStatement, SqlStep } from '../../../core/model/sql-step.ts';
import { controlsTransaction, refusesTransaction, splitStatements } from '../../../core/sql/split-statements.ts';

/** Larger scripts are dumps, which a program of the database's own should load. */
const LARGEST_SCRIPT_BYTES = 4 * 1024 * 1024;

export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** The statements of the step, one by one. Rejects with ScriptError if a file of them cannot be used. */
export async function readScript({ script, database, transaction }: SqlStep): Promise<readonly SqlStatement[]> {
  if (script.kind === 'statements') return script.statements;
  const text = await readText(script.path);
  const statements = splitStatements(text, database.kind);
  if (statements.length === 0) throw new ScriptError(`${script.path} has no statement`);
  for (const statement of statements) {
    const line = text.slice(0, statement.offset).split('\n').length;
    if (statement.text.startsWith('\\')) {
      throw new ScriptError(`${script.path}:${line}: a command of psql, which only psql understands`);
    }
    const words = statement.verb.slice(0, 3).join(' ');
    if (transaction && controlsTransaction(statement)) {
      const mend = 'the step opens and commits the transaction: remove it, or write `transaction: false`';
      throw new ScriptError(`${script.path}:${line}: ${words} in a script; ${mend}`);
    }
    if (transaction && refusesTransaction(statement, database.kind)) {
      throw new ScriptError(
        `${script.path}:${line}: ${words} cannot run in a transaction; write \`transaction: false\``,
      );
    }
  }
  return statements.map((statement) => ({ text: statement.text }));
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile()) throw new ScriptError(`${path} is not a regular file`);
    if (stats.size > LARGEST_SCRIPT_BYTES) throw new ScriptError(`${path} has more than ${LARGEST_SCRIPT_BYTES} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile());
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    if (error instanceof TypeError) throw new ScriptError(`${path} is not valid UTF-8`, { cause: error });
    const errno = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ScriptError(`${path} cannot be read (${errno})`, { cause: error });
  }
}
