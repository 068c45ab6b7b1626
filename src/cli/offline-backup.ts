import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { neededContent } from '../core/points/needed-content.ts';
import { type Backup, type BackupProgress, type BackupRequest, createBackup } from '../daemon/backup/create-backup.ts';
import { readHalt } from '../daemon/halt-file.ts';
import { PointStore } from '../daemon/point-store.ts';
import { createSecretResolver } from '../drivers/secrets.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { Store } from '../store/store.ts';

/** A backup of what a daemon left that does not run. While it is made none can begin. */
export async function backUpOffline(
  config: HostConfig,
  request: BackupRequest,
  version: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<Backup> {
  const dataDir = resolve(config.dataDir);
  const store = new Store(dataDir, { readOnly: true });
  try {
    const points = new PointStore(dataDir, config.points, createSecretResolver(process.env));
    const { sound } = neededContent(store.memory().points);
    const means = {
      store,
      dataDir,
      host: config.host.name ?? hostname(),
      version,
      now: () => Date.now(),
      halt: () => readHalt(dataDir),
      content: () => points.open(),
      manifests: () => (config.points.persistence ? sound : null),
    };
    return await createBackup(means, request, onProgress);
  } finally {
    store.close();
  }
}
