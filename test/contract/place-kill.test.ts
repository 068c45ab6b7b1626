import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { createPlaceDrivers } from '../../src/drivers/places/registry.ts';
import { NO_ENGINE } from '../support/no-engine.ts';

const REGISTRY = new URL('../../src/drivers/places/registry.ts', import.meta.url).href;
const NO_ENGINE_MODULE = new URL('../support/no-engine.ts', import.meta.url).href;
const ALLOW_LIST = new URL('../../src/drivers/allow-list.ts', import.meta.url).href;

/** Turns a flag on and off for ever, and says so after each write. */
const WRITER = `
  import { createPlaceDrivers } from '${REGISTRY}';
  import { createAllowList } from '${ALLOW_LIST}';
  import { NO_ENGINE } from '${NO_ENGINE_MODULE}';
  const driver = createPlaceDrivers({ allow: createAllowList({}), engine: NO_ENGINE }).envFile;
  for (let value = true; ; value = !value) {
    await driver.write({ kind: 'envFile', path: process.argv[1] }, [{ entry: 'FLAG', value }], new AbortController().signal);
    process.stdout.write('.');
  }`;

/** Kills the writer after so many writes, at whatever it is then doing. */
async function writeUntilKilled(path: string, writes: number): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', WRITER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for (let seen = 0; seen < writes; ) seen += String(await once(child.stdout, 'data')).length;
  child.kill('SIGKILL');
  await exited;
}

it('leaves the old content or the new one, whenever it is killed, and cleans up with the next write', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'revertd-kill-'));
  const path = join(folder, 'app.env');
  const padding = `# ${'x'.repeat(300_000)}\n`;
  await writeFile(path, `${padding}FLAG=true\n`);
  for (let round = 0; round < 10; round += 1) {
    await writeUntilKilled(path, 1 + round);
    const content = await readFile(path, 'utf8');
    expect(content === `${padding}FLAG=true\n` || content === `${padding}FLAG=false\n`).toBe(true);
  }
  const { envFile } = createPlaceDrivers({ allow: createAllowList({}), engine: NO_ENGINE });
  await envFile.write({ kind: 'envFile', path }, [{ entry: 'FLAG', value: 'end' }], new AbortController().signal);
  expect(await readdir(folder)).toStrictEqual(['app.env']);
  await rm(folder, { recursive: true });
});
