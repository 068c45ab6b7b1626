import { type Document, isCollection, type Node, visit, type YAMLParseError } from 'yaml';

/** A syntax error in the words of someone who did not write a YAML parser, at the place that has to be mended. */
export type SyntaxFault = { readonly offset: number; readonly code: string; readonly message: string };

type YamlDocument = Document.Parsed;

export function explainSyntaxError(text: string, document: YamlDocument, error: YAMLParseError): SyntaxFault {
  const at = error.pos[0];
  return (
    mergeConflict(text, document) ??
    template(text, document) ??
    openQuote(text, document, at) ??
    openBracket(text, document, at) ??
    explainByCode(text, error)
  );
}

function mergeConflict(text: string, { range: [start, end] }: YamlDocument): SyntaxFault | undefined {
  const found = /^(?:<{7} |={7}$|>{7} )/m.exec(text.slice(start, end));
  if (found === null) return undefined;
  const message = 'found the mark of a merge conflict; resolve the conflict, then commit';
  return { offset: start + found.index, code: 'E-MERGE-CONFLICT', message };
}

/** Helm and Jinja write `{{ … }}` and `{% … %}`; rendered by them the file would be fine. */
function template(text: string, document: YamlDocument): SyntaxFault | undefined {
  const [start, end] = document.range;
  let offset = start;
  for (const line of text.slice(start, end).split('\n')) {
    const found = /^([^"'#]*?)(\{\{|\{%)/.exec(line);
    if (found !== null) return templateAt(offset + (found[1]?.length ?? 0), found[2] ?? '');
    offset += line.length + 1;
  }
  return undefined;
}

function templateAt(offset: number, mark: string): SyntaxFault {
  const message = `found ${mark}: this is a template, not a policy; render it first. revertd's own variables are written \${host.NAME}`;
  return { offset, code: 'E-TEMPLATE', message };
}

const LOOKS_LIKE_KEY = /\n\s*(?:- )?[A-Za-z_][\w.-]*:(?:\s|$)/;

/** A quote that nobody closed swallows the lines after it, or closes at the next quote and leaves a rest behind. */
function openQuote(text: string, document: YamlDocument, at: number): SyntaxFault | undefined {
  let opened: { readonly offset: number; readonly quote: string } | undefined;
  visit(document, {
    Scalar(_, { type, range }) {
      if (opened !== undefined || !range || (type !== 'QUOTE_DOUBLE' && type !== 'QUOTE_SINGLE')) return;
      const quote = type === 'QUOTE_DOUBLE' ? '"' : "'";
      const source = text.slice(range[0], range[1]);
      const closed = source.length > 1 && source.endsWith(quote);
      if (range[0] <= at && (!closed || LOOKS_LIKE_KEY.test(source))) opened = { offset: range[0], quote };
    },
  });
  if (opened === undefined) return undefined;
  const message = `this quote is not closed; add a ${opened.quote} at its end`;
  return { offset: opened.offset, code: 'E-YAML-QUOTE', message };
}

function openBracket(text: string, document: YamlDocument, at: number): SyntaxFault | undefined {
  let opened: number | undefined;
  visit(document, {
    Node(_, node: Node) {
      if (!isCollection(node) || node.flow !== true || !node.range) return;
      const [start, end] = node.range;
      if (start <= at && at <= end + 1 && !/[\]}]$/.test(text.slice(start, end))) opened = start;
    },
  });
  if (opened === undefined) return undefined;
  const bracket = text.charAt(opened);
  const message = `this ${bracket} is not closed; add a ${bracket === '[' ? ']' : '}'} (a text that begins with ${bracket} needs quotes)`;
  return { offset: opened, code: 'E-YAML-BRACKET', message };
}

