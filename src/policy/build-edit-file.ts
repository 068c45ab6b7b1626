import { parsePointer } from '../core/json-pointer.ts';
import type { EditFileStep, EntryEdit, FileEdit } from '../core/model/edit-file-step.ts';
import { type BuildContext, fault, faultAtKey, pathAt } from './build-context.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawEditFile, RawEntryEdit } from './raw-documents.ts';

export function buildEditFile(context: BuildContext, path: Path, raw: RawEditFile): EditFileStep {
  return {
    kind: 'editFile',
    path: pathAt(context, [...path, 'path'], raw.path, 'write'),
    edit: buildEdit(context, path, raw),
  };
}

function buildEdit(context: BuildContext, path: Path, raw: RawEditFile): FileEdit {
  refuseMixture(context, path, raw);
  if (['set', 'remove', 'content', 'copyOf'].every((key) => !(key in raw))) {
    const message = 'nothing is changed in this file; say one of set, remove, content and copyOf';
    faultAtKey(context, [...path, 'path'], 'E-EDIT', message);
  }
  if (raw.content !== undefined) return { kind: 'content', content: raw.content };
  if (raw.copyOf !== undefined) {
    return { kind: 'copyOf', source: pathAt(context, [...path, 'copyOf'], raw.copyOf, 'write') };
  }
  return { kind: 'entries', ...buildEntryEdit(context, path, raw.path, raw) };
}

/** A whole file and single entries of it cannot both be what is wanted. */
export function refuseMixture(
  context: BuildContext,
  path: Path,
  raw: RawEntryEdit & { readonly content?: string; readonly copyOf?: string; readonly delete?: true },
): void {
  const whole = (['content', 'copyOf', 'delete'] as const).filter((key) => raw[key] !== undefined);
  const entries = (['set', 'remove'] as const).filter((key) => raw[key] !== undefined);
  const [first, second = entries[0]] = whole;
  if (first === undefined || second === undefined) return;
  faultAtKey(context, [...path, second], 'E-EDIT', `\`${first}\` and \`${second}\` exclude each other; keep one`);
}

const FORMAT_OF_NAME = /(?:^|\/)\.env(?:\.[^/]*)?$|\.(?:env|jsonc?|ya?ml|toml|properties)$/i;

export function buildEntryEdit(context: BuildContext, path: Path, file: string, raw: RawEntryEdit): EntryEdit {
  const format = raw.format ?? 'auto';
  if (format === 'auto' && !hasVariable(file) && !FORMAT_OF_NAME.test(file)) {
    const message = `how "${file}" is written cannot be told from its name; say \`format: env\`, json, yaml, toml or properties`;
    fault(context, [...path, 'path'], 'E-FORMAT', { message, found: file });
  }
  const named = [
    ...Object.keys(raw.set ?? {}).map((entry) => ({ entry, at: [...path, 'set', entry], isKey: true })),
    ...(raw.remove ?? []).map((entry, index) => ({ entry, at: [...path, 'remove', index], isKey: false })),
  ];
  for (const { entry, at, isKey } of named) {
    const wrong = entryFault(entry, format, file);
    if (wrong !== undefined) (isKey ? faultAtKey : fault)(context, at, 'E-ENTRY', { message: wrong, found: entry });
  }
  return { format, set: { ...raw.set }, remove: [...(raw.remove ?? [])] };
}

function entryFault(entry: string, format: EntryEdit['format'], file: string): string | undefined {
  if (hasVariable(entry) || hasVariable(file)) return undefined;
  const isEnv = format === 'env' || (format === 'auto' && /(?:^|\/)\.env(?:\.[^/]*)?$|\.env$/i.test(file));
  if (isEnv) {
    return /^[A-Za-z_][A-Za-z0-9_]*$/.test(entry) ? undefined : `"${entry}" is not the name of an environment variable`;
  }
  const isFlat = format === 'properties' || (format === 'auto' && /\.properties$/i.test(file));
  if (isFlat || (entry !== '' && parsePointer(entry) !== undefined)) return undefined;
  return `"${entry}" is not a JSON pointer; it begins with / and has / between its parts`;
}
