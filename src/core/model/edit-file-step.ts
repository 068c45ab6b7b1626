import type { JsonValue } from './step.ts';

/**
 * Changes a file of the host in one atomic replacement. Doing it again changes nothing, so that it is safe to repeat.
 */
export type EditFileStep = { readonly kind: 'editFile'; readonly path: string; readonly edit: FileEdit };

/** `entries`: single values of a structured file. The others replace the file as a whole. */
export type FileEdit =
  | ({ readonly kind: 'entries' } & EntryEdit)
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'copyOf'; readonly source: string };

export type EntryEdit = {
  readonly format: FileFormat;
  /** By entry: the name of a variable or property, or a JSON pointer. */
  readonly set: Readonly<Record<string, JsonValue>>;
  readonly remove: readonly string[];
};

/** `auto`: by the ending of the file's name. */
export const FILE_FORMATS = ['auto', 'env', 'json', 'yaml', 'toml', 'properties'] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export function describeEditFile({ path, edit }: Pick<EditFileStep, 'path' | 'edit'>): string {
  switch (edit.kind) {
    case 'content':
      return `replace ${path} by ${edit.content.length} characters that the policy gives`;
    case 'copyOf':
      return `put ${edit.source} in the place of ${path}`;
    case 'entries': {
      const set = Object.entries(edit.set).map(([entry, value]) => `${entry} to ${JSON.stringify(value)}`);
      const parts = [
        ...(set.length === 0 ? [] : [`set ${set.join(', ')}`]),
        ...(edit.remove.length === 0 ? [] : [`remove ${edit.remove.join(', ')}`]),
      ];
      return `in ${path} ${parts.join(' and ')}`;
    }
  }
}
