import { readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readFixture } from '../../test/tools/policy-fixtures.ts';
import type { CheckSpec } from '../core/model/check.ts';
import type { DocumentRef } from '../core/model/flag.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import { NOTIFICATION_TOPICS, type Notifier } from '../core/model/notifier.ts';
import type { StepKind } from '../core/model/step.ts';
import type { Target } from '../core/model/target.ts';
import { KINDS, TEST_KIND } from './kinds.ts';
import { alternatives, EDITOR_KEYWORDS, exactlyOneOf, readSchema } from './schema-files.ts';
import { ALTERNATIVES_TO_COME, KEYS_TO_COME, VALUES_TO_COME } from './unsupported.ts';

type Schema = { readonly [key: string]: unknown };

const FOLDER = new URL('../../schemas/', import.meta.url);
/** The policy language's; the host's configuration has its own, and so have the answers that programs read. */
const OTHERS = [
  'config.schema.json',
  'plan.schema.json',
  'observation.schema.json',
  'point-note.schema.json',
  'backup-note.schema.json',
];
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json') && !OTHERS.includes(name));
const SCHEMAS = FILES.map((name) => [name, readSchema(name) as Schema] as const);

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every schema object within one, with the way to it. */
function* within(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'examples' || key === 'default') continue;
    if (isSchema(value)) yield* within(value, `${path}/${key}`);
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) if (isSchema(item)) yield* within(item, `${path}/${key}/${index}`);
    }
  }
}

const ALL = SCHEMAS.flatMap(([name, schema]) => [...within(schema, name)]);

function compiler(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
  ajv.addVocabulary(EDITOR_KEYWORDS);
  for (const [, schema] of SCHEMAS) ajv.addSchema(schema);
  return ajv;
}

describe('the schemas', () => {
  it('have a title, a description and examples for every field, of their own or of what they refer to', () => {
    const ajv = compiler();
    const incomplete = ALL.filter(([path]) => /\/properties\/[^/]+$/.test(path)).filter(([path, field]) => {
      const reference = field['$ref'];
      const base = String(SCHEMAS.find(([name]) => path.startsWith(`${name}/`))?.[1]['$id']);
      const target = typeof reference === 'string' ? ajv.getSchema(new URL(reference, base).href)?.schema : {};
      const whole = { ...(isSchema(target) ? target : {}), ...field };
      return !path.includes('/if/') && ['title', 'description', 'examples'].some((word) => !(word in whole));
    });
    expect(incomplete.map(([path]) => path)).toEqual([]);
  });

  it('say in words what a value must look like, beside every pattern', () => {
    const silent = ALL.filter(([path, schema]) => 'pattern' in schema && !path.endsWith('propertyNames'));
    expect(silent.filter(([, schema]) => !('patternErrorMessage' in schema)).map(([path]) => path)).toEqual([]);
  });

  it('dispatch on each kind, so that one schema serves every document of a file', () => {
    const whole = SCHEMAS.find(([name]) => name === 'policy.schema.json')?.[1];
    const branches = ((whole?.['allOf'] ?? []) as readonly unknown[]).map((branch) => JSON.stringify(branch));
    for (const kind of [...KINDS, TEST_KIND]) {
      expect(branches.filter((branch) => branch.includes(`"const":"${kind}"`))).toHaveLength(1);
    }
  });

  it('are named by the catalogue for editors, each where it can be opened alone', () => {
    const catalogue = readSchema('editor/catalog.json') as { readonly schemas: readonly { readonly url: string }[] };
    const ids = ['policy.schema.json', 'config.schema.json'].map((name) => readSchema(name)['$id'] as string);
    expect(catalogue.schemas.map(({ url }) => url)).toEqual(ids);
  });

  it('accept their own examples', () => {
    const ajv = compiler();
    for (const [name, schema] of SCHEMAS) {
      const pointers = [...within(schema, '')].filter(([, part]) => 'examples' in part);
      for (const [pointer, { examples }] of pointers) {
        const validate = ajv.compile({ $ref: `${String(schema['$id'])}#${pointer}` });
        for (const example of examples as readonly unknown[]) {
          expect({ name, pointer, example, valid: validate(example) }).toMatchObject({ valid: true });
        }
      }
    }
  });

  it('accept a good file for editors, too', () => {
    const ajv = compiler();
    const text = new TextDecoder().decode(readFixture('memory.good.yaml').bytes);
    const validate = ajv.getSchema(String(readSchema('policy.schema.json')['$id']));
    for (const document of parseAllDocuments(text)) expect(validate?.(document.toJS())).toBe(true);
    expect(validate?.({ apiVersion: 'revertd.dev/v1', kind: 'Flag', metadata: { name: 'a' }, spec: {} })).toBe(false);
  });

  it('have a file for each kind', () => {
    const titles = SCHEMAS.map(([, { title }]) => title);
    expect(titles).toEqual(expect.arrayContaining([...KINDS]));
  });
});

