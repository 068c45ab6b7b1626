import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type CallExpression, type Expression, parseSync, Visitor } from 'oxc-parser';

const TITLE_GIVERS = new Set(['test', 'it', 'describe']);
const NEVER_RUN = new Set(['skip', 'todo']);
const ROW = /\[([A-Z]\d+)\]/g;

/** For each row that a test's title names as `[P4]`: the test files, relative to `root` and sorted. */
export function testsByRow(root: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of testFiles(root)) {
    for (const row of rowsInTitles(file, readFileSync(join(root, file), 'utf8'))) {
      found.set(row, [...(found.get(row) ?? []), file]);
    }
  }
  return found;
}

function testFiles(root: string): string[] {
  return ['src', 'test']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** The rows that titles in this text name. A row in a comment, in a fixture or in a test that is skipped does not count. */
export function rowsInTitles(file: string, text: string): Set<string> {
  const rows = new Set<string>();
  const visitor = new Visitor({
    CallExpression(call) {
      for (const [, row = ''] of titleOf(call).matchAll(ROW)) rows.add(row);
    },
  });
  visitor.visit(parseSync(file, text).program);
  return rows;
}

function titleOf({ callee, arguments: [title] }: CallExpression): string {
  if (title === undefined || !givesTitle(callee)) return '';
  if (title.type === 'Literal' && typeof title.value === 'string') return title.value;
  if (title.type === 'TemplateLiteral') return title.quasis.map(({ value }) => value.cooked).join('');
  return '';
}

/** `test`, `describe.each(table)`, `it.for([…])` and the like. */
function givesTitle(callee: Expression): boolean {
  switch (callee.type) {
    case 'Identifier':
      return TITLE_GIVERS.has(callee.name);
    case 'CallExpression':
      return givesTitle(callee.callee);
    case 'MemberExpression':
      return (
        givesTitle(callee.object) && !(callee.property.type === 'Identifier' && NEVER_RUN.has(callee.property.name))
      );
    default:
      return false;
  }
}
