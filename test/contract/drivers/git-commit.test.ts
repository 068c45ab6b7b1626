import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GitChange } from '../../../src/core/model/git-commit-step.ts';
import { type AllowRules, createAllowList } from '../../../src/drivers/allow-list.ts';
import { createSecretResolver } from '../../../src/drivers/secrets.ts';
import { gitCommitStep } from '../../../src/drivers/steps/gitCommit/index.ts';
import type { PolicySource } from '../../../src/drivers/steps/gitCommit/remote.ts';
import type { Fingerprint, StepContext, StepOf } from '../../../src/drivers/steps/step-driver.ts';
import { serveGit } from '../../tools/git-http-server.ts';
import { makeRepository, type Repository, runGitIn } from '../../tools/git-repository.ts';

const never = new AbortController().signal;
let root: string;
let bare: string;
let work: Repository;

const FLAGS = `# All flags of the shop.
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: old-pricing }
spec: { variants: { "on": true, "off": false }, defaultVariant: "on", safeVariant: "off" }
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: new-pricing }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on" # since the launch
  safeVariant: "off"
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'revertd-commit-'));
  bare = join(root, 'policies.git');
  work = makeRepository(join(root, 'work'));
  work.commit({ 'shop/flags.yaml': FLAGS, 'config.toml': 'size = 8\n', 'run.sh': '#!/bin/sh\n', old: 'x' });
  chmodSync(join(work.path, 'run.sh'), 0o755);
  work.commit({});
  work.git('clone', '--quiet', '--bare', work.path, bare);
  work.git('remote', 'add', 'origin', bare);
  return () => rmSync(root, { recursive: true });
});

const inBare = (...args: readonly string[]) => runGitIn(bare, args);

function step(changes: readonly GitChange[], rest: Partial<StepOf<'gitCommit'>> = {}): StepOf<'gitCommit'> {
  return {
    origin: { file: 'test.yaml', line: 1, column: 1 },
    timeoutMs: 30_000,
    kind: 'gitCommit',
    repository: bare,
    message: 'Keep it off\n\np95 was above 500 ms',
    changes,
    author: { name: 'Shop revertd', email: 'revertd@example.com' },
    ...rest,
  };
}

type Options = { readonly rules?: AllowRules; readonly source?: PolicySource; readonly env?: Record<string, string> };

function driver({ rules = {}, source, env = {} }: Options = {}) {
  const secrets = createSecretResolver(env);
  const own = gitCommitStep({ allow: createAllowList(rules), secrets, hostName: 'web-1', policySource: source });
  const remembered: Fingerprint[] = [];
  return {
    remembered,
    perform: (task: StepOf<'gitCommit'>, context: Partial<StepContext> = {}) =>
      own.perform(task, {
        signal: never,
        operation: 'step:INC-7/flags/do/1#12',
        once: 'once',
        secrets,
        log: () => undefined,
        remember: (fingerprint) => void remembered.push(fingerprint),
        ...context,
      }),
    observe: (task: StepOf<'gitCommit'>) => own.observe(task, remembered.at(-1) ?? {}, never),
  };
}

const BRANCH = 'revertd/web-1/INC-7';
const SAFE: readonly GitChange[] = [{ kind: 'flag', flag: 'new-pricing' }];

it("[P6] proposes a flag's safe variant on a branch of its own", async () => {
  const temporary = mkdtempSync(join(root, 'temporary-'));
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  const main = inBare('rev-parse', 'main');
  const { perform, observe } = driver();
  expect(await perform(step(SAFE))).toMatchObject({ outcome: 'done', detail: expect.stringContaining(`to ${BRANCH}`) });
  expect(inBare('rev-parse', 'main', `${BRANCH}^`)).toBe(`${main}\n${main}`);
  expect(inBare('show', `${BRANCH}:shop/flags.yaml`)).toBe(
    FLAGS.replace('defaultVariant: "on" # since', 'defaultVariant: "off" # since').trimEnd(),
  );
  expect(inBare('log', '-1', '--format=%an <%ae>|%B', BRANCH)).toBe(
    'Shop revertd <revertd@example.com>|Keep it off\n\np95 was above 500 ms\n\nRevertd-Operation: web-1 step:INC-7/flags/do/1',
  );
  expect(await observe(step(SAFE))).toBe('done');
  expect(readdirSync(temporary)).toStrictEqual([]);
});

it('changes, makes and removes files, and keeps their modes', async () => {
  const changes: readonly GitChange[] = [
    { kind: 'entries', path: 'config.toml', format: 'auto', set: { '/size': 4 }, remove: [] },
    { kind: 'content', path: 'run.sh', content: '#!/bin/sh\nexit 0\n' },
    { kind: 'content', path: 'new/file', content: 'new\n' },
    { kind: 'delete', path: 'old' },
  ];
  expect(await driver().perform(step(changes, { branch: 'fix' }))).toMatchObject({ outcome: 'done' });
  expect(inBare('ls-tree', '-r', '--format=%(objectmode) %(path)', 'fix').split('\n')).toStrictEqual([
    '100644 config.toml',
    '100644 new/file',
    '100755 run.sh',
    '100644 shop/flags.yaml',
  ]);
  expect(inBare('show', 'fix:config.toml')).toBe('size = 4');
});

it('does nothing a second time', async () => {
  const { perform } = driver();
  await perform(step(SAFE));
  const tip = inBare('rev-parse', BRANCH);
  expect(await perform(step(SAFE), { operation: 'step:INC-7/flags/do/1#19' })).toMatchObject({
    outcome: 'done',
    detail: expect.stringContaining('has it already'),
  });
  expect(await perform(step(SAFE), { operation: 'step:INC-7/code/do/0#20' })).toMatchObject({
    outcome: 'done',
    detail: expect.stringContaining('is so already'),
  });
  expect(inBare('rev-parse', BRANCH)).toBe(tip);
});

it('adds to a branch that is there, and never forces it', async () => {
  work.git('checkout', '--quiet', '-b', 'fix');
  const theirs = work.commit({ theirs: 'x' });
  work.git('push', '--quiet', bare, 'fix');
  expect(await driver().perform(step(SAFE, { branch: 'fix' }))).toMatchObject({ outcome: 'done' });
  expect(inBare('rev-parse', 'fix^')).toBe(theirs);
});

it('looks again if somebody else pushes meanwhile', async () => {
  const other = join(root, 'other');
  work.git('clone', '--quiet', bare, other);
  let pushed = false;
  const log = (line: string) => {
    if (pushed || !line.startsWith('pushing')) return;
    pushed = true;
    runGitIn(other, ['checkout', '--quiet', '-b', 'fix']);
    runGitIn(other, ['commit', '--quiet', '--allow-empty', '--message', 'Theirs']);
    runGitIn(other, ['push', '--quiet', 'origin', 'fix']);
  };
  expect(await driver().perform(step(SAFE, { branch: 'fix' }), { log })).toMatchObject({ outcome: 'done' });
  expect(inBare('log', '--format=%s', 'main..fix').split('\n')).toStrictEqual(['Keep it off', 'Theirs']);
});

it.each<[string, Partial<StepOf<'gitCommit'>>, Options, string, string]>([
  ['the base', { branch: 'main' }, {}, 'notAllowed', 'is followed'],
  ['the default branch', { branch: 'main', base: 'next' }, {}, 'notAllowed', 'is followed'],
  [
    'the branch that policies come from',
    { branch: 'production' },
    { source: { url: 'https://git.example.com/p.git', branch: 'production' } },
    'notAllowed',
    'is followed',
  ],
  ['no branch', { branch: 'a..b' }, {}, 'notSupported', 'is not the name of a branch'],
  ['a base that is not there', { base: 'none' }, {}, 'notSupported', 'has no branch none'],
  ['a forbidden path', {}, { rules: { paths: ['/srv'] } }, 'notAllowed', 'not among the paths'],
  ['a forbidden host', { repository: 'git@evil.example:x.git' }, { rules: { hosts: ['good'] } }, 'notAllowed', 'hosts'],
  ['an option', { repository: '--upload-pack=x' }, {}, 'notAllowed', 'is not the address'],
  ['no repository', { repository: '/no/such' }, {}, 'git', 'git ls-remote'],
  ['a flag that is not there', { changes: [{ kind: 'flag', flag: 'none' }] }, {}, 'badFile', 'describes a Flag none'],
  ['a file that is not there', { changes: [{ kind: 'delete', path: 'none' }] }, {}, 'badFile', 'has no file none'],
  ['a missing key', { sshKey: { env: 'ABSENT' } }, {}, 'secret', 'ABSENT'],
])('refuses %s', async (_, rest, options, code, detail) => {
  work.git('push', '--quiet', bare, 'main:next');
  const before = inBare('for-each-ref');
  expect(await driver(options).perform(step(SAFE, rest))).toMatchObject({
    outcome: 'failed',
    code,
    detail: expect.stringContaining(detail),
  });
  expect(inBare('for-each-ref')).toBe(before);
});

it('writes through no link of the repository', async () => {
  work.commit({ link: { link: '/etc/passwd' } });
  work.git('push', '--quiet', bare, 'main');
  expect(await driver().perform(step([{ kind: 'content', path: 'link', content: 'x' }]))).toMatchObject({
    code: 'badFile',
  });
  expect(await driver().perform(step([{ kind: 'content', path: 'link/x', content: 'x' }]))).toMatchObject({
    outcome: 'failed',
  });
});

it('leaves alone what is checked out, and runs no hook', async () => {
  const hook = join(work.path, '.git/hooks/pre-receive');
  writeFileSync(hook, `#!/bin/sh\ntouch ${join(root, 'ran')}\n`, { mode: 0o755 });
  expect(await driver().perform(step(SAFE, { repository: work.path, branch: 'fix' }))).toMatchObject({
    outcome: 'done',
  });
  expect(work.git('status', '--porcelain')).toBe('');
  expect(existsSync(join(root, 'ran'))).toBe(false);
});

