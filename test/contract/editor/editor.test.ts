import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LanguageServer, type Position } from './language-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SCHEMA = join(ROOT, 'schemas/policy.schema.json');

const TEXT = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: slow }
spec:
  triggers:
    - name: p95
      query: latency_p95
      above: 0.5
      for: 30 s
      severty: critical
  ladder:
    - rung: flags
      do: [{ setFlag: { flag: fast, to: safe } }]
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on"
  state: ENABELD
`;

/** Where a text begins, as editors count: from 0. */
function placeOf(text: string, needle: string): Position {
  const before = text.slice(0, text.indexOf(needle)).split('\n');
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}

function labels(answer: unknown): readonly string[] {
  const { items } = answer as { readonly items: readonly { readonly label: string }[] };
  return items.map(({ label }) => label).sort();
}

describe('with the schema in its settings, an editor', () => {
  let server: LanguageServer;

  beforeAll(async () => {
    server = await LanguageServer.start(ROOT, { schemas: { [`file://${SCHEMA}`]: ['policies/**/*.yaml'] } });
  });

  afterAll(async () => {
    await server.stop();
  });

  test('shows what is wrong in each document, by its kind', async () => {
    const problems = await server.open('file:///policies/wrong.yaml', TEXT);
    expect(problems.map(({ message, range }) => `${range.start.line}: ${message}`)).toEqual([
      '8: Expected a duration with a unit such as 30s, 5m or 1h30m.',
      '9: Property severty is not allowed.',
      '20: Value is not accepted. Valid values: "ENABLED", "DISABLED".',
    ]);
  });

  test('explains a key where it stands', async () => {
    const uri = 'file:///policies/hover.yaml';
    await server.open(uri, TEXT);
    const [above, variant] = await Promise.all([
      server.hover(uri, placeOf(TEXT, 'above:')),
      server.hover(uri, placeOf(TEXT, 'defaultVariant:')),
    ]);
    expect(JSON.stringify(above)).toContain('Breached above this value');
    expect(JSON.stringify(variant)).toContain('The variant that git wants.');
  });

  test('completes the keys of the kind, in a second document too', async () => {
    const uri = 'file:///policies/completion.yaml';
    const text = `${TEXT.replace('state: ENABELD', 'dr')}---\napiVersion: revertd.dev/v1\nkind: \n`;
    await server.open(uri, text);
    const place = placeOf(text, '  dr\n');
    const keys = labels(await server.complete(uri, { line: place.line, character: 4 }));
    expect(keys).toEqual(expect.arrayContaining(['drift', 'deliver', 'safeVariant', 'state']));
    expect(keys).not.toContain('ladder');
    const kinds = labels(await server.complete(uri, { line: text.split('\n').length - 2, character: 6 }));
    expect(kinds).toEqual([
      'Drill',
      'Flag',
      'MetricSource',
      'Notifier',
      'PointPolicy',
      'PolicyTest',
      'RollbackPolicy',
      'Target',
      'Window',
    ]);
  });

  const files = readdirSync(join(ROOT, 'policies'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.yaml') && !path.endsWith('.draft.yaml'),
  );

  test.each(files)('has nothing against %s', async (path) => {
    const text = readFileSync(join(ROOT, 'policies', path), 'utf8');
    expect(await server.open(`file:///policies/${path}`, text)).toEqual([]);
  });
});

test('with a modeline in each document, an editor needs no settings', async () => {
  const modeline = `# yaml-language-server: $schema=${SCHEMA}\n`;
  const server = await LanguageServer.start(ROOT);
  try {
    const text = modeline + TEXT.replace('---\n', `---\n${modeline}`);
    const problems = await server.open('file:///policies/wrong.yaml', text);
    expect(problems.map(({ range }) => range.start.line)).toEqual([9, 10, 22]);
  } finally {
    await server.stop();
  }
});

test('an editor finds the schemas by the catalogue alone', async () => {
  const http = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.replace('/schemas/v1/', '');
    const text = readFileSync(join(ROOT, 'schemas', path), 'utf8');
    response.end(text.replaceAll('https://revertd.dev', `http://${request.headers.host}`));
  }).listen(0, '127.0.0.1');
  await new Promise((done) => http.once('listening', done));
  const { port } = http.address() as AddressInfo;
  const server = await LanguageServer.start(ROOT, {
    schemaStore: { enable: true, url: `http://127.0.0.1:${port}/schemas/v1/editor/catalog.json` },
  });
  try {
    const problems = await server.open('file:///srv/revertd-policies/wrong.yaml', TEXT);
    expect(problems.map(({ range }) => range.start.line)).toEqual([8, 9, 20]);
    const config = await server.open('file:///etc/revertd/revertd.yaml', 'adopt: always\n');
    expect(config.map(({ message }) => message)).toEqual(['Value is not accepted. Valid values: "ask", "git".']);
  } finally {
    await server.stop();
    http.close();
  }
});
