import type { Drill } from '../core/model/drill.ts';
import type { Flag } from '../core/model/flag.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import type { Notifier } from '../core/model/notifier.ts';
import type { PointPolicy } from '../core/model/point-policy.ts';
import type { RollbackPolicy } from '../core/model/policy.ts';
import type { JsonValue } from '../core/model/step.ts';
import { databaseOf, type Target } from '../core/model/target.ts';
import type { Window } from '../core/model/window.ts';
import type { BuildContext, PlaceUse, Reference, SamplingUse } from './build-context.ts';
import { buildDrill } from './build-drill.ts';
import { buildFlag } from './build-flag.ts';
import { buildNotifier } from './build-notifier.ts';
import { COPY_VARIABLES } from './build-point-copies.ts';
import { buildPointPolicy } from './build-point-policy.ts';
import { buildRollbackPolicy } from './build-policy.ts';
import { buildMetricSource } from './build-source.ts';
import { buildTarget } from './build-target.ts';
import { buildWindow } from './build-window.ts';
import { checkSchema } from './check-schema.ts';
import type { Decoded } from './decode.ts';
import type { Diagnostic } from './diagnostic.ts';
import { asGiven, fillDocument } from './fill-document.ts';
import { nameOf, readHead } from './head.ts';
import { matchesHost } from './host-labels.ts';
import { lookupIn } from './host-variables.ts';
import type { Kind } from './kinds.ts';
import type { Declared } from './link.ts';
import type { LoadOptions } from './load-options.ts';
import type { Path } from './path.ts';
import { originOfValue, type PolicyDocument } from './policy-document.ts';
import type { AnyRawDocument, RawDocuments } from './raw-documents.ts';

export type BuiltObject =
  | { readonly kind: 'MetricSource'; readonly value: MetricSource }
  | { readonly kind: 'Target'; readonly value: Target }
  | { readonly kind: 'Flag'; readonly value: Flag }
  | { readonly kind: 'RollbackPolicy'; readonly value: RollbackPolicy }
  | { readonly kind: 'Notifier'; readonly value: Notifier }
  | { readonly kind: 'Window'; readonly value: Window }
  | { readonly kind: 'Drill'; readonly value: Drill }
  | { readonly kind: 'PointPolicy'; readonly value: PointPolicy };

/** What the rest of the revision gives to one document. */
export type DocumentOptions = LoadOptions & {
  readonly templates?: ReadonlyMap<string, Decoded>;
  readonly evaluators?: Readonly<Record<string, JsonValue>>;
};

export type LoadedDocument = {
  readonly name: string | undefined;
  /** Undefined if the document is faulty to a degree that it says nothing, or is a test. */
  readonly object: BuiltObject | undefined;
  readonly declared: Declared | undefined;
  readonly isHere: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly references: readonly Reference[];
  readonly places: readonly PlaceUse[];
  readonly samplings: readonly SamplingUse[];
};

/** One document on its own: head, schema, variables, and the object that it describes. */
export function loadDocument(document: PolicyDocument, options: DocumentOptions): LoadedDocument {
  const head = readHead(document);
  if (head.outcome === 'test') return nothing(document, []);
  if (head.outcome === 'refused') return nothing(document, head.diagnostics);
  const built = build(document, head.kind, options);
  return { ...built, diagnostics: [...head.diagnostics, ...built.diagnostics] };
}

function nothing(document: PolicyDocument, diagnostics: readonly Diagnostic[]): LoadedDocument {
  return {
    name: nameOf(document),
    object: undefined,
    declared: undefined,
    isHere: false,
    diagnostics,
    references: [],
    places: [],
    samplings: [],
  };
}

function build(document: PolicyDocument, kind: Kind, options: DocumentOptions): LoadedDocument {
  switch (kind) {
    case 'MetricSource':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildMetricSource(context, raw) }));
    case 'Target':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildTarget(context, raw) }));
    case 'Flag':
      return assemble(document, kind, options, (context, raw) => {
        const labels = options.host === undefined ? undefined : options.hostLabels;
        return { kind, value: buildFlag(context, raw, labels) };
      });
    case 'RollbackPolicy':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildRollbackPolicy(context, raw) }));
    case 'Notifier':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildNotifier(context, raw) }));
    case 'Window':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildWindow(context, raw) }));
    case 'Drill':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildDrill(context, raw) }));
    case 'PointPolicy':
      return assemble(document, kind, options, (context, raw) => ({ kind, value: buildPointPolicy(context, raw) }));
  }
}