it('takes the repository of the policies if none is named, with its folder and branch', async () => {
  const { repository: _, ...rest } = step(SAFE);
  const { perform } = driver({ source: { url: bare, branch: 'main', folder: 'shop' }, rules: { paths: [] } });
  expect(await perform(rest)).toMatchObject({ outcome: 'done' });
  expect(await driver().perform(rest)).toMatchObject({
    code: 'notSupported',
    detail: expect.stringContaining('name one'),
  });
});

it('signs with an OpenSSH key', async () => {
  const key = join(root, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'revertd@example.com', '-f', key]);
  const signers = join(root, 'signers');
  writeFileSync(signers, `revertd@example.com ${readFileSync(`${key}.pub`, 'utf8')}`);
  const { perform } = driver({ env: { KEY: readFileSync(key, 'utf8') } });
  expect(await perform(step(SAFE, { signingKey: { env: 'KEY' } }))).toMatchObject({ outcome: 'done' });
  inBare('-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', BRANCH);
});

describe('over HTTP', () => {
  it('logs in, and shows no password', async () => {
    const server = await serveGit(root);
    onTestFinished(() => server.close());
    inBare('config', 'http.receivepack', 'true');
    server.intercept = (request, response) => {
      if (request.headers.authorization !== undefined) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return true;
    };
    const auth = { kind: 'basic', username: 'bot', password: { env: 'TOKEN' } } as const;
    const { perform } = driver({ env: { TOKEN: 'hunter22' } });
    const repository = `${server.url}/policies.git`;
    expect(await perform(step(SAFE, { repository, auth }))).toMatchObject({ outcome: 'done' });
    expect(inBare('rev-parse', `${BRANCH}^`)).toBe(inBare('rev-parse', 'main'));
    expect(server.requests.some((line) => line.includes('bot:hunter22'))).toBe(true);
    server.intercept = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    const refused = await perform(step(SAFE, { repository, auth }));
    expect(refused).toMatchObject({ code: 'git', detail: expect.stringContaining('403') });
    expect(refused.detail).not.toContain('hunter22');
  });

  it('cannot tell after a crash if the server does not answer', async () => {
    const server = await serveGit(root);
    const repository = `${server.url}/policies.git`;
    const { perform, observe, remembered } = driver();
    expect(await observe(step(SAFE, { repository }))).toBe('notDone');
    remembered.push({ key: 'web-1 step:INC-7/flags/do/1', branch: BRANCH });
    expect(await observe(step(SAFE, { repository }))).toBe('notDone');
    await server.close();
    expect(await observe(step(SAFE, { repository }))).toBe('unknown');
    expect(await perform(step(SAFE, { repository }))).toMatchObject({ code: 'git' });
  });
});
