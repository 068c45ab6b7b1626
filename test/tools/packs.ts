import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** One document of a pack. `body` is as parsed and not checked any further. */
export type PackDocument = {
  readonly pack: string;
  /** Relative to the pack's folder. */
  readonly file: string;
  readonly draft: boolean;
  readonly kind: string;
  readonly name: string;
  /** The rows that its annotation names. */
  readonly rows: readonly string[];
  /** The loaded file of the same pack whose document of the same name a draft will replace. */
  readonly replaces?: string;
  readonly body: JsonObject;
};

export type JsonObject = { readonly [key: string]: unknown };

/** A document that cannot be read as one of a pack. */
export class PackError extends Error {
  override readonly name = 'PackError';
  readonly code = 'pack-document';

  constructor(pack: string, file: string, what: string) {
    super(`policies/${pack}/${file}: ${what}`);
  }
}

/** The packs below `root`/policies, in the order of their names. */
export function packNames(root: string): string[] {
  return readdirSync(join(root, 'policies'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Every document of a pack, loaded and drafted. Throws PackError for the first that is not sound YAML with a head. */
export function readPack(root: string, pack: string): PackDocument[] {
  const folder = join(root, 'policies', pack);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => readDocuments(pack, file, readFileSync(join(folder, file), 'utf8')));
}

function readDocuments(pack: string, file: string, text: string): PackDocument[] {
  return Array.from(parseAllDocuments(text), (document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw new PackError(pack, file, fault.message);
    const body: unknown = document.toJS();
    if (!isObject(body)) throw new PackError(pack, file, 'expected a mapping in each document');
    return toDocument(pack, file, body);
  });
}

function toDocument(pack: string, file: string, body: JsonObject): PackDocument {
  const { kind, metadata } = body;
  if (typeof kind !== 'string') throw new PackError(pack, file, 'expected `kind` in each document');
  if (!isObject(metadata) || typeof metadata['name'] !== 'string') {
    throw new PackError(pack, file, `expected \`metadata.name\` in each document; a ${kind} has none`);
  }
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const replaces = annotations['revertd.dev/replaces'];
  return {
    pack,
    file,
    draft: file.endsWith('.draft.yaml'),
    kind,
    name: metadata['name'],
    rows: splitRows(annotations['revertd.dev/rows']),
    ...(typeof replaces === 'string' ? { replaces } : {}),
    body,
  };
}

function splitRows(annotation: unknown): string[] {
  return typeof annotation === 'string' ? annotation.split(',').map((row) => row.trim()) : [];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
