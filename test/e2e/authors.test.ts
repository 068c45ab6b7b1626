import { type ExecFileException, execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-authors-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The command line as authors call it, with something on its standard input. */
async function revertd(args: readonly string[], input = ''): Promise<Run> {
  return await new Promise((done) => {
    const ended = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    const child = execFile(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], ended);
    child.stdin?.end(input);
  });
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const NOTIFIER =
  'apiVersion: revertd.dev/v1\nkind: Notifier\nmetadata: { name: oncall }\nspec:\n  webhook: { url: { credential: oncall } }\n';

describe('init', () => {
  test('asks four questions, and what it writes passes everything', async () => {
    const asked = await revertd(['init', folder], 'shop\nno address\n\n/etc/shop/config.json#/features/newPricing\n\n');
    expect(asked.stderr).toContain('"no address" is no http or https address');
    expect(asked.stderr).toContain('revertd plan --policies');
    expect({ code: asked.code, files: asked.stdout.trim().split('\n') }).toEqual({
      code: 0,
      files: [
        'README.md',
        'metrics.yaml',
        'flags.yaml',
        'notifiers.yaml',
        'guard.yaml',
        'tests/guard.yaml',
        '.github/workflows/policies.yaml',
      ].map((path) => join(folder, path)),
    });
    for (const command of ['validate', 'lint', 'test'])
      expect(await revertd([command, folder])).toMatchObject({ code: 0 });
    expect(await revertd(['fmt', folder, '--check'])).toMatchObject({ code: 0, stdout: '' });
  });

  test('takes answers as options, and overwrites nothing', async () => {
    const args = ['init', folder, '--yes', '--service', 'shop.service', '--json'];
    expect(JSON.parse((await revertd(args)).stdout)).toMatchObject({ schemaVersion: 1, folder });
    expect(readFileSync(join(folder, 'guard.yaml'), 'utf8')).toContain('unit: shop.service');
    writeFileSync(join(folder, 'guard.yaml'), '# mine\n');
    rmSync(join(folder, 'flags.yaml'));
    const again = await revertd(args);
    expect(again).toMatchObject({ code: 4, stdout: '' });
    expect(again.stderr).toMatch(/README\.md, .*guard\.yaml.* are there already .*nothing was written/);
    expect(readFileSync(join(folder, 'guard.yaml'), 'utf8')).toBe('# mine\n');
    expect(() => statSync(join(folder, 'flags.yaml'))).toThrow('ENOENT');
  });

  test('needs an answer, and a right one', async () => {
    expect(await revertd(['init', folder])).toMatchObject({ code: 64, stderr: expect.stringContaining('--yes') });
    const wrong = await revertd(['init', folder, '--yes', '--flag', 'NEW_PRICING']);
    expect(wrong).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--flag: "NEW_PRICING" is no place of a flag'),
    });
  });
});

describe('fmt', () => {
  const untidy = NOTIFIER.replace('  webhook', '      webhook');

  test('writes the canonical layout, keeps the mode, and leaves alone what is not YAML', async () => {
    const path = file('a.yaml', untidy);
    const broken = file('b.yaml', 'a: [1\n');
    mkdirSync(join(folder, '.hidden'));
    file('.hidden/c.yaml', 'a:   1\n');
    const { mode } = statSync(path);
    const run = await revertd(['fmt', folder]);
    expect(run).toMatchObject({ code: 1, stdout: `${path}\n` });
    expect(run.stderr).toContain(`${broken}:1:4 error[E-YAML-BRACKET]`);
    expect(readFileSync(path, 'utf8')).toBe(NOTIFIER);
    expect(readFileSync(broken, 'utf8')).toBe('a: [1\n');
    expect(readFileSync(join(folder, '.hidden/c.yaml'), 'utf8')).toBe('a:   1\n');
    expect(statSync(path).mode).toBe(mode);
  });

  test('only tells with --check, and shows what would change with --diff', async () => {
    const path = file('a.yaml', untidy);
    expect(await revertd(['fmt', path, '--check'])).toMatchObject({ code: 1, stdout: `${path}\n` });
    const { stdout, code } = await revertd(['fmt', path, '--diff']);
    expect({ code, lines: stdout.split('\n').filter((line) => /^[-+] /.test(line)) }).toEqual({
      code: 1,
      lines: ['-      webhook: { url: { credential: oncall } }', '+  webhook: { url: { credential: oncall } }'],
    });
    expect(readFileSync(path, 'utf8')).toBe(untidy);
    const json = await revertd(['fmt', path, '--check', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({
      schemaVersion: 1,
      written: false,
      files: [{ path, state: 'different' }],
    });
  });

  test('formats standard input', async () => {
    expect(await revertd(['fmt', '-'], untidy)).toMatchObject({ code: 0, stdout: NOTIFIER });
    expect(await revertd(['fmt', '-'], 'a: [1\n')).toMatchObject({ code: 1, stdout: '' });
    expect(await revertd(['fmt', '-', folder])).toMatchObject({ code: 64 });
    expect(await revertd(['fmt', join(folder, 'none')])).toMatchObject({ code: 1 });
  });
});

describe('lint', () => {
  test('says what is doubtful, why, and how to mend it; warnings fail unless they are allowed', async () => {
    file('a.yaml', NOTIFIER);
    const run = await revertd(['lint', folder]);
    expect(run.stdout).toContain('a.yaml:3:19 warning[unused-notifier] no policy or drill notifies "oncall"');
    expect(run.stdout).toMatch(/why: .*\n +mend: /);
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('1 document in 1 file, 1 warning') });
    expect(await revertd(['lint', folder, '--max-warnings', '1'])).toMatchObject({ code: 0 });
    expect(await revertd(['lint', folder, '--max-warnings', 'few'])).toMatchObject({ code: 64 });
  });

  test('answers programs in JSON, and GitHub in its own words', async () => {
    const path = file('a.yaml', NOTIFIER);
    const { stdout } = await revertd(['lint', folder, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      valid: true,
      passed: false,
      findings: [{ rule: 'unused-notifier', severity: 'warning', file: 'a.yaml', line: 3, column: 19 }],
      silenced: [],
    });
    const github = await revertd(['lint', folder, '--format', 'github']);
    expect(github.stdout).toMatch(
      `::warning file=${path},line=3,col=19,title=unused-notifier::no policy or drill notifies "oncall". `,
    );
  });

  test('shows the faults of a folder that is not valid', async () => {
    file('a.yaml', NOTIFIER.replace('webhook:', 'webhok:'));
    const run = await revertd(['lint', folder]);
    expect(run).toMatchObject({ code: 1, stdout: expect.stringContaining('error[E-UNKNOWN-KEY]') });
    expect(JSON.parse((await revertd(['lint', folder, '--json'])).stdout)).toMatchObject({
      valid: false,
      passed: false,
    });
  });
});

test('a repository of 2,000 files is validated', async () => {
  for (let index = 0; index < 2000; index += 1) {
    const text = NOTIFIER.replace('oncall }', `oncall-${index} }`);
    const policy = `---\napiVersion: revertd.dev/v1\nkind: RollbackPolicy\nmetadata: { name: guard-${index} }\nspec:\n  triggers: [{ name: down, query: up, below: 1, for: 1m, severity: warning }]\n  notify: [oncall-${index}]\n`;
    file(`${index}.yaml`, text + policy);
  }
  expect(await revertd(['validate', folder])).toMatchObject({
    code: 0,
    stderr: 'valid: 4000 documents in 2000 files\n',
  });
});
