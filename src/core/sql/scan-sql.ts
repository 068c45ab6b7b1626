/** Which words and signs a database gives a meaning of its own. */
export type SqlDialect = 'postgres' | 'sqlite';

/**
 * `word`: a keyword or a name without quotes. `param`: `:name`. `skipped`: a comment, or blanks. `other`: quoted text
 * and names, numbers, signs.
 */
export type SqlToken = {
  readonly kind: 'word' | 'param' | 'semicolon' | 'skipped' | 'other';
  readonly text: string;
  readonly offset: number;
};

const BLANK = /[ \t\n\r\f\v]+/y;
const LINE_COMMENT = /--[^\n]*/y;
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const NUMBER = /\d[\w.]*/y;
/** `::` is a cast, `:=` an assignment: neither begins a parameter. */
const PARAM = /:[A-Za-z_]\w*/y;
const QUOTED = /'(?:[^']|'')*(?:'|$)/y;
/** E'…' knows backslashes; see PostgreSQL's "Lexical Structure", 4.1.2.2. */
const ESCAPED = /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/y;
const NAME = /"(?:[^"]|"")*(?:"|$)/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
/** SQLite takes these over from MySQL and SQL Server. */
const OTHER_NAMES = /`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)/y;

/** The text in pieces that, put together again, give the text. What is never closed reaches to the end. */
export function scanSql(text: string, dialect: SqlDialect): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  for (let offset = 0; offset < text.length; ) {
    const token = tokenAt(text, offset, dialect);
    tokens.push(token);
    offset += token.text.length;
  }
  return tokens;
}

function tokenAt(text: string, offset: number, dialect: SqlDialect): SqlToken {
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  const made = (kind: SqlToken['kind'], found: string): SqlToken => ({ kind, text: found, offset });
  const skipped = take(BLANK) ?? take(LINE_COMMENT) ?? blockComment(text, offset, dialect === 'postgres');
  if (skipped !== undefined) return made('skipped', skipped);
  if (text[offset] === ';') return made('semicolon', ';');
  const quoted =
    take(QUOTED) ?? take(NAME) ?? (dialect === 'postgres' ? dollarQuoted(text, offset, take) : take(OTHER_NAMES));
  if (quoted !== undefined) return made('other', quoted);
  const escaped = dialect === 'postgres' ? take(ESCAPED) : undefined;
  if (escaped !== undefined) return made('other', escaped);
  const word = take(WORD);
  if (word !== undefined) return made('word', word);
  if (text.startsWith('::', offset)) return made('other', '::');
  const param = take(PARAM);
  if (param !== undefined) return made('param', param);
  return made('other', take(NUMBER) ?? text.charAt(offset));
}

/** PostgreSQL's nest, SQLite's do not. */
function blockComment(text: string, offset: number, nest: boolean): string | undefined {
  if (!text.startsWith('/*', offset)) return undefined;
  const marks = /\/\*|\*\//g;
  marks.lastIndex = offset + 2;
  let depth = 1;
  for (let found = marks.exec(text); found !== null; found = marks.exec(text)) {
    if (found[0] === '*/') depth -= 1;
    else if (nest) depth += 1;
    if (depth === 0) return text.slice(offset, found.index + 2);
  }
  return text.slice(offset);
}

function dollarQuoted(text: string, offset: number, take: (pattern: RegExp) => string | undefined): string | undefined {
  const tag = take(DOLLAR_TAG);
  if (tag === undefined) return undefined;
  const end = text.indexOf(tag, offset + tag.length);
  return end === -1 ? text.slice(offset) : text.slice(offset, end + tag.length);
}
