import { nearestName } from '../../core/nearest-name.ts';
import { commentsIn } from '../fmt/comments.ts';
import { indexLines, placeOf } from '../line-index.ts';

/** `# revertd-lint disable=RULE,RULE -- REASON`. */
export type Silence = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rules: readonly string[];
  readonly reason: string;
  /** The line that it is about: its own, if something stands before it, else the next one that says something. */
  readonly covers: number;
};

/** A comment that was meant as a silence and is none. */
export type BadSilence = Pick<Silence, 'file' | 'line' | 'column'> & { readonly message: string };

const MARK = /^#+\s*revertd-?lint\b:?\s*(?<rest>.*)$/i;
const FORM = /^disable\s*=\s*(?<rules>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?:(?:--|—|–)\s*(?<reason>.*\S))?\s*$/;

export function silencesIn(
  file: string,
  text: string,
  known: readonly string[],
): { readonly silences: readonly Silence[]; readonly bad: readonly BadSilence[] } {
  const silences: Silence[] = [];
  const bad: BadSilence[] = [];
  if (!/revertd-?lint/i.test(text)) return { silences, bad };
  const lines = indexLines(text);
  const texts = text.split('\n');
  for (const comment of commentsIn(text)) {
    const rest = MARK.exec(comment.text)?.groups?.['rest'];
    if (rest === undefined) continue;
    const place = { file, ...placeOf(lines, comment.offset) };
    const read = readSilence(rest, known);
    if ('message' in read) bad.push({ ...place, message: read.message });
    else silences.push({ ...place, ...read, covers: coveredLine(texts, place) });
  }
  return { silences, bad };
}

function readSilence(
  rest: string,
  known: readonly string[],
): { readonly message: string } | Pick<Silence, 'rules' | 'reason'> {
  const groups = FORM.exec(rest)?.groups;
  if (groups === undefined) return { message: 'this silences nothing; write `# revertd-lint disable=RULE -- REASON`' };
  const rules = (groups['rules'] ?? '').split(',').map((rule) => rule.trim());
  const unknown = rules.find((rule) => !known.includes(rule));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, known);
    return { message: `there is no rule \`${unknown}\`${meant === undefined ? '' : `; did you mean \`${meant}\`?`}` };
  }
  const { reason } = groups;
  if (reason === undefined) return { message: `a silence needs a reason: \`disable=${rules.join(',')} -- REASON\`` };
  return { rules, reason };
}

function coveredLine(
  texts: readonly string[],
  { line, column }: { readonly line: number; readonly column: number },
): number {
  if ((texts[line - 1] ?? '').slice(0, column - 1).trim() !== '') return line;
  const next = texts.findIndex((text, index) => index >= line && !/^\s*(#.*)?$/.test(text));
  return next === -1 ? line : next + 1;
}