function explainByCode(text: string, error: YAMLParseError): SyntaxFault {
  const offset = error.pos[0];
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { offset, code: 'E-YAML-TAB', message: 'found a tab in the indentation; YAML allows only spaces there' };
    case 'BAD_INDENT':
      return indentation(text, offset);
    case 'BLOCK_AS_IMPLICIT_KEY':
      return blockInValue(text, offset);
    case 'MULTILINE_IMPLICIT_KEY':
    case 'KEY_OVER_1024_CHARS':
      return missingColon(text, offset);
    case 'BAD_SCALAR_START':
      return badStart(text, offset);
    case 'BAD_DQ_ESCAPE': {
      const message = `\\${text.charAt(offset + 1)} means nothing in double quotes; use single quotes, or write \\\\`;
      return { offset, code: 'E-YAML-ESCAPE', message };
    }
    case 'NON_STRING_KEY':
      return { offset, code: 'E-YAML-KEY', message: 'a key must be a text, not a list or a mapping' };
    case 'RESOURCE_EXHAUSTION':
      return { offset, code: 'E-YAML-DEEP', message: 'nested too deeply to be read' };
    case 'BAD_DIRECTIVE':
      return { offset, code: 'E-YAML-DIRECTIVE', message: 'unknown YAML directive; leave the line out' };
    case 'MISSING_CHAR':
      return missingColon(text, offset);
    default:
      return unexpected(text, error);
  }
}

/** What stands before the place often tells more than what stands there. */
function unexpected(text: string, error: YAMLParseError): SyntaxFault {
  const offset = error.pos[0];
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trimEnd();
  if (/(:|^-) *[|>]$/.test(before)) {
    const message = `a value that begins with ${before.at(-1)} needs quotes: here it begins a block of text`;
    return { offset: text.lastIndexOf(before.slice(-1), offset - 1), code: 'E-YAML-PLAIN', message };
  }
  if (/["']$/.test(before)) {
    const message =
      "found text after a closing quote; a quote within quotes is written \\\" in double and '' in single ones";
    return { offset, code: 'E-YAML-QUOTE', message };
  }
  if (before.endsWith(':') && text.charAt(offset) === '-') {
    return { offset, code: 'E-YAML-LIST', message: 'a list with dashes begins on a line of its own' };
  }
  return { offset, code: 'E-YAML-SYNTAX', message: `this is not YAML: ${lowerFirst(error.message)}` };
}

function indentation(text: string, at: number): SyntaxFault {
  const offset = firstVisible(text, at);
  const column = offset - text.lastIndexOf('\n', offset - 1);
  const message = `wrong indentation: this line begins at column ${column}, unlike the keys or items that it seems to belong to`;
  return { offset, code: 'E-YAML-INDENT', message };
}

function firstVisible(text: string, at: number): number {
  let offset = at;
  while (text.charAt(offset) === ' ' || text.charAt(offset) === '\n') offset += 1;
  return offset < text.length ? offset : at;
}

/** Either `a: b: c`, or a value followed by a line that is indented as if it belonged to it. */
function blockInValue(text: string, at: number): SyntaxFault {
  const end = endOfLine(text, at);
  const begin = text.lastIndexOf('\n', at - 1) + 1;
  if (text.slice(begin, at).trim() === '') return indentation(text, begin);
  if (/:(?:\s|$)/.test(text.slice(at, end))) {
    const message = 'found a second ": " in one value; put the value in quotes, or begin a new line';
    return { offset: at, code: 'E-YAML-COLON', message };
  }
  return indentation(text, end);
}

function missingColon(text: string, at: number): SyntaxFault {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(start, endOfLine(text, at)).trim();
  if (/^(?:- )?[\w."'-]+:(?:\s|$)/.test(line)) return indentation(text, start);
  const offset = firstVisible(text, start);
  const glued = /^(?:- )?([\w.-]+):\S/.exec(line);
  const message =
    glued === null
      ? `expected "key: value" here, found \`${shorten(line)}\`; is a colon missing, or a quote?`
      : `a space is missing after \`${glued[1]}:\``;
  return { offset, code: 'E-YAML-KEY', message };
}

function badStart(text: string, at: number): SyntaxFault {
  const message = `a value without quotes cannot begin with ${text.charAt(at)}; put it in quotes`;
  return { offset: at, code: 'E-YAML-PLAIN', message };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
