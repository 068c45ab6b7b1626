import type { Call } from '../ast.ts';
import { labelValue, METRIC_NAME, withLabel } from '../labels.ts';
import { compileAnchored } from '../regex.ts';
import type { Labels } from '../series.ts';
import { distinctCheck } from './distinct.ts';
import { createVector, labelMemo, labelsAt, type Plan, push, type VectorNode, valueAt } from './node.ts';

/** `label_replace(v, dst, replacement, src, regex)`; elements whose source does not match stay as they are. */
export function labelReplace(
  plan: Plan,
  call: Call,
  input: VectorNode,
  [target = '', replacement = '', source = '', pattern = '']: readonly string[],
): VectorNode {
  const regex = compileAnchored(pattern);
  if (regex === undefined) throw new Error('label_replace() was checked to have a valid pattern');
  const parts = parseTemplate(replacement);
  return relabelled(plan, call, input, target, (labels) => {
    const matcher = regex.matcher(labelValue(labels, source));
    if (!matcher.matches()) return undefined;
    const groups = regex.namedGroups();
    return parts.map((part) => (typeof part === 'string' ? part : groupText(matcher, part.group, groups))).join('');
  });
}

type Matched = { group(index: number): string | null; groupCount(): number };

function groupText(matcher: Matched, name: string, named: Readonly<Record<string, number>>): string {
  const index = /^\d+$/.test(name) ? Number(name) : named[name];
  return index === undefined || index > matcher.groupCount() ? '' : (matcher.group(index) ?? '');
}

type TemplatePart = string | { readonly group: string };

/** Go's `Regexp.Expand`: `$1`, `$name`, `${name}`, `$$`; a name is as long as it can be. */
function parseTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of template.matchAll(/\$(?:(\$)|\{(\w+)\}|(\w+))/g)) {
    parts.push(template.slice(from, match.index));
    parts.push(match[1] ?? { group: match[2] ?? match[3] ?? '' });
    from = match.index + match[0].length;
  }
  parts.push(template.slice(from));
  return parts;
}

/** `label_join(v, dst, separator, src…)`. */
export function labelJoin(
  plan: Plan,
  call: Call,
  input: VectorNode,
  [target = '', separator = '', ...sources]: readonly string[],
): VectorNode {
  return relabelled(plan, call, input, target, (labels) =>
    sources.map((source) => labelValue(labels, source)).join(separator),
  );
}

/** Sets one label of each element to what is computed of the others; undefined leaves the element alone. */
function relabelled(
  plan: Plan,
  call: Call,
  input: VectorNode,
  target: string,
  compute: (labels: Labels) => string | undefined,
): VectorNode {
  const relabel = labelMemo((labels) => {
    const value = compute(labels);
    if (value === undefined) return { labels, named: false };
    return { labels: plan.interner.intern(withLabel(labels, target, value)), named: target === METRIC_NAME };
  });
  const verify = distinctCheck(plan, call);
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      out.length = 0;
      for (let i = 0; i < vector.length; i += 1) {
        const { labels, named } = relabel(i, labelsAt(vector, i));
        push(out, labels, valueAt(vector, i), !named && vector.dropName[i] === true);
      }
      return verify(out);
    },
  };
}
