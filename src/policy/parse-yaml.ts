import { type Document, type Node, parseAllDocuments } from 'yaml';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { indexLines } from './line-index.ts';
import { plainValue } from './plain-value.ts';
import { originAt, type PolicyDocument } from './policy-document.ts';
import { explainSyntaxError } from './syntax-error.ts';

export type Parsed = {
  /** Those that could be read; what is wrong in them beyond syntax is among `diagnostics` and marked as spoilt. */
  readonly documents: readonly PolicyDocument[];
  /** How many documents the file has that say something, readable or not. */
  readonly count: number;
  readonly diagnostics: readonly Diagnostic[];
  /** The source of the documents that could not be read: names in them may be referred to by others. */
  readonly unread: readonly string[];
};

type YamlDocument = Document.Parsed;
type Source = Pick<PolicyDocument, 'file' | 'text' | 'lines'>;

/** All YAML 1.2 documents of a file (core schema). Empty ones are left out. */
export function parseYaml(file: string, text: string): Parsed {
  const source: Source = { file, text, lines: indexLines(text) };
  const found = parseLeniently(text);
  if (found === undefined) return unreadable(source);
  const documents: PolicyDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  const unread: string[] = [];
  const said = found.filter((document) => document.errors.length > 0 || !isEmpty(document));
  for (const document of said) {
    const refusal = refusalOf(source, document);
    if (refusal !== undefined) {
      diagnostics.push(refusal);
      unread.push(text.slice(document.range[0], document.range[1]));
      continue;
    }
    const plain = plainValue({ ...source, root: document.contents as Node });
    for (const found of plain.diagnostics) diagnostics.push(found);
    documents.push({ ...source, root: document.contents as Node, value: plain.value, spoilt: plain.spoilt });
  }
  return { documents, count: said.length, diagnostics, unread };
}

/** The parser is recursive; a file of nothing but brackets can exhaust its stack. */
function parseLeniently(text: string): readonly YamlDocument[] | undefined {
  try {
    const found = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    return 'empty' in found ? [] : found;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function unreadable(source: Source): Parsed {
  const message = 'the file is nested too deeply to be read';
  const diagnostic = errorAt({ file: source.file, line: 1, column: 1 }, 'E-YAML-DEEP', message);
  return { documents: [], count: 1, diagnostics: [diagnostic], unread: [source.text] };
}

function isEmpty(document: YamlDocument): boolean {
  const { contents } = document;
  return contents === null || (contents.range[0] === contents.range[1] && contents.tag === undefined);
}

/** One reason per document: after the first syntax error a parser guesses, and its further errors mislead. */
function refusalOf(source: Source, document: YamlDocument): Diagnostic | undefined {
  const [error] = document.errors.toSorted((left, right) => left.pos[0] - right.pos[0]);
  if (error !== undefined) {
    const { offset, code, message } = explainSyntaxError(source.text, document, error);
    return errorAt(originAt(source, offset), code, message);
  }
  if (document.directives.yaml.explicit === true || Object.keys(document.directives.tags).length > 1) {
    const message = 'found a YAML directive (%YAML or %TAG); leave it out, policies are YAML 1.2 without own tags';
    const offset = Math.max(0, source.text.lastIndexOf('%', document.range[0]));
    return errorAt(originAt(source, offset), 'E-YAML-DIRECTIVE', message);
  }
  return undefined;
}
