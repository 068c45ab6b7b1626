/** One scenario as it is run: its steps with all that its feature does before, and the values of its example filled in. */
export type Scenario = { readonly name: string; readonly tags: readonly string[]; readonly steps: readonly Step[] };
export type Step = { readonly text: string; readonly rows: readonly (readonly string[])[] };

type Block = {
  name: string;
  tags: readonly string[];
  steps: { text: string; rows: string[][] }[];
  examples: Examples[];
};
type Examples = { readonly tags: readonly string[]; readonly rows: string[][] };

/** The part of Gherkin that flagd's test bed is written in (cucumber.io/docs/gherkin/reference). */
export function readFeature(text: string): readonly Scenario[] {
  const blocks: Block[] = [];
  const background: Block = { name: 'Background', tags: [], steps: [], examples: [] };
  let block = background;
  let tags: string[] = [];
  let ofFeature: readonly string[] = [];
  let rows: string[][] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [, keyword = '', rest = ''] =
      /^(Feature|Background|Scenario Outline|Scenario|Examples):\s*(.*)$/.exec(line) ?? [];
    const [, step] = /^(?:Given|When|Then|And|But) (.*)$/.exec(line) ?? [];
    if (line.startsWith('@')) tags.push(...line.split(/\s+/));
    else if (line.startsWith('|')) rows.push(cells(line));
    else if (step !== undefined) {
      rows = [];
      block.steps.push({ text: step, rows });
    } else if (keyword === 'Examples') {
      rows = [];
      block.examples.push({ tags, rows });
      tags = [];
    } else if (keyword === 'Feature') [ofFeature, tags] = [tags, []];
    else if (keyword === 'Background') block = background;
    else if (keyword !== '') {
      block = { name: rest, tags: [...ofFeature, ...tags], steps: [], examples: [] };
      blocks.push(block);
      tags = [];
    }
  }
  return blocks.flatMap((one) => scenariosOf(one, background.steps));
}

function cells(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}

function scenariosOf({ name, tags, steps, examples }: Block, before: readonly Step[]): readonly Scenario[] {
  const all = [...before, ...steps];
  if (examples.length === 0) return [{ name, tags, steps: all }];
  return examples.flatMap(({ tags: own, rows: [head = [], ...values] }) =>
    values.map((row) => {
      const fill = (text: string): string =>
        head.reduce((filled, column, index) => filled.replaceAll(`<${column}>`, row[index] ?? ''), text);
      return {
        name: `${name} (${row.join(', ')})`,
        tags: [...tags, ...own],
        steps: all.map(({ text, rows }) => ({ text: fill(text), rows: rows.map((cell) => cell.map(fill)) })),
      };
    }),
  );
}
