import { isAscii, isUtf8 } from 'node:buffer';
import { ExpositionError, excerpt } from './exposition-error.ts';

export type ExpositionFormat = 'text' | 'openmetrics';

/** What scrapers ask for: OpenMetrics 1.0 rather than the Prometheus text format 0.0.4, and anything rather than nothing. */
export const ACCEPT =
  'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=0.0.4;q=0.4,*/*;q=0.1';

/**
 * The format that a Content-Type names. Absent, and `application/octet-stream`, count as text: small exporters
 * and static file servers send them. Throws an ExpositionError for a type that cannot be an exposition.
 */
export function formatOf(contentType: string | undefined): ExpositionFormat {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  switch (type) {
    case 'application/openmetrics-text':
      return 'openmetrics';
    case '':
    case 'text/plain':
    case 'application/octet-stream':
      return 'text';
    case 'text/html':
    case 'application/xhtml+xml':
      throw html(0);
    default: {
      const expected = 'expected text/plain (Prometheus text format) or application/openmetrics-text';
      throw new ExpositionError('content_type', 0, `the answer's Content-Type is ${excerpt(type)}; ${expected}`);
    }
  }
}

/** A page in place of metrics, as a proxy, a log-in form or the wrong path send it. */
export function html(line: number): ExpositionError {
  const what =
    'the answer is an HTML page; expected metrics as text: check the path, and whether a log-in is in between';
  return new ExpositionError('html', line, what);
}

/** The body as text. Throws an ExpositionError with the line of the first byte that is not UTF-8. */
export function decodeBody(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1');
  if (isUtf8(body)) return body.toString('utf8');
  const { line, content } = firstInvalidLine(body);
  throw new ExpositionError('invalid_utf8', line, `bytes that are not UTF-8 in ${excerpt(content.toString('latin1'))}`);
}

function firstInvalidLine(body: Buffer): { line: number; content: Buffer } {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = body.indexOf('\n', start);
    const content = body.subarray(start, newline === -1 ? body.length : newline);
    if (newline === -1 || !isUtf8(content)) return { line, content };
    line++;
    start = newline + 1;
  }
}
