import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { RawConfig } from './host-config.ts';
import type { Kind } from './kinds.ts';
import type { RawDocuments } from './raw-documents.ts';

const FILES = {
  MetricSource: 'metric-source.schema.json',
  Target: 'target.schema.json',
  Flag: 'flag.schema.json',
  RollbackPolicy: 'rollback-policy.schema.json',
  Notifier: 'notifier.schema.json',
  Window: 'window.schema.json',
  Drill: 'drill.schema.json',
  PointPolicy: 'point-policy.schema.json',
} as const satisfies Record<Kind, string>;

const COMMON = 'common.schema.json';

/** The package's `schemas/` stands two folders above this file, in `src/` as in `dist/`. */
export function readSchema(file: string): AnySchemaObject {
  return JSON.parse(readFileSync(new URL(`../../schemas/${file}`, import.meta.url), 'utf8')) as AnySchemaObject;
}

let ajv: Ajv2020 | undefined;
const compiled = new Map<Kind, ValidateFunction>();

/** The validator of a kind; compiled when it is first asked for. Its guard holds the schema against the types. */
export function validatorOf<K extends Kind>(kind: K): ValidateFunction<RawDocuments[K]> {
  let validate = compiled.get(kind);
  if (validate === undefined) {
    validate = schemaCompiler().compile(readSchema(FILES[kind]));
    compiled.set(kind, validate);
  }
  return validate as ValidateFunction<RawDocuments[K]>;
}

/**
 * Forgets what was compiled. For a daemon, which loads policies now and then and keeps nothing of it in between; the next
 * load compiles anew, in some tens of milliseconds.
 */
export function forgetSchemas(): void {
  ajv = undefined;
  compiled.clear();
  byFile.clear();
}

/** The validator of a host's configuration. */
export function configValidator(): ValidateFunction<RawConfig> {
  return validatorOfFile<RawConfig>('config.schema.json');
}

const byFile = new Map<string, ValidateFunction>();

/** The validator of a file under `schemas/`, for what is no policy; its guard holds the schema against the type. */
export function validatorOfFile<Raw>(file: string): ValidateFunction<Raw> {
  const validate = byFile.get(file) ?? schemaCompiler().compile(readSchema(file));
  byFile.set(file, validate);
  return validate as ValidateFunction<Raw>;
}

function schemaCompiler(): Ajv2020 {
  ajv ??= newCompiler();
  return ajv;
}

/** Keywords that only editors read (yaml-language-server): what is said instead of the pattern that did not match. */
export const EDITOR_KEYWORDS = ['patternErrorMessage'];

/** Strict, except that "exactly one of these keys" names keys that are described one level above. */
function newCompiler(): Ajv2020 {
  const compiler = new Ajv2020({
    strict: true,
    strictRequired: false,
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
  });
  compiler.addVocabulary(EDITOR_KEYWORDS);
  compiler.addSchema(readSchema(COMMON));
  return compiler;
}

/** The words that a step, check, place, source or notifier can be made of: one driver each. */
export type Alternatives = {
  readonly steps: readonly string[];
  readonly checks: readonly string[];
  readonly places: readonly string[];
  readonly metricSources: readonly string[];
  readonly probes: readonly string[];
  readonly notifiers: readonly string[];
  readonly targets: readonly string[];
};

/** The alternatives as the schemas have them, so that a test can hold the drivers against them. */
export function alternatives(): Alternatives {
  const common = readSchema(COMMON);
  const source = readSchema(FILES.MetricSource);
  return {
    steps: exactlyOneOf(common['$defs'].step),
    checks: exactlyOneOf(common['$defs'].check),
    places: exactlyOneOf(readSchema(FILES.Flag)['$defs'].place),
    metricSources: exactlyOneOf(source['properties'].spec),
    probes: exactlyOneOf(source['$defs'].probe),
    targets: exactlyOneOf(readSchema(FILES.Target)['properties'].spec),
    notifiers: exactlyOneOf(readSchema(FILES.Notifier)['properties'].spec),
  };
}

/** The keys of an object of which exactly one must be there. */
export function exactlyOneOf(schema: AnySchemaObject): readonly string[] {
  const branches = schema['oneOf'] as readonly { readonly required: readonly string[] }[] | undefined;
  return (branches ?? []).flatMap(({ required }) => required);
}
