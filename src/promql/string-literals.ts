const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
};

const encoder = new TextEncoder();

/**
 * The value of a quoted string literal, quotes included, after Go's rules: escapes in `"…"` and `'…'`, none between
 * backticks. Bytes that are no UTF-8 (`\xc5` on its own) become lone surrogates U+DC80–U+DCFF, so they survive and
 * `isWellFormed()` tells. Undefined if an escape is malformed or the quotes do not match.
 */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  if (literal.length < 2 || literal.at(-1) !== quote) return undefined;
  const body = literal.slice(1, -1);
  if (quote === '`') return body.includes('`') ? undefined : body.replaceAll('\r', '');
  if ((quote !== '"' && quote !== "'") || body.includes('\n')) return undefined;
  return body.includes('\\') || body.includes(quote) ? unescape(body, quote) : body;
}

function unescape(body: string, quote: string): string | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < body.length; ) {
    if (body[i] !== '\\') {
      if (body[i] === quote) return undefined;
      const char = String.fromCodePoint(body.codePointAt(i) ?? 0);
      bytes.push(...encoder.encode(char));
      i += char.length;
      continue;
    }
    const escape = readEscape(body.slice(i + 1, i + 10), quote);
    if (escape === undefined) return undefined;
    bytes.push(...escape.bytes);
    i += 1 + escape.length;
  }
  return decodeLenient(Uint8Array.from(bytes));
}

type Escape = { readonly bytes: Iterable<number>; readonly length: number };

function readEscape(text: string, quote: string): Escape | undefined {
  const simple = SIMPLE_ESCAPES[text[0] ?? ''];
  if (simple !== undefined) {
    const isOtherQuote = (text[0] === '"' || text[0] === "'") && text[0] !== quote;
    return isOtherQuote ? undefined : { bytes: [simple], length: 1 };
  }
  const byte = /^(?:x([0-9a-fA-F]{2})|([0-7]{3}))/.exec(text);
  if (byte !== null) {
    const value = byte[1] === undefined ? Number.parseInt(byte[2] ?? '', 8) : Number.parseInt(byte[1], 16);
    return value > 255 ? undefined : { bytes: [value], length: byte[0].length };
  }
  const rune = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text);
  const codePoint = Number.parseInt(rune?.[1] ?? rune?.[2] ?? 'x', 16);
  const isValid = rune !== null && codePoint <= 0x10_ff_ff && (codePoint < 0xd8_00 || codePoint > 0xdf_ff);
  return isValid ? { bytes: encoder.encode(String.fromCodePoint(codePoint)), length: rune[0].length } : undefined;
}

/** UTF-8 to text; each byte that is none becomes the lone surrogate U+DC00 + byte. */
function decodeLenient(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i] ?? 0);
    try {
      text += decoder.decode(bytes.subarray(i, i + length));
      i += length;
    } catch {
      // Not a whole UTF-8 sequence: the byte is kept as a lone surrogate, and decoding goes on after it.
      text += String.fromCharCode(0xdc_00 + (bytes[i] ?? 0));
      i += 1;
    }
  }
  return text;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** A string as a PromQL literal in double quotes, the inverse of `unquote`. */
export function quote(value: string): string {
  let out = '"';
  for (const char of value) out += quoteChar(char);
  return `${out}"`;
}

function quoteChar(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (char === '\r') return '\\r';
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xdc_80 && code <= 0xdc_ff) return `\\x${(code - 0xdc_00).toString(16)}`;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : char;
}

/** Whether a name may be a label's under Prometheus 3's UTF-8 rules: not empty, and valid UTF-8. */
export function isLabelName(name: string): boolean {
  return name !== '' && name.isWellFormed();
}
