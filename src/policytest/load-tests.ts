import type { PolicyFile } from '../core/model/revision.ts';
import type { BuildContext } from '../policy/build-context.ts';
import { checkAgainst } from '../policy/check-schema.ts';
import { decode } from '../policy/decode.ts';
import { type Bounded, boundDiagnostics, type Diagnostic, errorAt } from '../policy/diagnostic.ts';
import { fillDocument } from '../policy/fill-document.ts';
import { isObject, nameOf, versionFault } from '../policy/head.ts';
import { fillVariables } from '../policy/host-variables.ts';
import { TEST_KIND } from '../policy/kinds.ts';
import { loadPolicies } from '../policy/load.ts';
import { parseYaml } from '../policy/parse-yaml.ts';
import { originOfKey, originOfValue, type PolicyDocument } from '../policy/policy-document.ts';
import { isPolicyPath } from '../policy/policy-paths.ts';
import { validatorOfFile } from '../policy/schema-files.ts';
import { buildTest } from './build-test.ts';
import type { PolicyTest } from './policy-test.ts';
import type { RawPolicyTest, RawTestSpec } from './raw-test.ts';

/** The host that tests are for where they say nothing else. */
export type TestHost = {
  readonly variables: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
};

export type LoadedTests = Bounded & {
  /** Those without a fault, in the order of their files. */
  readonly tests: readonly PolicyTest[];
  /** The names of all, faulty or not. */
  readonly names: readonly string[];
};

/**
 * The PolicyTests of a folder, each linked against the folder's policies as its host would load them. Drafts are
 * neither tests nor policies.
 */
export function loadTests(files: readonly PolicyFile[], host: TestHost): LoadedTests {
  const diagnostics: Diagnostic[] = [];
  const documents = files.filter(({ path }) => isPolicyPath(path)).flatMap((file) => testsIn(file, diagnostics));
  diagnostics.push(...duplicates(documents));
  const tests = documents.flatMap((document) => {
    const loaded = loadTest(document, files, host);
    diagnostics.push(...loaded.diagnostics);
    return loaded.test ?? [];
  });
  const names = documents.flatMap((document) => nameOf(document) ?? []);
  return { tests, names, ...boundDiagnostics(distinct(diagnostics)) };
}

function testsIn(file: PolicyFile, diagnostics: Diagnostic[]): readonly PolicyDocument[] {
  const decoded = decode(file);
  if (!decoded.ok) {
    diagnostics.push(decoded.diagnostic);
    return [];
  }
  const parsed = parseYaml(file.path, decoded.text);
  diagnostics.push(...parsed.diagnostics);
  return parsed.documents.filter(({ value }) => isObject(value) && value['kind'] === TEST_KIND);
}

function duplicates(documents: readonly PolicyDocument[]): readonly Diagnostic[] {
  const firsts = new Map<string, PolicyDocument>();
  return documents.flatMap((document) => {
    const name = nameOf(document);
    if (name === undefined) return [];
    const first = firsts.get(name);
    firsts.set(name, first ?? document);
    if (first === undefined) return [];
    const origin = originOfValue(document, ['metadata', 'name']);
    const related = [{ ...originOfValue(first, ['metadata', 'name']), message: `the first ${TEST_KIND} "${name}"` }];
    const message = `a second ${TEST_KIND} is called "${name}"; names are unique within a kind`;
    return [errorAt(origin, 'E-DUPLICATE-NAME', { message, found: name, related })];
  });
}

type Loaded = { readonly test?: PolicyTest; readonly diagnostics: readonly Diagnostic[] };

function loadTest(document: PolicyDocument, files: readonly PolicyFile[], base: TestHost): Loaded {
  const version = versionFault(document, isObject(document.value) ? document.value['apiVersion'] : undefined);
  if (version !== undefined) return { diagnostics: [version] };
  const checked = checkAgainst<RawPolicyTest>(document, validatorOfFile('policy-test.schema.json'));
  if (!checked.ok) return { diagnostics: checked.diagnostics };
  const { host } = checked.raw.spec;
  const variables = { ...base.variables, ...host?.variables };
  const context = contextOf(document, variables);
  const raw = fillTest(context, checked.raw, variables);
  if (context.diagnostics.length > 0) return { diagnostics: context.diagnostics };
  const load = (given: readonly PolicyFile[], revision: string) =>
    loadPolicies(given, { revision, host: variables, hostLabels: { ...base.labels, ...host?.labels } });
  const first = load(files, 'test-1');
  if (!first.ok) return { diagnostics: first.diagnostics };
  const test = buildTest(context, raw, { files, first: first.desired, load });
  const faulty = context.diagnostics.some(({ severity }) => severity === 'error');
  return faulty ? { diagnostics: context.diagnostics } : { test, diagnostics: context.diagnostics };
}

function contextOf(document: PolicyDocument, variables: Readonly<Record<string, string>>): BuildContext {
  const lookup = (name: string): string | undefined => (Object.hasOwn(variables, name) ? variables[name] : undefined);
  return {
    document,
    host: { lookup, names: Object.keys(variables) },
    allow: {},
    templates: new Map(),
    evaluators: {},
    diagnostics: [],
    references: [],
    places: [],
    samplings: [],
  };
}

/** The host's variables are filled in everywhere, also in the paths of documents, which are keys. */
function fillTest(
  context: BuildContext,
  raw: RawPolicyTest,
  variables: Readonly<Record<string, string>>,
): RawPolicyTest {
  const { host, ...rest } = raw.spec;
  const { lookup = () => undefined, names = [] } = context.host ?? {};
  const filling = { lookup, names, isElsewhere: () => false };
  const filled = fillDocument(context.document, { ...raw, spec: rest }, filling, context.diagnostics);
  const spec = fillKeys(context, filled.spec, ['spec'], names) as RawTestSpec;
  return {
    ...filled,
    spec: { ...spec, host: { variables, ...(host?.labels === undefined ? {} : { labels: host.labels }) } },
  };
}

function fillKeys(
  context: BuildContext,
  value: unknown,
  path: readonly (string | number)[],
  names: readonly string[],
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => fillKeys(context, item, [...path, index], names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const { text, faults } = fillVariables(key, context.host?.lookup ?? (() => undefined), names);
      for (const { offset: _, ...wording } of faults) {
        context.diagnostics.push(errorAt(originOfKey(context.document, [...path, key]), 'E-VARIABLE', wording));
      }
      return [text, fillKeys(context, inner, [...path, key], names)];
    }),
  );
}

/** A fault of the policies is found for each test. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((found) => [JSON.stringify(found), found])).values()];
}
