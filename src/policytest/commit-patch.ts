import { type Document, isScalar, parseAllDocuments } from 'yaml';
import type { PolicyFile } from '../core/model/revision.ts';
import type { JsonValue } from '../core/model/step.ts';
import { API_VERSION } from '../policy/kinds.ts';
import { isPolicyPath } from '../policy/policy-paths.ts';
import type { CommitPatch } from './raw-test.ts';

export type Patched = {
  readonly files: readonly PolicyFile[];
  /** KIND/NAME of what was to be changed and was not there; with a patch it is added. */
  readonly absent: readonly string[];
};

/** The policies after a commit. Files that it does not concern stay as they are, byte by byte. */
export function applyCommit(files: readonly PolicyFile[], patch: CommitPatch): Patched {
  const found = new Set<string>();
  const changed = files.map((file) => (isPolicyPath(file.path) ? patchFile(file, patch, found) : file));
  const absent = Object.keys(patch).filter((key) => !found.has(key));
  return { files: [...changed, ...absent.flatMap((key) => added(key, patch[key] ?? null))], absent };
}

/** KIND/NAME of every document, those of tests among them. */
export function documentNames(files: readonly PolicyFile[]): readonly string[] {
  return files
    .filter(({ path }) => isPolicyPath(path))
    .flatMap((file) => parse(file).flatMap((document) => keyOf(document) ?? []));
}

function patchFile(file: PolicyFile, patch: CommitPatch, found: Set<string>): PolicyFile {
  const documents = parse(file);
  const concerned = documents.flatMap((document) => {
    const key = keyOf(document);
    return key !== undefined && Object.hasOwn(patch, key) ? [{ document, key }] : [];
  });
  if (concerned.length === 0) return file;
  for (const { document, key } of concerned) {
    found.add(key);
    const change = patch[key] ?? null;
    if (change !== null) merge(document, ['spec'], change);
  }
  const gone = new Set(concerned.filter(({ key }) => patch[key] === null).map(({ document }) => document));
  const kept = documents.filter((document) => !gone.has(document));
  const text = kept.map((document) => document.toString({ lineWidth: 0 })).join('---\n');
  return { path: file.path, bytes: new TextEncoder().encode(text) };
}

function parse({ bytes }: PolicyFile): readonly Document[] {
  const found = parseAllDocuments(new TextDecoder().decode(bytes), { uniqueKeys: false, logLevel: 'silent' });
  return 'empty' in found ? [] : found;
}

function keyOf(document: Document): string | undefined {
  const [kind, name] = [document.getIn(['kind']), document.getIn(['metadata', 'name'])];
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}/${name}` : undefined;
}

/** RFC 7396: mappings are merged, null removes, everything else replaces. */
function merge(document: Document, path: readonly string[], change: JsonValue): void {
  if (change === null) {
    document.deleteIn(path);
  } else if (typeof change !== 'object' || Array.isArray(change)) {
    document.setIn(path, document.createNode(change));
  } else {
    // A mapping replaces what is none.
    const before = document.getIn(path, true);
    if (before === undefined || isScalar(before)) document.setIn(path, document.createNode({}));
    for (const [key, value] of Object.entries(change)) merge(document, [...path, key], value);
  }
}

function added(key: string, spec: JsonValue): readonly PolicyFile[] {
  if (spec === null) return [];
  const at = key.indexOf('/');
  const [kind, name] = [key.slice(0, at), key.slice(at + 1)];
  const text = JSON.stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec }, null, 2);
  return [{ path: `added-by-the-test/${kind}-${name}.yaml`, bytes: new TextEncoder().encode(text) }];
}
