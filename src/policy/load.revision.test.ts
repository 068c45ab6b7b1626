import { describe, expect, it } from 'vitest';
import { policyFile, printed } from '../../test/tools/policy-fixtures.ts';
import type { Allow } from './allow.ts';
import { loadPolicies } from './load.ts';
import type { LoadOptions } from './load-options.ts';

const HEAD = 'apiVersion: revertd.dev/v1\n';
const OPTIONS: LoadOptions = { revision: 'r', host: {}, hostLabels: {} };

const flag = (name: string, more = ''): string => `${HEAD}kind: Flag
metadata: { name: ${name} }
spec:
  variants: { blue: 1, red: 2 }
  defaultVariant: blue
  safeVariant: red
${more}`;

const policy = (flagName: string, more = ''): string => `${HEAD}kind: RollbackPolicy
metadata: { name: slow }
spec:
  ladder: [{ rung: flags, do: [{ setFlag: { flag: ${flagName}, to: safe } }] }]
${more}`;

function load(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}) {
  const list = Object.entries(files).map(([path, text]) => policyFile(path, text));
  return loadPolicies(list, { ...OPTIONS, ...options });
}

describe('several files', () => {
  it('refer to each other, whatever their order', () => {
    expect(load({ 'a.yaml': policy('fast'), 'b/c.yml': flag('fast') })).toMatchObject({
      ok: true,
      documents: 2,
      files: 2,
    });
  });

  it('cannot use one name twice, and the first is named', () => {
    expect(printed(load({ 'a.yaml': flag('fast'), 'b.yaml': flag('fast') }))).toEqual([
      'b.yaml:3:19 error[E-DUPLICATE-NAME] a second Flag is called "fast"; names are unique within a kind',
      'a.yaml:3:19 the first Flag "fast"',
    ]);
  });

  it('may use one name for two kinds', () => {
    expect(load({ 'a.yaml': policy('slow'), 'b.yaml': flag('slow') })).toMatchObject({ ok: true });
  });

  it('have their faults sorted by file, line and column', () => {
    const result = load({ 'b.yaml': flag('b', '  x: 1\n  w: 1\n'), 'a.yaml': 'x\n---\ny\n' });
    const places = result.ok ? [] : result.diagnostics.map(({ file, line }) => `${file}:${line}`);
    expect(places).toEqual(['a.yaml:1', 'a.yaml:3', 'b.yaml:8', 'b.yaml:9']);
  });

  it('leave drafts and other files out', () => {
    expect(load({ 'a.draft.yaml': 'x', 'b.draft.yml': 'x', 'README.md': 'x', 'c.json': '{}' })).toMatchObject({
      ok: true,
      files: 0,
    });
  });

  it('may hold tests, which say nothing of what is desired', () => {
    const test = `${HEAD}kind: PolicyTest\nmetadata: { name: t }\nspec: { anything: goes }\n`;
    expect(load({ 'a.yaml': test })).toMatchObject({ ok: true, documents: 1, desired: { flags: {}, policies: {} } });
  });
});

describe('one fault hides no other and makes no second', () => {
  it.each([
    ['a key is wrong', flag('fast', '  drft: x\n'), ['b.yaml:8:3']],
    ['its YAML is wrong', `${flag('fast')}\tx: 1\n`, ['b.yaml:8:1']],
    ['its kind is wrong', flag('fast').replace('Flag', 'Flg'), ['b.yaml:2:7']],
    ['it has an alias', flag('fast', '  drift: *x\n'), ['b.yaml:8:10']],
    ['it holds a control character', flag('fast', '# \0\n'), ['b.yaml:8:3']],
  ])('for a reference to a flag of which %s', (_, text, places) => {
    const result = load({ 'a.yaml': policy('fast', '  notify: [nobody]\n'), 'b.yaml': text });
    const found = result.ok ? [] : result.diagnostics.map(({ file, line, column }) => `${file}:${line}:${column}`);
    expect(found).toEqual(['a.yaml:6:12', ...places]);
  });
});

it('keeps 200 diagnostics and counts the rest', () => {
  const text = Array.from({ length: 250 }, (_, index) => `x${index}\n`).join('---\n');
  const result = load({ 'a.yaml': text });
  expect(result).toMatchObject({ ok: false, omitted: 50 });
  expect(result.ok ? 0 : result.diagnostics.length).toBe(200);
  expect(printed(result).at(-1)).toBe('and 50 more (only the first 200 are shown)');
});

