import { type SqlDialect, type SqlToken, scanSql } from './scan-sql.ts';

export type SplitStatement = {
  /** Without the semicolon at its end, blanks around it, and comments before it. */
  readonly text: string;
  /** Where it begins in the whole text, in UTF-16 units. */
  readonly offset: number;
  /** Its first words in capitals: `CREATE INDEX CONCURRENTLY`. */
  readonly verb: readonly string[];
};

/** Enough to tell what kind of statement it is. */
const VERB_WORDS = 6;

/**
 * The statements of a script. A semicolon ends one, unless it stands in quotes or in the body of a trigger (SQLite, by
 * the rule of `sqlite3_complete`) or of a function in the standard's own syntax (PostgreSQL, by the rule of psql: between
 * BEGIN and its END).
 */
export function splitStatements(text: string, dialect: SqlDialect): readonly SplitStatement[] {
  const statements: SplitStatement[] = [];
  let current: SqlToken[] = [];
  let body = newBody(dialect);
  for (const token of scanSql(text, dialect)) {
    if (token.kind === 'semicolon' && !body.isInside()) {
      statements.push(...statementOf(text, current));
      current = [];
      body = newBody(dialect);
    } else {
      current.push(token);
      body.see(token);
    }
  }
  return [...statements, ...statementOf(text, current)];
}

function statementOf(text: string, tokens: readonly SqlToken[]): readonly SplitStatement[] {
  const first = tokens.find(({ kind }) => kind !== 'skipped');
  const last = tokens.findLast(({ kind }) => kind !== 'skipped');
  if (first === undefined || last === undefined) return [];
  const words = tokens.filter(({ kind }) => kind === 'word').slice(0, VERB_WORDS);
  const written = text.slice(first.offset, last.offset + last.text.length);
  return [{ text: written, offset: first.offset, verb: words.map((word) => word.text.toUpperCase()) }];
}

/** Follows whether a semicolon would stand in the body of a definition. */
type Body = { readonly see: (token: SqlToken) => void; readonly isInside: () => boolean };

function newBody(dialect: SqlDialect): Body {
  return dialect === 'sqlite' ? triggerBody() : functionBody();
}

/** A trigger ends with `; END ;`: only that, for CASE has an END too. */
function triggerBody(): Body {
  const words: string[] = [];
  let isTrigger = false;
  let afterSemicolon = false;
  let ended = false;
  return {
    see: (token) => {
      if (token.kind === 'skipped') return;
      ended = token.kind === 'word' && token.text.toUpperCase() === 'END' && afterSemicolon;
      afterSemicolon = token.kind === 'semicolon';
      if (token.kind !== 'word' || words.length >= 3) return;
      words.push(token.text.toUpperCase());
      isTrigger = /^CREATE (?:TEMP |TEMPORARY )?TRIGGER\b/.test(words.join(' '));
    },
    isInside: () => isTrigger && !ended,
  };
}

function functionBody(): Body {
  const words: string[] = [];
  let isFunction = false;
  let depth = 0;
  return {
    see: (token) => {
      if (token.kind !== 'word') return;
      const word = token.text.toUpperCase();
      if (words.length < 4) {
        words.push(word);
        isFunction = /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE)\b/.test(words.join(' '));
      }
      if (!isFunction) return;
      if (word === 'BEGIN' || (word === 'CASE' && depth > 0)) depth += 1;
      if (word === 'END' && depth > 0) depth -= 1;
    },
    isInside: () => depth > 0,
  };
}

const TRANSACTION_VERBS = new Set(['BEGIN', 'COMMIT', 'END', 'ROLLBACK', 'ABORT', 'SAVEPOINT', 'RELEASE']);

/** Whether the statement would begin or end a transaction; who opened one could then not promise to undo it. */
export function controlsTransaction({ verb }: Pick<SplitStatement, 'verb'>): boolean {
  const [first = '', second = ''] = verb;
  if (first === 'START' || first === 'PREPARE') return second === 'TRANSACTION';
  return TRANSACTION_VERBS.has(first);
}

/** Whether the database refuses the statement within a transaction. */
export function refusesTransaction({ verb }: Pick<SplitStatement, 'verb'>, dialect: SqlDialect): boolean {
  const text = verb.join(' ');
  if (dialect === 'sqlite') return /^(?:VACUUM\b|PRAGMA (?:\w+ )?(?:WAL_CHECKPOINT|JOURNAL_MODE)\b)/.test(text);
  if (
    /^(?:CREATE (?:UNIQUE )?|DROP |REINDEX .*)INDEX CONCURRENTLY\b/.test(text) ||
    /^REINDEX .*CONCURRENTLY\b/.test(text)
  ) {
    return true;
  }
  return /^(?:VACUUM|ALTER SYSTEM|(?:CREATE|DROP) (?:DATABASE|TABLESPACE))\b/.test(text);
}