describe('the alternatives', () => {
  it('are those of the model', () => {
    const steps = {
      setFlag: 0,
      restore: 0,
      createPoint: 0,
      service: 0,
      container: 0,
      http: 0,
      run: 0,
      sql: 0,
      editFile: 0,
      gitCommit: 0,
      notify: 0,
      waitFor: 0,
    } satisfies Record<StepKind, 0>;
    const checks = {
      http: 0,
      query: 0,
      unit: 0,
      container: 0,
      run: 0,
      sql: 0,
      sqlite: 0,
      file: 0,
      target: 0,
    } satisfies Record<CheckSpec['kind'], 0>;
    const places = { envFile: 0, file: 0 } satisfies Record<DocumentRef['kind'], 0>;
    const metricSources = {
      scrape: 0,
      probe: 0,
      host: 0,
      sql: 0,
      command: 0,

      prometheus: 0,
    } satisfies Record<MetricSource['type']['kind'], 0>;
    const notifiers = { webhook: 0, slack: 0, email: 0, alertmanager: 0, command: 0 } satisfies Record<
      Notifier['type']['kind'],
      0
    >;
    const targets = {
      git: 0,
      files: 0,
      sqlite: 0,
      http: 0,
      command: 0,
      postgres: 0,
      flags: 0,
      rows: 0,
    } satisfies Record<Target['type']['kind'], 0>;
    const model = {
      targets,
      steps,
      checks,
      places,
      metricSources,
      notifiers,
      probes: { http: 0, tcp: 0, unit: 0 },
    };
    const names = Object.fromEntries(Object.entries(model).map(([name, words]) => [name, Object.keys(words)]));
    expect(alternatives()).toEqual(names);
  });

  it('name properties that there are', () => {
    for (const [path, schema] of ALL.filter(([, { oneOf }]) => oneOf !== undefined)) {
      const known = Object.keys(schema['properties'] as Schema);
      expect({ path, unknown: exactlyOneOf(schema).filter((word) => !known.includes(word)) }).toEqual({
        path,
        unknown: [],
      });
    }
  });

  it('know the topics of the model', () => {
    const topic = ALL.find(([, { title }]) => title === 'topic')?.[1];
    expect(topic?.['enum']).toEqual([...NOTIFICATION_TOPICS]);
  });
});

describe('the words to come', () => {
  const titles = (title: string) => ALL.filter(([, schema]) => schema['title'] === title).map(([, schema]) => schema);

  it.each(Object.entries(KEYS_TO_COME))('of %s are not there yet', (title, words) => {
    const schemas = titles(title);
    expect(schemas.length).toBeGreaterThan(0);
    const known = schemas.flatMap(({ properties }) => Object.keys((properties ?? {}) as Schema));
    expect(words.filter((word) => known.includes(word))).toEqual([]);
  });

  it.each([...Object.keys(VALUES_TO_COME), ...Object.keys(ALTERNATIVES_TO_COME)])(
    'belong to a %s that there is',
    (title) => {
      expect(titles(title).length).toBeGreaterThan(0);
    },
  );
});