describe('hosts', () => {
  const other = '  hosts: { matchLabels: { role: db } }\n';

  it('leave out what is not for this one, and hold it against its schema all the same', () => {
    expect(load({ 'a.yaml': flag('fast', other) })).toMatchObject({ ok: true, documents: 1, desired: { flags: {} } });
    expect(load({ 'a.yaml': flag('fast', other) }, { hostLabels: { role: 'db' } })).toMatchObject({
      desired: { flags: { fast: { name: 'fast' } } },
    });
    expect(load({ 'a.yaml': flag('fast', `${other}  drft: x\n`) }).ok).toBe(false);
  });

  it('need no variables for what is elsewhere', () => {
    const place = '  deliver: [{ envFile: { path: "${host.dir}/x", key: X } }]\n';
    expect(load({ 'a.yaml': flag('fast', other + place) }).ok).toBe(true);
    expect(load({ 'a.yaml': flag('fast', place) }).ok).toBe(false);
    const elsewhere = place.replace('{ envFile', '{ hosts: { matchLabels: { role: db } }, envFile');
    expect(load({ 'a.yaml': flag('fast', elsewhere) })).toMatchObject({
      ok: true,
      desired: { flags: { fast: { deliver: [] } } },
    });
  });

  it('that exclude each other may have the same place', () => {
    const place = (role: string): string =>
      `  hosts: { matchLabels: { role: ${role} } }\n  deliver: [{ envFile: { path: /etc/x, key: X } }]\n`;
    const offline = { host: undefined };
    expect(load({ 'a.yaml': flag('a', place('db')), 'b.yaml': flag('b', place('web')) }, offline).ok).toBe(true);
    expect(load({ 'a.yaml': flag('a', place('db')), 'b.yaml': flag('b', place('db')) }, offline).ok).toBe(false);
  });
});

describe('offline, where no host is known', () => {
  const query = (text: string): string => `  triggers: [{ name: t, query: '${text}', above: 1 }]\n`;

  it('variables are taken as given, also in queries', () => {
    const files = (text: string) => ({ 'a.yaml': flag('fast'), 'b.yaml': policy('fast', query(text)) });
    for (const text of ['x / ${host.limit}', 'rate(x[${host.window}])', 'up{job="${host.job}"}']) {
      expect(load(files(text), { host: undefined })).toMatchObject({ ok: true });
    }
    expect(printed(load(files('x / / ${host.limit}'), { host: undefined }))).toEqual([
      'b.yaml:6:37 error[E-QUERY] the query is not right: unexpected /, expected an expression',
    ]);
  });

  it('a default stands for what the host may say, and is judged', () => {
    const files = (text: string) => ({ 'a.yaml': flag('fast'), 'b.yaml': policy('fast', query(text)) });
    expect(load(files('rate(x[${host.window:-1m}])'), { host: undefined })).toMatchObject({ ok: true });
    expect(printed(load(files('rate(x[${host.window:-1}]) +'), { host: undefined }))).toEqual([
      expect.stringContaining('error[E-QUERY]'),
    ]);
    const paced = policy('fast', query('x').replace('above: 1', 'above: 1, for: "${host.pace:-30}"'));
    expect(printed(load({ 'a.yaml': flag('fast'), 'b.yaml': paced }, { host: undefined }))).toEqual([
      expect.stringContaining('error[E-UNIT]'),
    ]);
    expect(load({ 'a.yaml': flag('fast'), 'b.yaml': paced }, { host: { pace: '5s' } })).toMatchObject({ ok: true });
  });

  it('what is wrong with a variable itself is still told', () => {
    const text = flag('fast', '  deliver: [{ envFile: { path: "${HOME}/x", key: X } }]\n');
    expect(load({ 'a.yaml': text }, { host: undefined })).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'E-VARIABLE' }],
    });
  });
});

it('asks the host what policies may touch', () => {
  const touch = `  deliver:
    - envFile: { path: /etc/x.env, key: X }
      then:
        - service: { unit: app.service, do: restart }
        - run: { argv: [/bin/reload, "-x"], cwd: /srv }
        - http: { url: "http://127.0.0.1/reload" }
`;
  const no = (what: string) => (text: string) => `${text} is no ${what}`;
  const allow: Allow = {
    path: (path, use) => no(use === 'write' ? 'place' : 'source')(path),
    unit: no('unit'),
    command: ([program = '']) => no('program')(program),
    url: no('address'),
  };
  expect(printed(load({ 'a.yaml': flag('fast', touch) }, { allow }))).toEqual([
    'a.yaml:9:24 error[E-NOT-ALLOWED] not allowed on this host: /etc/x.env is no place',
    'a.yaml:11:28 error[E-NOT-ALLOWED] not allowed on this host: app.service is no unit',
    'a.yaml:12:24 error[E-NOT-ALLOWED] not allowed on this host: /bin/reload is no program',
    'a.yaml:12:50 error[E-NOT-ALLOWED] not allowed on this host: /srv is no source',
    'a.yaml:13:24 error[E-NOT-ALLOWED] not allowed on this host: http://127.0.0.1/reload is no address',
  ]);
});

describe('names that objects have of themselves', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty'])('%s is a name like any other', (name) => {
    const result = load({ 'a.yaml': flag(name), 'b.yaml': policy(name) });
    expect(result.ok && Object.keys(result.desired.flags)).toEqual([name]);
    expect(load({ 'b.yaml': policy(name) }).ok).toBe(false);
  });

  it('__proto__ is an unknown key and no way into a prototype', () => {
    const result = load({ 'a.yaml': flag('fast', '  __proto__: { drift: report }\n') });
    expect(printed(result)).toHaveLength(1);
    expect(printed(result)[0]).toMatch(/^a\.yaml:8:3 error\[E-UNKNOWN-KEY\] unknown key `__proto__`/);
  });
});
