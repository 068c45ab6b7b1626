import type { Labels } from '../../promql/series.ts';
import { labelsOf } from '../labels.ts';
import { ExpositionError, excerpt } from './exposition-error.ts';

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * `name{label="value",…}` as labels, `__name__` among them. Also reads the quoted names of Prometheus 3
 * (`{"my.metric", "my.label"="x"}`). A backslash before anything but `\`, `"` and `n` stands for itself.
 */
export function parseSeries(text: string, line: number): Labels {
  return new SeriesReader(text, line).read();
}

class SeriesReader {
  readonly #text: string;
  readonly #line: number;
  readonly #pairs = new Map<string, string>();
  #at = 0;

  constructor(text: string, line: number) {
    this.#text = text;
    this.#line = line;
  }

  read(): Labels {
    const name = this.#match(METRIC_NAME);
    if (name !== undefined) this.#pairs.set('__name__', name);
    if (this.#skip('{')) this.#readBraces();
    if (this.#at < this.#text.length) throw this.#fault('bad_name', 'expected a metric name, {labels} and a value');
    if (!this.#pairs.has('__name__')) throw this.#fault('bad_name', 'expected a metric name');
    return labelsOf(this.#pairs);
  }

  #readBraces(): void {
    while (!this.#skip('}')) {
      this.#readPair();
      if (!this.#skip(',') && this.#text[this.#at] !== '}') throw this.#fault('bad_label', 'expected , or }');
    }
  }

  #readPair(): void {
    this.#skipBlanks();
    const bare = this.#match(LABEL_NAME);
    const quoted = bare === undefined ? this.#quoted() : undefined;
    const name = bare ?? quoted;
    if (name === undefined || name === '') throw this.#fault('bad_label', 'expected a label name');
    if (this.#skip('=')) this.#add(name, this.#quoted());
    else if (quoted !== undefined) this.#add('__name__', quoted);
    else throw this.#fault('bad_label', `expected = after the label name ${excerpt(name)}`);
    this.#skipBlanks();
  }

  #add(name: string, value: string | undefined): void {
    if (value === undefined) throw this.#fault('bad_label', `expected a value in double quotes for ${excerpt(name)}`);
    if (this.#pairs.has(name)) throw this.#fault('bad_label', `the label ${excerpt(name)} is there twice`);
    this.#pairs.set(name, value);
  }

  #quoted(): string | undefined {
    this.#skipBlanks();
    QUOTED.lastIndex = this.#at;
    const content = QUOTED.exec(this.#text)?.[1];
    if (content === undefined) return undefined;
    this.#at = QUOTED.lastIndex;
    return content.includes('\\') ? unescape(content) : content;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }

  #skip(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fault(code: 'bad_name' | 'bad_label', expected: string): ExpositionError {
    return new ExpositionError(code, this.#line, `${expected}, found ${excerpt(this.#text.slice(this.#at))}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

function unescape(content: string): string {
  return content.replaceAll(/\\[\\"n]/g, (escape) => ESCAPES[escape] ?? escape);
}
