import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import type { PackRun } from './pack-daemon.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/** A daemon that follows a pack, as a process of whoever runs the tests; nothing is asked of it but that it has begun. */
export async function startPackProcess(run: Omit<PackRun, 'port'>): Promise<AsyncDisposable> {
  const { name, folder, policies, labels = {}, variables, credentials } = run;
  const secrets = join(folder, 'credentials');
  mkdirSync(secrets, { recursive: true });
  for (const [key, value] of Object.entries(credentials)) writeFileSync(join(secrets, key), value);
  const config = {
    source: { url: policies, watch: 'folder' },
    dataDir: join(folder, 'data'),
    server: { listen: '127.0.0.1:0' },
    host: { name, labels, variables },
  };
  writeFileSync(join(folder, 'revertd.yaml'), stringify(config));
  const args = ['--disable-warning=ExperimentalWarning', MAIN, 'run', '--config', join(folder, 'revertd.yaml')];
  const env = { ...process.env, CREDENTIALS_DIRECTORY: secrets };
  const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const ended = once(daemon, 'exit');
  const said: string[] = [];
  const { promise: listening, resolve } = Promise.withResolvers<'listening'>();
  createInterface({ input: daemon.stderr }).on('line', (line) => {
    said.push(line);
    if (/"port":\d/.test(line)) resolve('listening');
  });
  if ((await Promise.race([listening, ended])) !== 'listening') {
    throw new Error(`the daemon ended:\n${said.join('\n')}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      daemon.kill();
      await ended;
    },
  };
}
