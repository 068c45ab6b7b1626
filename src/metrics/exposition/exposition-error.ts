export type ExpositionFault =
  | 'html'
  | 'content_type'
  | 'invalid_utf8'
  | 'line_too_long'
  | 'bad_name'
  | 'bad_label'
  | 'bad_value'
  | 'bad_timestamp'
  | 'bad_metadata'
  | 'trailing_text'
  | 'repeated_series'
  | 'eof_missing'
  | 'text_after_eof'
  | 'too_many_samples';

/** What a target sent is not what it should be. `line` counts from 1; 0 is the answer as a whole. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
  readonly code: ExpositionFault;
  readonly line: number;

  constructor(code: ExpositionFault, line: number, what: string) {
    super(line > 0 ? `line ${line}: ${what}` : what);
    this.code = code;
    this.line = line;
  }
}

const LONGEST_EXCERPT = 60;

/** A short, printable, quoted piece of what was found. */
export function excerpt(text: string): string {
  const short = text.length > LONGEST_EXCERPT ? `${text.slice(0, LONGEST_EXCERPT)}…` : text;
  return JSON.stringify(short);
}
