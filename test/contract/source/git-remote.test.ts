import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endProcess, type GitProcess, gitProcessesIn } from '../../../src/source/git/git-processes.ts';
import type { SourceConfig } from '../../../src/source/open-source.ts';
import { type GitHttpServer, serveGit } from '../../tools/git-http-server.ts';
import { changed, paths, read, refused, SourceFixture, unchanged, unreachable } from '../../tools/source-fixture.ts';

let its: SourceFixture;
let server: GitHttpServer;
let url: string;
beforeEach(async () => {
  its = new SourceFixture();
  server = await serveGit(its.at('.'));
  url = `${server.url}/repository`;
});
afterEach(async () => {
  await server.close();
  its.remove();
});

const open = (config: Partial<SourceConfig> = {}) => its.open({ url, ref: { branch: 'main' }, ...config });

test('a repository is read over HTTP, and an unchanged one with one question', async () => {
  const first = its.repository.commit({ 'a.yaml': '1' });
  const source = open();
  expect(await read(source)).toMatchObject(changed(first));
  const before = server.requests.length;
  expect(await read(source, first)).toEqual(unchanged(first));
  expect(server.requests.slice(before)).toEqual([
    'GET /repository/info/refs?service=git-upload-pack',
    'POST /repository/git-upload-pack',
  ]);
  const second = its.repository.commit({ 'a.yaml': '2' });
  expect(await read(source, first)).toMatchObject(changed(second));
});

test('a commit that no branch leads to any more is read by its SHA, or is gone', async () => {
  const base = its.repository.commit({ 'a.yaml': '1' });
  const lost = its.repository.commit({ 'a.yaml': '2' });
  its.repository.git('reset', '--quiet', '--hard', base);
  expect(await read(open({ ref: { commit: base } }))).toMatchObject(changed(base));
  expect(await read(open({ ref: { commit: lost } }))).toMatchObject(changed(lost));
  expect(await read(open({ ref: { commit: 'a'.repeat(40) } }))).toMatchObject(refused('branchGone'));
  its.repository.git('branch', '--move', 'trunk');
  expect(await read(open(), base)).toMatchObject(refused('branchGone', 'branch main'));
});

/** Wants the credentials `me` and `s"cre\t$x'`. */
const SECRET = `s"cre\\t$x'`;
function demandCredentials(request: IncomingMessage, response: ServerResponse): boolean {
  const wanted = `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`;
  if (request.headers.authorization === wanted) return false;
  response.writeHead(401, { 'www-authenticate': 'Basic realm="policies"' }).end();
  return true;
}

test('without the right credentials it is unreachable, without a prompt', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  server.intercept = demandCredentials;
  expect(await read(open())).toMatchObject(unreachable('auth', 'access was denied'));
  const wrong = open({ credentials: async () => ({ username: 'me', password: 'other' }) });
  expect(await read(wrong)).toMatchObject(unreachable('auth', url));
});

test('credentials are asked for at each use, and are neither stored nor shown', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  server.intercept = demandCredentials;
  let password = 'expired';
  const source = open({ credentials: async () => ({ username: 'me', password }) });
  expect(await read(source)).toMatchObject(unreachable('auth'));
  password = SECRET;
  expect(await read(source)).toMatchObject(changed(revision));
  for (const name of await readdir(its.at('data'), { recursive: true })) {
    const content = await readFile(its.at(join('data', name))).catch(() => Buffer.alloc(0));
    expect(content.includes(SECRET)).toBe(false);
  }
});

test('credentials that cannot be read are no reason to ask without them', async () => {
  const source = open({ credentials: () => Promise.reject(new Error('no file /run/token')) });
  expect(await read(source)).toMatchObject(unreachable('auth', 'no file /run/token'));
  expect(server.requests).toEqual([]);
});

test('credentials in the URL work, and appear nowhere', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  server.intercept = demandCredentials;
  const withSecret = url.replace('//', `//me:${encodeURIComponent(SECRET)}@`);
  const source = open({ url: withSecret });
  expect(source.describe()).toBe(`git ${url} at branch main`);
  expect(await read(source)).toMatchObject(changed(revision));
  const { password, href } = new URL(withSecret.replace(encodeURIComponent(SECRET), 'wrong-one'));
  expect(JSON.stringify(await read(open({ url: href })))).not.toContain(password);
});

test.each([
  [403, 'auth'],
  [404, 'notFound'],
  [500, 'network'],
  [503, 'network'],
])('an answer of %d is unreachable: %s', async (status, code) => {
  its.repository.commit({ 'a.yaml': '1' });
  server.intercept = (_, response) => {
    response.writeHead(status).end();
    return true;
  };
  expect(await read(open())).toMatchObject(unreachable(code, url));
  server.intercept = undefined;
  expect(paths(await read(open()))).toEqual(['a.yaml']);
});

test('a redirect away from the configured server is not followed', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  const other = await serveGit(its.at('.'));
  server.intercept = (request, response) => {
    response.writeHead(302, { location: `${other.url}${request.url}` }).end();
    return true;
  };
  expect(await read(open())).toMatchObject({ state: 'unreachable' });
  expect(other.requests).toEqual([]);
  await other.close();
});

test('a server that is not there is unreachable', async () => {
  await server.close();
  expect(await read(open())).toMatchObject(unreachable('network', 'cannot be reached'));
  server = await serveGit(its.at('.'));
});

/** Lets the first question for objects hang after it arrived; resolves then. */
function stallFetches(): Promise<void> {
  return new Promise((resolve) => {
    server.intercept = (request, response) => {
      if (request.method !== 'POST') return false;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        // Listing the refs is a POST as well in version 2 of the protocol, and the length of its answer is not known here.
        if (Buffer.concat(chunks).includes('command=fetch')) {
          response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
          response.write('000dpackfile\n');
          resolve();
        } else {
          relay(Buffer.concat(chunks), request, response);
        }
      });
      return true;
    };
  });
}