function assemble<K extends Kind>(
  document: PolicyDocument,
  kind: K,
  options: DocumentOptions,
  construct: (context: BuildContext, raw: RawDocuments[K]) => BuiltObject,
): LoadedDocument {
  const checked = checkSchema(document, kind);
  if (!checked.ok) return { ...nothing(document, checked.diagnostics), declared: declaredByHead(document, kind) };
  const isHere = options.host === undefined || matchesHost(checked.raw.spec.hosts, options.hostLabels);
  const context = contextOf(document, options, isHere);
  const raw = fill(context, checked.raw, options, isHere);
  const object = construct(context, raw);
  const { diagnostics, references, places, samplings } = context;
  return {
    name: raw.metadata.name,
    object,
    declared: declare(document, object, isHere),
    isHere,
    diagnostics,
    references,
    places,
    samplings,
  };
}

function contextOf(
  document: PolicyDocument,
  { host, allow, roles, templates, evaluators }: DocumentOptions,
  isHere: boolean,
): BuildContext {
  return {
    document,
    host: host === undefined || !isHere ? undefined : { lookup: lookupIn(host), names: Object.keys(host) },
    allow: allow ?? {},
    ...(roles === undefined || !isHere ? {} : { roles }),
    templates: templates ?? new Map(),
    evaluators: evaluators ?? {},
    diagnostics: [],
    references: [],
    places: [],
    samplings: [],
  };
}

function fill<K extends Kind>(
  context: BuildContext,
  raw: RawDocuments[K],
  { hostLabels }: DocumentOptions,
  isHere: boolean,
): RawDocuments[K] {
  const lookup = context.host?.lookup ?? asGiven;
  const elsewhere = isHere ? placesElsewhere(raw, hostLabels) : [];
  const isElsewhere = ([, key, index]: Path): boolean => key === 'deliver' && elsewhere.includes(Number(index));
  const isTemplate = (path: Path): boolean => 'webhook' in raw.spec && path[1] === 'webhook' && path[2] === 'body';
  const later = (path: Path): readonly string[] =>
    'targets' in raw.spec && path[1] === 'copies' ? COPY_VARIABLES : [];
  const filling = { lookup, names: context.host?.names ?? [], isElsewhere, isTemplate, later };
  return fillDocument(context.document, raw, filling, context.diagnostics);
}

/** The indexes of a flag's places that are for other hosts. */
function placesElsewhere(raw: AnyRawDocument, hostLabels: LoadOptions['hostLabels']): readonly number[] {
  const places = 'deliver' in raw.spec ? (raw.spec.deliver ?? []) : [];
  return places.flatMap((place, index) => (matchesHost(place.hosts, hostLabels) ? [] : [index]));
}

function originOfName(document: PolicyDocument) {
  return originOfValue(document, ['metadata', 'name']);
}

/** A faulty document still takes its name, so that a second one is told apart from it. */
function declaredByHead(document: PolicyDocument, kind: Kind): Declared | undefined {
  const name = nameOf(document);
  return name === undefined ? undefined : { kind, name, origin: originOfName(document), isHere: true };
}

function declare(document: PolicyDocument, object: BuiltObject, isHere: boolean): Declared {
  const base = { kind: object.kind, name: object.value.name, origin: originOfName(document), isHere };
  switch (object.kind) {
    case 'Flag': {
      const { variants, safeVariant } = object.value;
      return { ...base, variants: { names: Object.keys(variants), safe: safeVariant !== undefined } };
    }
    case 'MetricSource':
      return { ...base, intervalMs: object.value.intervalMs, sourceType: object.value.type.kind };
    case 'Target': {
      const { type, checks } = object.value;
      const target = { type: type.kind, checks: checks.length > 0, database: databaseOf(type) !== undefined };
      return { ...base, target: type.kind === 'flags' ? { ...target, flags: type.only } : target };
    }
    case 'RollbackPolicy':
      return { ...base, rungs: object.value.ladder.map(({ name }) => name) };
    case 'Notifier':
    case 'Window':
    case 'Drill':
    case 'PointPolicy':
      return base;
  }
}
