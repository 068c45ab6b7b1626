import type { PolicySet } from '../core/model/desired.ts';
import type { PolicyFile, Revision } from '../core/model/revision.ts';
import { decode } from './decode.ts';
import { boundDiagnostics, type Diagnostic } from './diagnostic.ts';
import { evaluatorsIn } from './evaluators.ts';
import { checkLinks } from './link.ts';
import { type LoadedDocument, loadDocument } from './load-document.ts';
import type { LoadOptions } from './load-options.ts';
import { namingFlags } from './name-flags.ts';
import { parseYaml } from './parse-yaml.ts';
import type { PolicyDocument } from './policy-document.ts';
import { isPolicyPath, isTemplatePath } from './policy-paths.ts';

export type LoadResult =
  | {
      readonly ok: true;
      readonly desired: PolicySet;
      readonly warnings: readonly Diagnostic[];
      /** Documents and files that say something, those for other hosts among them. */
      readonly documents: number;
      readonly files: number;
    }
  | {
      readonly ok: false;
      /** Sorted; at most 200, errors before warnings where there are more. */
      readonly diagnostics: readonly Diagnostic[];
      readonly omitted: number;
    };

/**
 * One revision, whole or not at all: one fault anywhere refuses it, and all faults are reported together. Depends on
 * nothing but its arguments and the schemas of the package.
 */
export function loadPolicies(files: readonly PolicyFile[], options: LoadOptions): LoadResult {
  return loadRevision(files, options).result;
}

/** A revision together with the documents that say it, for whoever has more to say of their places. */
export type LoadedRevision = {
  readonly result: LoadResult;
  readonly documents: readonly { readonly document: PolicyDocument; readonly loaded: LoadedDocument }[];
};

export function loadRevision(files: readonly PolicyFile[], options: LoadOptions): LoadedRevision {
  const read = readFiles(files.filter(({ path }) => isPolicyPath(path)));
  const templates = new Map(files.filter(({ path }) => isTemplatePath(path)).map((file) => [file.path, decode(file)]));
  const evaluators = evaluatorsIn(read.documents, options.host);
  const documents = read.documents.map((document) => ({
    document,
    loaded: loadDocument(document, { ...options, templates, evaluators }),
  }));
  return {
    result: resultOf(
      read,
      documents.map(({ loaded }) => loaded),
      options,
    ),
    documents,
  };
}

function resultOf(read: Read, documents: readonly LoadedDocument[], options: LoadOptions): LoadResult {
  const diagnostics = [
    ...read.diagnostics,
    ...documents.flatMap((document) => document.diagnostics),
    ...link(documents, read.unread),
  ];
  const bounded = boundDiagnostics(dropDoubtsBesideFaults(diagnostics));
  if (bounded.diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, ...bounded };
  const desired = gather(options.revision, documents);
  return { ok: true, desired, warnings: bounded.diagnostics, documents: read.count, files: read.files };
}

type Read = {
  readonly documents: ReturnType<typeof parseYaml>['documents'];
  readonly count: number;
  readonly files: number;
  readonly diagnostics: readonly Diagnostic[];
  readonly unread: readonly string[];
};

function readFiles(files: readonly PolicyFile[]): Read {
  const parsed = files.map((file) => {
    const decoded = decode(file);
    if (decoded.ok) return parseYaml(file.path, decoded.text);
    const unread = [new TextDecoder('latin1').decode(file.bytes)];
    return { documents: [], count: 1, diagnostics: [decoded.diagnostic], unread };
  });
  return {
    documents: parsed.flatMap(({ documents }) => documents),
    count: parsed.reduce((sum, { count }) => sum + count, 0),
    files: parsed.filter(({ count }) => count > 0).length,
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
    unread: parsed.flatMap(({ unread }) => unread),
  };
}

/** A reference to something in a faulty document is not a second fault. */
function link(documents: readonly LoadedDocument[], unread: readonly string[]): readonly Diagnostic[] {
  const broken = new Set(documents.filter(({ object }) => object === undefined).map(({ name }) => name));
  return checkLinks({
    declared: documents.flatMap(({ declared }) => declared ?? []),
    references: documents.flatMap(({ references, isHere }) => references.map((reference) => ({ reference, isHere }))),
    places: documents.filter(({ isHere }) => isHere).flatMap(({ places }) => places),
    samplings: documents.filter(({ isHere }) => isHere).flatMap(({ samplings }) => samplings),
    mayBeBroken: (name) => broken.has(name) || unread.some((text) => text.includes(name)),
  });
}

/** A doubt about a value that is wrong anyway only distracts. */
function dropDoubtsBesideFaults(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const placeOf = ({ file, line, column }: Diagnostic): string => `${file}:${line}:${column}`;
  const faulty = new Set(diagnostics.filter(({ severity }) => severity === 'error').map(placeOf));
  return diagnostics.filter((found) => found.severity === 'error' || !faulty.has(placeOf(found)));
}

function gather(revision: Revision, documents: readonly LoadedDocument[]): PolicySet {
  const objects = documents.flatMap(({ object, isHere }) => (object === undefined || !isHere ? [] : [object]));
  const targets = byName(objects.flatMap((object) => (object.kind === 'Target' ? [object.value] : [])));
  const flags = byName(objects.flatMap((object) => (object.kind === 'Flag' ? [object.value] : [])));
  return {
    revision,
    metricSources: byName(objects.flatMap((object) => (object.kind === 'MetricSource' ? [object.value] : []))),
    targets,
    flags,
    policies: byName(
      objects.flatMap((object) =>
        object.kind === 'RollbackPolicy' ? [namingFlags(object.value, targets, flags)] : [],
      ),
    ),
    notifiers: byName(objects.flatMap((object) => (object.kind === 'Notifier' ? [object.value] : []))),
    drills: byName(objects.flatMap((object) => (object.kind === 'Drill' ? [object.value] : []))),
    pointPolicies: byName(objects.flatMap((object) => (object.kind === 'PointPolicy' ? [object.value] : []))),
    windows: byName(objects.flatMap((object) => (object.kind === 'Window' ? [object.value] : []))),
  };
}

function byName<T extends { readonly name: string }>(values: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(values.map((value) => [value.name, value]));
}
