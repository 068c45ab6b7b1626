import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { NOTIFICATION_TOPICS } from '../../src/core/model/notifier.ts';
import { configSettings, environmentName, loadHostConfig } from '../../src/policy/host-config.ts';
import { KINDS } from '../../src/policy/kinds.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { REFUSAL_CODES, UNREACHABLE_CODES } from '../../src/source/policy-source.ts';
import { isObject } from '../tools/packs.ts';
import { outdatedPages } from '../tools/reference.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENTS = [...markdownBelow('.', false), ...['docs', 'src', 'policies'].flatMap((at) => markdownBelow(at))];
const INTERFACES = read('docs/interfaces.md');
const OPERATIONS = read('docs/operations.md');
const MANIFEST: unknown = JSON.parse(read('package.json'));

function markdownBelow(folder: string, recursive = true): string[] {
  return readdirSync(join(ROOT, folder), { recursive, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join(folder, path))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The text without code, in which nothing is a link. */
function prose(text: string): string {
  return text.replaceAll(/^ *```.*?^ *```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
}

/** The part of an address by which a heading is reached, as forges make it. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[(?<text>[^\]]*)\]\([^)]*\)/g, '$<text>')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function anchorsOf(path: string): string[] {
  const text = read(path).replaceAll(/^ *```.*?^ *```$/gms, '');
  return Array.from(text.matchAll(/^#+ (?<heading>.+)$/gm), ({ groups }) => anchorOf(groups?.['heading'] ?? ''));
}

function brokenLinks(document: string): string[] {
  const links = Array.from(
    prose(read(document)).matchAll(/\]\((?<to>[^)\s]+)\)/g),
    ({ groups }) => groups?.['to'] ?? '',
  );
  return links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => !leadsSomewhere(document, link));
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** Blocks of code in a language that begin in a certain way. */
function blocksOf(document: string, language: string, beginning: string): string[] {
  const blocks = read(document).matchAll(/^```(?<language>\w+)\n(?<text>.*?)^```$/gms);
  return Array.from(blocks, ({ groups }) => groups ?? {})
    .filter(({ language: found, text = '' }) => found === language && text.startsWith(beginning))
    .map(({ text = '' }) => text);
}

function namesIn(object: unknown, key: string): string[] {
  const section = isObject(object) ? object[key] : undefined;
  return isObject(section) ? Object.keys(section) : [];
}

describe.each(DOCUMENTS)('%s', (document) => {
  test('has links that lead somewhere', () => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test('names only npm scripts that there are', () => {
    const commands = read(document).matchAll(
      /\bnpm (?:run (?:-s )?(?<script>[a-z][\w-]*(?::[\w-]+)*)|(?<test>test)\b)/g,
    );
    const named = Array.from(commands, ({ groups }) => groups?.['script'] ?? groups?.['test'] ?? '');
    const scripts = namesIn(MANIFEST, 'scripts');
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  test('shows policies and configurations that are loaded without a fault or a doubt', () => {
    const policies = blocksOf(document, 'yaml', 'apiVersion:').map((text, index) => ({
      path: `block-${index}.yaml`,
      bytes: Buffer.from(text),
    }));
    expect(loadPolicies(policies, { revision: 'r1', host: undefined, hostLabels: {} })).toMatchObject({
      ok: true,
      warnings: [],
    });
    for (const text of blocksOf(document, 'yaml', 'source:')) {
      expect(loadHostConfig({ path: 'revertd.yaml', bytes: Buffer.from(text) }, {})).toMatchObject({ ok: true });
    }
  });
});

describe('docs/interfaces.md names', () => {
  const terminal = { out: () => undefined, err: () => undefined, colour: false, isTty: false };
  const commands = commandsBelow(createProgram('0.0.0', terminal, () => undefined));

  /** A row of the table that says what each command needs. */
  test.each(commands.map(({ path }) => path))('the command %s', (path) => {
    expect(INTERFACES).toMatch(new RegExp(`^\\| [^|]*\`${path}[\` ][^|]*\\| (?:live|both|nothing|) *\\|`, 'm'));
  });

  test.each([...new Set(commands.flatMap(({ options }) => options))])('the option %s', (option) => {
    expect(INTERFACES).toMatch(new RegExp(`\`${option}[\` ]`));
  });

  test.each(configSettings().map(({ path }) => [path.join('.'), environmentName(path)]))(
    'the setting %s as %s',
    (key, variable) => {
      expect(INTERFACES).toContain(`\`${key}\``);
      expect(INTERFACES).toContain(`\`${variable}\``);
    },
  );

  test('no variable that there is not', () => {
    const known = ['REVERTD_CONFIG', ...configSettings().map(({ path }) => environmentName(path))];
    expect(
      [...INTERFACES.matchAll(/REVERTD_\w+/g)].map(([name]) => name).filter((name) => !known.includes(name)),
    ).toEqual([]);
  });

  test('the metrics of the daemon, and no others', () => {
    expect(distinct(INTERFACES, /`(revertd_\w+)`/g)).toEqual(
      distinct(
        ['daemon-metrics', 'point-metrics', 'ofrep/ofrep-metrics']
          .map((file) => read(`src/server/${file}.ts`))
          .join(''),
        /'(revertd_\w+)'/g,
      ),
    );
  });

  test('the routes of the API, and no others', () => {
    const routes = Array.from(
      read('src/server/api.ts').matchAll(/^ +(?:\[)?'(?<method>GET|POST)',\s+'(?<path>[\w/:]+)',/gm),
      ({ groups }) => `${groups?.['method']} /api/v1/${groups?.['path']}`,
    );
    const named = Array.from(INTERFACES.matchAll(/`((?:GET|POST) \/api\/v1\/[^`?]+)`/g), ([, route = '']) =>
      route.replaceAll(/(?<=\/)[A-Z%\d]+/g, ':name'),
    );
    expect(routes.length).toBeGreaterThan(0);
    expect([...new Set(named)].sort()).toEqual(routes.sort());
  });
});

function distinct(text: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(text.matchAll(pattern), ([, name = '']) => name))].sort();
}

type Named = { readonly path: string; readonly options: readonly string[] };

/** Commands with their groups' names before them; a group that only leads to others is none. */
function commandsBelow(command: Command, path: readonly string[] = []): Named[] {
  return command.commands
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => {
      const own = [...path, child.name()];
      const options = child.options.map(({ long }) => long ?? '');
      return child.commands.length === 0 ? [{ path: own.join(' '), options }] : commandsBelow(child, own);
    });
}

test('docs/operations.md has a row for each type of condition', () => {
  const union = /export type Condition = \{\s+readonly type:(?<types>[^;]+);/.exec(read('src/core/plan/plan.ts'));
  const types = Array.from((union?.groups?.['types'] ?? '').matchAll(/'(\w+)'/g), ([, type = '']) => type);
  expect(types.length).toBeGreaterThan(0);
  expect(types.filter((type) => !OPERATIONS.includes(`\n| \`${type}\``))).toEqual([]);
});

test('docs/operations.md says what to do about each code of a source', () => {
  expect(REFUSAL_CODES.filter((code) => !OPERATIONS.includes(`\n| \`${code}\``))).toEqual([]);
  expect(UNREACHABLE_CODES.filter((code) => !OPERATIONS.includes(`\`${code}\``))).toEqual([]);
});

test('docs/policies.md has a section for each kind, and names each topic', () => {
  const policies = read('docs/policies.md');
  expect(KINDS.filter((kind) => !policies.includes(`\n## ${kind}: `))).toEqual([]);
  expect(NOTIFICATION_TOPICS.filter((topic) => !policies.includes(`\`${topic}\``))).toEqual([]);
});

test('docs/dependencies.md names each package, and no other', () => {
  const wanted = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((key) => namesIn(MANIFEST, key));
  const rows = Array.from(
    read('docs/dependencies.md').matchAll(/^\| (?<names>`[^|]+`) +\|/gm),
    ({ groups }) => groups?.['names'] ?? '',
  );
  const named = rows.flatMap((row) => Array.from(row.matchAll(/`([^`]+)`/g), ([, name = '']) => name));
  expect(named.sort()).toEqual(wanted.sort());
});

test('docs/decisions/README.md lists each record', () => {
  const records = markdownBelow('docs/decisions').filter((path) => !path.endsWith('README.md'));
  const index = read('docs/decisions/README.md');
  expect(records.filter((path) => !index.includes(`](${relative('docs/decisions', path)})`))).toEqual([]);
});

test('docs/reference/ is what test/tools/reference.ts writes', () => {
  expect(outdatedPages(ROOT)).toEqual([]);
});
