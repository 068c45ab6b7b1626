import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PolicySet } from '../core/model/desired.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { type Client, connect } from './client.ts';
import { CliError, EXIT } from './exit-code.ts';
import { socketOf } from './setup.ts';

/** Reads from the running daemon; without one, from what it left behind. */
export async function read<T>(config: HostConfig, path: string, version: string): Promise<T> {
  const client = await connect(socketOf(config));
  if (client !== undefined) return await client.get<T>(path);
  const [{ offlineView }, { answer }] = await Promise.all([import('./offline-host.ts'), import('../server/api.ts')]);
  const view = await offlineView(config, await storedPolicies(config), version);
  const url = new URL(path, 'http://localhost/api/v1/');
  const request = { method: 'GET', path: url.pathname, query: url.searchParams, body: undefined, actor: '' };
  return (await answer({ view, control: null }, request)) as T;
}

/** The daemon, for what only a running one can do. @throws CliError if there is none. */
export async function daemonOf(config: HostConfig): Promise<Client> {
  const socket = socketOf(config);
  const client = await connect(socket);
  if (client !== undefined) return client;
  throw new CliError(
    `no daemon listens on ${socket}; start it with \`revertd run\`, or name its folder with --data`,
    EXIT.error,
  );
}

/** The policies that were in force when the daemon last ran; null before the first start. */
export async function storedPolicies(config: HostConfig): Promise<PolicySet | null> {
  const [{ STORE_FILE }, { Store }, { loadForHost }] = await Promise.all([
    import('../store/database.ts'),
    import('../store/store.ts'),
    import('./policies-of.ts'),
  ]);
  const dataDir = resolve(config.dataDir);
  if (!existsSync(join(dataDir, STORE_FILE))) return null;
  const store = new Store(dataDir, { readOnly: true });
  try {
    const { revision } = store.memory();
    const snapshot = revision === null ? undefined : store.revision(revision);
    const result = snapshot === undefined ? undefined : loadForHost(snapshot, config);
    return result?.ok === true ? result.desired : null;
  } finally {
    store.close();
  }
}
