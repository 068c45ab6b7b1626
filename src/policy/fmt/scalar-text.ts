import type { CST } from 'yaml';
import type { Path } from '../path.ts';
import { isBooleanOf11 } from '../plain-value.ts';

/** The lines of a scalar in the flow style, the later ones without their indentation, which says nothing. */
export function scalarLines(token: CST.FlowScalar, path: Path): readonly string[] {
  const lines = token.source.split('\n');
  if (lines.length === 1) return [singleLine(token, path)];
  return lines.map((line, index) => (index === 0 ? line.trimEnd() : line.trim()));
}

/** Double quotes where either kind would do, and around what YAML 1.1 tools take for a boolean. */
function singleLine(token: CST.FlowScalar, path: Path): string {
  const { source } = token;
  if (token.type === 'scalar') return isBooleanOf11(source, path) ? `"${source}"` : source;
  const inner = source.slice(1, -1);
  return token.type === 'single-quoted-scalar' && !/["'\\]/.test(inner) ? `"${inner}"` : source;
}

/** The header and the content of a block scalar, the content indented by so many spaces. */
export function blockScalarLines(
  token: CST.BlockScalar,
  indent: number,
): { readonly header: string; readonly comment: string | undefined; readonly lines: readonly string[] } {
  const written = sourceOf(token, 'block-scalar-header') ?? '|';
  const style = written.charAt(0);
  const chomp = /[+-]/.exec(written)?.[0] ?? '';
  const explicit = /[1-9]/.exec(written)?.[0];
  const given = explicit === undefined ? undefined : token.indent + Number(explicit);
  const lines = withoutIndent(token.source, given, chomp === '+');
  return {
    header: `${style}${explicit === undefined ? '' : INDENT}${chomp}`,
    comment: sourceOf(token, 'comment'),
    lines: lines.map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`)),
  };
}

export const INDENT = 2;

function sourceOf({ props }: CST.BlockScalar, type: 'block-scalar-header' | 'comment'): string | undefined {
  const found = props.find((token) => token.type === type);
  return found === undefined || !('source' in found) ? undefined : found.source;
}

/** Blank lines at the end only count with `+`; without it they are left to what comes next. */
function withoutIndent(source: string, given: number | undefined, keep: boolean): readonly string[] {
  const lines = source.replace(/\n$/, '').split('\n');
  const first = lines.find((line) => line.trim() !== '') ?? '';
  const width = given ?? first.length - first.trimStart().length;
  const content = lines.map((line) => line.slice(width));
  if (keep) return content;
  const last = content.findLastIndex((line) => line !== '');
  return content.slice(0, last + 1);
}

/** How many blank lines stand behind a block scalar's content. */
export function endsInBlank(token: CST.BlockScalar): boolean {
  return !(sourceOf(token, 'block-scalar-header') ?? '').includes('+') && /\n[ ]*\n$/.test(token.source);
}

export function isFlowScalar(token: CST.Token): token is CST.FlowScalar {
  return token.type === 'scalar' || token.type === 'single-quoted-scalar' || token.type === 'double-quoted-scalar';
}
