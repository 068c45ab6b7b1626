import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lintPolicies } from '../../src/policy/lint/lint.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { isRevisionPath } from '../../src/policy/policy-paths.ts';
import { isObject, type PackDocument, packNames, readPack } from '../tools/packs.ts';
import { SYSTEMS } from '../tools/rows.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const KINDS = [
  'MetricSource',
  'Target',
  'Flag',
  'PointPolicy',
  'RollbackPolicy',
  'Window',
  'Notifier',
  'Drill',
  'PolicyTest',
];

/** What names another document: the key of the reference, and the kinds that it may mean. */
const REFERENCES: Readonly<Record<string, readonly string[]>> = {
  flag: ['Flag'],
  target: ['Target'],
  targets: ['Target'],
  policy: ['PointPolicy', 'RollbackPolicy'],
  guardedBy: ['RollbackPolicy'],
  notify: ['Notifier'],
};

test('there is one pack for each runbook', () => {
  expect(packNames(ROOT)).toEqual(SYSTEMS.map(({ pack }) => pack).sort());
});

describe.each(packNames(ROOT))('the pack %s', (pack) => {
  const documents = readPack(ROOT, pack);

  test('is loaded, drafts apart, without a fault or a doubt', () => {
    const folder = join(ROOT, 'policies', pack);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(isRevisionPath)
      .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
    const documents = readPack(ROOT, pack).filter(({ draft }) => !draft).length;
    expect(loadPolicies(files, { revision: 'r1', host: undefined, hostLabels: {} })).toMatchObject({
      ok: true,
      warnings: [],
      documents,
    });
  });

  test('has nothing that lint doubts', () => {
    const folder = join(ROOT, 'policies', pack);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(isRevisionPath)
      .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
    expect(lintPolicies(files, { revision: 'r1', host: undefined, hostLabels: {} })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  test('has documents of known kinds and version, each with a spec', () => {
    const unknown = documents.filter(
      ({ kind, body }) => !KINDS.includes(kind) || body['apiVersion'] !== 'revertd.dev/v1' || !isObject(body['spec']),
    );
    expect(unknown.map(describeDocument)).toEqual([]);
  });

  test('names the rows that each document expresses', () => {
    expect(documents.filter(({ rows }) => rows.length === 0).map(describeDocument)).toEqual([]);
  });

  test('names no two documents of a kind alike', () => {
    const loaded = documents.filter(({ draft }) => !draft).map(identity);
    const drafted = documents.filter(({ draft }) => draft).map(identity);
    expect(repeated(loaded)).toEqual([]);
    expect(repeated(drafted)).toEqual([]);
  });

  test('says of each draft that takes a loaded name which file it replaces', () => {
    const inForce = new Map(
      documents.filter(({ draft }) => !draft).map((document) => [identity(document), document.file]),
    );
    const wrong = documents.filter(
      (document) => document.draft && document.replaces !== inForce.get(identity(document)),
    );
    expect(wrong.map(describeDocument)).toEqual([]);
  });

  test('refers only to documents that it has', () => {
    const known = new Set(documents.map(identity));
    // A MetricSource refers to nothing; its `targets` are addresses.
    const referring = documents.filter(({ kind }) => kind !== 'MetricSource');
    const dangling = referring.flatMap((document) =>
      referencesIn(document.body['spec'])
        .filter(({ kinds, name }) => !kinds.some((kind) => known.has(`${kind}/${name}`)))
        .map(({ kinds, name }) => `${describeDocument(document)} → ${kinds.join(' or ')}/${name}`),
    );
    expect(dangling).toEqual([]);
  });

  test('explains every host variable and credential that it uses', () => {
    const text = documents.map(({ body }) => JSON.stringify(body)).join('\n');
    const variables = Array.from(text.matchAll(/\$\{host\.(\w+)\}/g), ([, name = '']) => name);
    const credentials = Array.from(text.matchAll(/"credential":"([\w-]+)"/g), ([, name = '']) => name);
    const readme = readFileSync(join(ROOT, 'policies', pack, 'README.md'), 'utf8');
    const unexplained = new Set([...variables, ...credentials].filter((name) => !readme.includes(`\`${name}\``)));
    expect([...unexplained]).toEqual([]);
  });
});

describe('a pack is refused', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'revertd-packs-'));
    mkdirSync(join(root, 'policies/x'), { recursive: true });
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  test.each([
    ['with a tab for an indent', 'kind: Flag\nmetadata:\n\tname: x\n', 'Tabs are not allowed as indentation'],
    ['with a key twice', 'kind: Flag\nkind: Flag\n', 'Map keys must be unique'],
    ['with a list for a document', '- kind: Flag\n', 'expected a mapping in each document'],
    ['with an empty document', 'kind: Flag\nmetadata: { name: x }\n---\n', 'expected a mapping in each document'],
    ['without a kind', 'metadata: { name: x }\n', 'expected `kind` in each document'],
    ['without a name', 'kind: Flag\nmetadata: {}\n', 'expected `metadata.name` in each document; a Flag has none'],
  ])('%s', (_fault, text, message) => {
    writeFileSync(join(root, 'policies/x/a.draft.yaml'), text);
    expect(() => readPack(root, 'x')).toThrow(`policies/x/a.draft.yaml: ${message}`);
  });
});

function identity({ kind, name }: PackDocument): string {
  return `${kind}/${name}`;
}

function describeDocument(document: PackDocument): string {
  return `${document.file}: ${identity(document)}`;
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

type Reference = { readonly kinds: readonly string[]; readonly name: string };

function referencesIn(value: unknown): Reference[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const kinds = REFERENCES[key];
    const named = [inner].flat().filter((name) => typeof name === 'string');
    return kinds === undefined || named.length === 0 ? referencesIn(inner) : named.map((name) => ({ kinds, name }));
  });
}
