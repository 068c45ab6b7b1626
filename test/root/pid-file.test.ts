import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signalByPidFile } from '../../src/drivers/steps/service/pid-file.ts';

const NOBODY = 65_534;

it('signals no process for the owner of a pidFile who could not signal it himself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-pid-'));
  const path = join(folder, 'x.pid');
  const ofRoot = spawn('sleep', ['1000']);
  const ofNobody = spawn('sleep', ['1000'], { uid: NOBODY, gid: NOBODY });
  const ended = once(ofNobody, 'exit');
  await writeFile(path, String(ofRoot.pid));
  await chown(path, NOBODY, NOBODY);
  expect(await signalByPidFile(path, 'SIGTERM')).toMatchObject({
    code: 'pidFile',
    detail: expect.stringContaining('belongs to user 65534'),
  });
  await writeFile(path, String(ofNobody.pid));
  expect(await signalByPidFile(path, 'SIGTERM')).toMatchObject({ outcome: 'done' });
  expect(await ended).toStrictEqual([null, 'SIGTERM']);
  expect(ofRoot.exitCode).toBeNull();
  ofRoot.kill('SIGKILL');
  await rm(folder, { recursive: true });
});
