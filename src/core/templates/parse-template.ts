/**
 * Texts with fields, for messages: as little logic as a timeline needs.
 *
 *   ${field}                 the field's text; `${a.b}` within an object
 *   ${#field} … ${/field}    once for each item of a list, or once if the text is not empty
 *   ${^field} … ${/field}    if the list or text is empty
 *   $${                      the two characters ${ themselves
 *
 * A line that holds nothing but one mark of a section leaves no empty line behind.
 */
export type Template = readonly TemplatePart[];

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string; readonly offset: number }
  | {
      readonly kind: 'section';
      readonly name: string;
      readonly offset: number;
      readonly inverted: boolean;
      readonly parts: Template;
    };

export type TemplateFault = { readonly offset: number; readonly message: string; readonly found: string };

export type ParsedTemplate = { readonly parts: Template; readonly faults: readonly TemplateFault[] };

const MARK = /\$\$\{|\$\{([#^/]?)([^{}\n]*)\}|\$\{/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** Deeper nesting is a mistake, and would cost stack. */
const DEEPEST = 5;

type Open = {
  readonly name: string;
  readonly offset: number;
  readonly inverted: boolean;
  readonly parts: TemplatePart[];
};

/** Parts as far as they make sense, beside everything that does not. Whether the fields exist is judged elsewhere. */
export function parseTemplate(text: string): ParsedTemplate {
  const faults: TemplateFault[] = [];
  const root: TemplatePart[] = [];
  const open: Open[] = [];
  let done = 0;
  const parts = (): TemplatePart[] => open.at(-1)?.parts ?? root;
  const append = (until: number): void => {
    if (until > done) parts().push({ kind: 'text', text: text.slice(done, until) });
  };
  for (const match of text.matchAll(MARK)) {
    const [mark, sign, inner] = match;
    const offset = match.index;
    const fault = (message: string): void => void faults.push({ offset, message, found: mark });
    const alone = sign === undefined || sign === '' ? undefined : lineOf(text, offset, mark.length);
    append(alone?.from ?? offset);
    done = alone?.to ?? offset + mark.length;
    if (mark === '$${') parts().push({ kind: 'text', text: '${' });
    else if (inner === undefined) fault('found ${ without its closing brace; write $${ for the text ${ itself');
    else if (!NAME.test(inner)) fault(`${mark} names no field; a field is written \${name} or \${object.name}`);
    else if (sign === '/') close(inner, fault);
    else if (sign === '') parts().push({ kind: 'field', name: inner, offset });
    else if (open.length >= DEEPEST) fault(`sections are nested at most ${DEEPEST} deep`);
    else open.push({ name: inner, offset, inverted: sign === '^', parts: [] });
  }
  append(text.length);
  for (const left of open.splice(0).reverse()) {
    const found = `\${${left.inverted ? '^' : '#'}${left.name}}`;
    faults.push({
      offset: left.offset,
      found,
      message: `${found} is never closed; expected \${/${left.name}} after it`,
    });
  }
  return { parts: root, faults };

  function close(name: string, fault: (message: string) => void): void {
    const last = open.at(-1);
    if (last === undefined) fault(`\${/${name}} closes nothing`);
    else if (last.name !== name) fault(`\${/${name}} comes where \${/${last.name}} was expected`);
    else {
      open.pop();
      const { offset, inverted, parts: inside } = last;
      parts().push({ kind: 'section', name, offset, inverted, parts: inside });
    }
  }
}

/** The whole line around a mark that is alone on it, its end included; undefined if there is more on the line. */
function lineOf(text: string, offset: number, length: number): { from: number; to: number } | undefined {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const lineEnd = text.indexOf('\n', offset + length);
  const to = lineEnd === -1 ? text.length : lineEnd;
  const rest = text.slice(from, offset) + text.slice(offset + length, to);
  return rest.trim() === '' ? { from, to: Math.min(text.length, to + 1) } : undefined;
}
