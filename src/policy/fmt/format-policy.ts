import { isDeepStrictEqual } from 'node:util';
import { type CST, Parser } from 'yaml';
import type { PolicyFile } from '../../core/model/revision.ts';
import { decode } from '../decode.ts';
import { boundDiagnostics, type Diagnostic, errorAt } from '../diagnostic.ts';
import { parseYaml } from '../parse-yaml.ts';
import { commentsIn } from './comments.ts';
import { UnprintableError } from './flow-text.ts';
import { printRoot } from './print-document.ts';
import { createSheet, hasComment, type Sheet, writeTrivia } from './sheet.ts';

export type Formatted =
  | { readonly ok: true; readonly text: string; readonly changed: boolean }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * A policy file in the canonical layout. Comments, blank lines and the order of everything but a document's head stay.
 * What is not YAML, or not the YAML that policies are written in, is left alone.
 */
export function formatPolicy(file: PolicyFile): Formatted {
  const decoded = decode(file);
  if (!decoded.ok) return { ok: false, diagnostics: [decoded.diagnostic] };
  const faults = parseYaml(file.path, decoded.text).diagnostics.filter(({ severity }) => severity === 'error');
  if (faults.length > 0) return { ok: false, diagnostics: boundDiagnostics(faults).diagnostics };
  const text = print(decoded.text);
  if (text === undefined || !saysTheSame(file.path, decoded.text, text) || print(text) !== text) {
    const message = 'this file cannot be laid out anew without a change of what it says; it is left as it is';
    return { ok: false, diagnostics: [errorAt({ file: file.path, line: 1, column: 1 }, 'E-FORMAT', message)] };
  }
  return { ok: true, text, changed: text !== new TextDecoder('utf-8', { ignoreBOM: true }).decode(file.bytes) };
}

function print(text: string): string | undefined {
  const sheet = createSheet();
  try {
    let isFirst = true;
    for (const token of new Parser().parse(text.replaceAll('\r\n', '\n'))) {
      if (token.type === 'document') printDocument(sheet, token, isFirst);
      else writeTrivia(sheet, token.type === 'doc-end' ? token.end : [token], 0);
      isFirst &&= token.type !== 'document';
    }
  } catch (error) {
    // The printer is recursive, as the parser is.
    if (error instanceof UnprintableError || error instanceof RangeError) return undefined;
    throw error;
  }
  return sheet.text();
}

/** `---` separates documents; at the top of a file it says nothing. */
function printDocument(sheet: Sheet, { start, value, end }: CST.Document, isFirst: boolean): void {
  const mark = start.findIndex(({ type }) => type === 'doc-start');
  const isAtTop = sheet.isEmpty() && !hasComment(start.slice(0, mark + 3));
  sheet.endLine();
  const isMarked = isFirst ? mark !== -1 && !isAtTop : true;
  if (isMarked) {
    sheet.dropBlank();
    sheet.write(0, '---');
  }
  writeTrivia(sheet, start, 0);
  sheet.endLine();
  if (isMarked && !hasComment(start)) sheet.dropBlank();
  if (value !== undefined) printRoot(sheet, value);
  writeTrivia(sheet, end, 0);
  sheet.endLine();
}

function saysTheSame(path: string, before: string, after: string): boolean {
  const comments = [before, after].map((text) =>
    commentsIn(text)
      .map((comment) => comment.text.trimEnd())
      .sort(),
  );
  if (!isDeepStrictEqual(comments[0], comments[1])) return false;
  const [left, right] = [before, after].map((text) => parseYaml(path, text));
  return (
    right?.diagnostics.every(({ severity }) => severity !== 'error') === true &&
    isDeepStrictEqual(
      left?.documents.map(({ value }) => value),
      right.documents.map(({ value }) => value),
    )
  );
}
