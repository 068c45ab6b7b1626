import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { done, until } from '../installed-host.ts';

const ROOT = join(import.meta.dirname, '../../..');

export type PackRun = {
  /** Also the unit's: `revertd-NAME`. */
  readonly name: string;
  /** Where the daemon keeps what is its own. */
  readonly folder: string;
  readonly port: number;
  readonly policies: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Only those that the pack's README documents. */
  readonly variables: Readonly<Record<string, string>>;
  readonly credentials: Readonly<Record<string, string>>;
  /** Who has which role on this host. */
  readonly roles?: Readonly<Record<string, object>>;
};

/** A daemon that follows a pack, as a unit of its own. Nothing is asked of it but whether it is ready. */
export async function startPackDaemon(run: PackRun): Promise<void> {
  const { name, folder, port, policies, labels = {}, variables, credentials, roles = {} } = run;
  const config = join(folder, 'revertd.yaml');
  mkdirSync(join(folder, 'credentials'), { recursive: true });
  for (const [key, value] of Object.entries(credentials)) writeFileSync(join(folder, 'credentials', key), value);
  writeFileSync(
    config,
    stringify({
      source: { url: policies, watch: 'folder' },
      dataDir: join(folder, 'data'),
      server: { listen: `127.0.0.1:${port}` },
      host: { name, labels, variables },
      roles,
    }),
  );
  const load = Object.keys(credentials).map((key) => `-p LoadCredential=${key}:${join(folder, 'credentials', key)}`);
  const argv = `--disable-warning=ExperimentalWarning ${join(ROOT, 'src/main.ts')} run --config ${config}`;
  await done(`systemd-run --quiet --collect --unit=${unitOf(name)} ${load.join(' ')} -- ${process.execPath} ${argv}`);
  await until(`${unitOf(name)} is ready`, () => isReady(port));
}

export async function stopPackDaemon(name: string): Promise<void> {
  await done(`systemctl stop ${unitOf(name)} || true`);
}

function unitOf(name: string): string {
  return `revertd-${name}.service`;
}

async function isReady(port: number): Promise<true | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
  return response?.status === 200 ? true : undefined;
}