/** Passes a question whose body was read already on to a second, honest server. */
function relay(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const forward = async () => {
    const honest = await serveGit(its.at('.'));
    const headers = new Headers({ 'content-type': request.headers['content-type'] ?? '' });
    for (const name of ['git-protocol', 'content-encoding']) {
      const value = request.headers[name];
      if (typeof value === 'string') headers.set(name, value);
    }
    const answer = await fetch(`${honest.url}${request.url}`, { method: 'POST', headers, body: new Uint8Array(body) });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
    await honest.close();
  };
  forward().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
}

async function gitInMirror(): Promise<readonly GitProcess[]> {
  return (await gitProcessesIn(its.mirror())) ?? [];
}

test('a fetch that hangs is ended at its deadline, with all its processes', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const stalled = stallFetches();
  const source = open({ deadlines: { fetchMs: 500 } });
  const reading = read(source);
  await stalled;
  expect(await reading).toMatchObject(unreachable('timeout', `${url}: git fetch took longer than 0.5 s`));
  server.intercept = undefined;
  expect(await read(source)).toMatchObject(changed(revision));
  expect(await gitInMirror()).toEqual([]);
});

test('an abort ends git while it fetches', async () => {
  its.repository.commit({ 'a.yaml': '1' });
  const stalled = stallFetches();
  const abort = new AbortController();
  const reading = open().read({ accepted: undefined, consented: new Set() }, abort.signal);
  await stalled;
  const reason = new Error('shutting down');
  abort.abort(reason);
  await expect(reading).rejects.toBe(reason);
});

test('a git that is killed while it fetches leaves nothing that the next reading minds', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const stalled = stallFetches();
  const source = open();
  const reading = read(source);
  await stalled;
  const running = await gitInMirror();
  expect(running.length).toBeGreaterThanOrEqual(2);
  for (const { pid } of running) endProcess(pid);
  expect(await reading).toMatchObject({
    state: 'unreachable',
    code: 'unknown',
    message: expect.stringContaining('killed'),
  });
  server.intercept = undefined;
  expect(await read(source)).toMatchObject(changed(revision));
});

test('a connection that breaks off in the middle is unreachable, and the next reading is whole', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1', 'big.bin': randomBytes(3_000_000) });
  server.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    const write = response.write.bind(response);
    let sent = 0;
    Object.assign(response, {
      write: (chunk: Buffer) => {
        sent += chunk.length;
        if (sent > 1_000_000) response.destroy();
        return write(chunk);
      },
    });
    return false;
  };
  const source = open();
  expect(await read(source)).toMatchObject(unreachable('network'));
  server.intercept = undefined;
  expect(await read(source)).toMatchObject(changed(revision));
});

test('what a killed daemon left running is ended, and what a live one runs is left alone', async () => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const stalled = stallFetches();
  const daemon = spawn(process.execPath, ['--input-type=module', '--eval', DAEMON, url, its.at('data')], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: 'inherit',
  });
  await stalled;
  const source = open();
  expect(await read(source)).toMatchObject(unreachable('busy', `process ${daemon.pid} works in`));
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  server.intercept = undefined;
  const orphans = await gitInMirror();
  expect(orphans.length).toBeGreaterThan(0);
  expect(await read(source)).toMatchObject(changed(revision));
  expect(its.notices.map(({ code }) => code)).toContain('orphanEnded');
  expect(await gitInMirror()).toEqual([]);
});

const DAEMON = `
  const { openSource } = await import('./src/source/open-source.ts');
  const [url, dataDir] = process.argv.slice(1);
  const source = openSource({ url, ref: { branch: 'main' } }, dataDir);
  await source.read({ accepted: undefined, consented: new Set() }, new AbortController().signal);
`;

/** Stands for ssh: writes down how it was called, and runs the command here. */
async function fakeSsh(): Promise<NodeJS.ProcessEnv> {
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > ${its.at('ssh.args')}\nfor command; do :; done\nexec sh -c "$command"\n`;
  await writeFile(its.at('ssh'), script, { mode: 0o755 });
  return { ...process.env, PATH: `${its.at('.')}:${process.env['PATH'] ?? ''}` };
}

test.each([
  ['ssh://git@host.example:2222', ['-p', '2222', 'git@host.example']],
  ['git@host.example:', ['git@host.example']],
])('%s is read through ssh, which may ask nothing', async (prefix, expected) => {
  const revision = its.repository.commit({ 'a.yaml': '1' });
  const ssh = { identityFile: `/etc/it's a key`, knownHostsFile: '/etc/known' };
  const source = its.open({ url: `${prefix}${its.repository.path}`, ssh }, await fakeSsh());
  expect(await read(source)).toMatchObject(changed(revision));
  const args = (await readFile(its.at('ssh.args'), 'utf8')).split('\n');
  expect(args).toEqual(expect.arrayContaining(['BatchMode=yes', 'ConnectTimeout=10', 'ControlMaster=no']));
  expect(args).toEqual(
    expect.arrayContaining([`IdentityFile="/etc/it's a key"`, 'UserKnownHostsFile="/etc/known"', ...expected]),
  );
});

test('without ssh it is unreachable, and says why', async () => {
  const git = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
  await mkdir(its.at('bin'));
  await symlink(git, its.at('bin/git'));
  const source = its.open({ url: 'git@host.example:a' }, { PATH: its.at('bin') });
  expect(await read(source)).toMatchObject(unreachable('gitMissing', 'the ssh that it needs'));
});
