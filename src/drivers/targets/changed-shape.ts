/** What of a table its rows rest on: columns as `name type`, or as the name alone, and those of the primary key. */
export type Shape = { readonly columns: readonly string[]; readonly key: readonly string[] };

export type ColumnText = { readonly name: string; readonly type: string };

export function columnText({ name, type }: ColumnText): string {
  return `${name} ${type}`.trim();
}

export function changedColumns(before: Shape, after: Shape): { readonly added: string[]; readonly gone: string[] } {
  return {
    added: after.columns.filter((column) => !before.columns.includes(column)),
    gone: before.columns.filter((column) => !after.columns.includes(column)),
  };
}

export function hasOtherKey(before: Shape, after: Shape): boolean {
  return before.key.join() !== after.key.join();
}

/** In words; undefined where nothing of it has changed. */
export function noteOfShape(before: Shape, after: Shape): string | undefined {
  const { added, gone } = changedColumns(before, after);
  const parts = [
    ...(added.length > 0 ? [`new columns: ${added.join(', ')}`] : []),
    ...(gone.length > 0 ? [`columns that are gone: ${gone.join(', ')}`] : []),
    ...(hasOtherKey(before, after) ? ['its primary key is another'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
