import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CapturedStage } from '../../support/points/captured-stage.ts';

const installed = spawnSync('setfattr', ['--version']).status === 0;
const ACL = 'system.posix_acl_access';

let stage: CapturedStage;
let app: string;

beforeEach(async () => {
  stage = await CapturedStage.open((live) => ({
    kind: 'files',
    paths: [join(live, 'app')],
    exclude: [],
    oneFileSystem: false,
  }));
  app = join(stage.live, 'app');
  mkdirSync(join(app, 'folder'), { recursive: true });
  for (const name of ['marked', 'plain', 'folder/deep']) writeFileSync(join(app, name), name);
});
afterEach(() => {
  vi.unstubAllEnvs();
  stage.close();
});

function mark(path: string, name: string, value: string | null): void {
  const what = value === null ? [`--remove=${name}`] : [`--name=${name}`, `--value=${value}`];
  execFileSync('setfattr', ['--no-dereference', ...what, '--', path]);
}

/** All extended attributes below, as the program of the system tells them. */
function marks(): string {
  return execFileSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '^(user|system|security.cap)', '-e', 'hex', '.'], {
    cwd: app,
    encoding: 'latin1',
  });
}

describe.skipIf(!installed)('extended attributes (needs the package attr)', () => {
  test('of files and folders come back, whatever their bytes, with content and without', async () => {
    mark(join(app, 'marked'), 'user.origin', 'https://example.com/a b');
    mark(join(app, 'marked'), 'user.binary', '0x00ff0a3d');
    mark(join(app, 'marked'), 'user.empty', '');
    mark(join(app, 'folder'), 'user.team', 'memory');
    const odd = Buffer.concat([Buffer.from(`${app}/`), Buffer.from([0x6e, 0x0a, 0xff])]);
    writeFileSync(odd, 'odd');
    execFileSync('sh', ['-c', `cd '${app}'; for f in n*; do setfattr -n user.odd -v 1 -- "$f"; done`]);
    const before = marks();
    const snapshot = await stage.capture();

    rmSync(app, { recursive: true });
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(marks()).toBe(before);
    expect((await stage.capture({ previous: snapshot })).fingerprint).toBe(snapshot.fingerprint);
  });

  test('that alone are different are told, and put back without a byte of content', async () => {
    mark(join(app, 'marked'), 'user.a', '1');
    mark(join(app, 'marked'), 'user.b', '2');
    const before = marks();
    const snapshot = await stage.capture();
    const { ino } = statSync(join(app, 'marked'));
    mark(join(app, 'marked'), 'user.a', 'changed');
    mark(join(app, 'marked'), 'user.b', null);
    mark(join(app, 'plain'), 'user.new', '3');
    mark(join(app, 'folder'), 'user.new', '4');
    const { groups } = await stage.diff(snapshot);
    expect(groups[0]?.items.map(({ what, detail }) => [what, detail])).toEqual([
      ['folder', 'extended attributes'],
      ['marked', 'extended attributes'],
      ['plain', 'extended attributes'],
    ]);
    expect(await stage.observe(snapshot)).toBe('notDone');
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(marks()).toBe(before);
    expect(statSync(join(app, 'marked')).ino).toBe(ino);
    expect(await stage.observe(snapshot)).toBe('done');
  });

  test('that a folder gives to what is made in it are not left on what had none', async () => {
    const snapshot = await stage.capture();
    // A default ACL: what is made in the folder inherits it.
    const acl = '0x0200000001000700ffffffff020007000100000004000500ffffffff10000700ffffffff20000500ffffffff';
    mark(app, 'system.posix_acl_default', acl);
    writeFileSync(join(app, 'marked'), 'other');
    rmSync(join(app, 'folder'), { recursive: true });
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(marks()).toBe('');
    expect(readFileSync(join(app, 'marked'), 'utf8')).toBe('marked');
  });

  test('an ACL comes back with the mode that it says', async () => {
    const acl = '0x0200000001000600ffffffff020007000100000004000400ffffffff10000700ffffffff20000400ffffffff';
    mark(join(app, 'marked'), ACL, acl);
    const { mode } = statSync(join(app, 'marked'));
    const before = marks();
    const snapshot = await stage.capture();
    mark(join(app, 'marked'), ACL, null);
    chmodSync(join(app, 'marked'), 0o600);
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(marks()).toBe(before);
    expect(statSync(join(app, 'marked')).mode).toBe(mode);
  });

  test('are asked for once by a capture, and not at all for a snapshot that knows nothing of them', async () => {
    const [asked, programs] = [join(stage.folder, 'asked'), join(stage.folder, 'programs')];
    mkdirSync(programs);
    mkdirSync(join(stage.folder, 'none'));
    writeFileSync(join(programs, 'getfattr'), `#!/bin/sh\necho "$*" >> '${asked}'\nexec /usr/bin/getfattr "$@"\n`, {
      mode: 0o755,
    });
    const times = () => (existsSync(asked) ? readFileSync(asked, 'utf8').split('\n').length - 1 : 0);
    mark(join(app, 'marked'), 'user.a', '1');
    vi.stubEnv('PATH', join(stage.folder, 'none'));
    const without = await stage.capture();
    vi.stubEnv('PATH', `${programs}:/usr/bin:/bin`);
    expect((await stage.diff(without)).groups[0]?.items).toStrictEqual([]);
    expect(await stage.observe(without)).toBe('done');
    expect(times()).toBe(0);
    await stage.capture();
    expect(times()).toBe(1);
  });

  test('of what a planted link leads to are neither read nor written', async () => {
    const outside = join(stage.folder, 'outside');
    writeFileSync(outside, 'outside');
    mark(outside, 'user.secret', '1');
    mark(join(app, 'marked'), 'user.a', '1');
    const snapshot = await stage.capture();
    rmSync(join(app, 'marked'));
    symlinkSync(outside, join(app, 'marked'));
    expect(await stage.restore(snapshot)).toMatchObject({ outcome: 'done' });
    expect(execFileSync('getfattr', ['-d', '--absolute-names', outside], { encoding: 'utf8' })).toContain(
      'user.secret="1"\n',
    );
    expect(execFileSync('getfattr', ['-d', '--absolute-names', outside], { encoding: 'utf8' })).not.toContain('user.a');
    expect(marks()).toContain('user.a=0x31');
  });
});
