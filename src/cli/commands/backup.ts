import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes } from '../../core/report/period-rows.ts';
import { formatInstant } from '../../core/units.ts';
import { BackupError } from '../../daemon/backup/backup-error.ts';
import type { Backup, BackupProgress } from '../../daemon/backup/create-backup.ts';
import { type Restored, restoreBackup } from '../../daemon/backup/restore-backup.ts';
import { PointStore } from '../../daemon/point-store.ts';
import { createSecretResolver } from '../../drivers/secrets.ts';
import type { HostConfig } from '../../policy/host-config.ts';
import { ContentError } from '../../store/content/content-error.ts';
import { StoreError } from '../../store/store-error.ts';
import { connect } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { backUpOffline } from '../offline-backup.ts';
import { ProgressLine } from '../progress-line.ts';
import { configOf, type GlobalOptions, socketOf } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type CreateOptions = GlobalOptions & { readonly content?: boolean };
export type RestoreBackupOptions = GlobalOptions & { readonly force?: boolean };

const POLL_MS = 250;

/** A running daemon writes the file, as the user that it runs as; without one it is written from what it left. */
export async function backupCreate(
  path: string,
  options: CreateOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const request = { path: resolve(path), withoutContent: options.content === false };
  const line = new ProgressLine(terminal);
  const show = (progress: BackupProgress | null): void => line.show('backing up', progress);
  const client = await connect(socketOf(config));
  const made = await asCommand(async () =>
    client === undefined
      ? await backUpOffline(config, request, version, show)
      : await polled(client.post<Backup>('backup', request), async () =>
          show((await client.get<{ progress: BackupProgress | null }>('backup')).progress),
        ),
  ).finally(() => line.clear());
  if (options.json === true) terminal.out(JSON.stringify(made, null, 2));
  else {
    terminal.out(made.path);
    terminal.err(
      `${formatBytes(made.bytes)}, up to event ${made.seq}; \`revertd backup restore ${made.path}\` brings it back.`,
    );
    terminal.err(`The head of its log is ${made.seq}:${made.hash}.`);
  }
  return EXIT.done;
}

/** Looks how far it is until it is done. */
async function polled<T>(doing: Promise<T>, look: () => Promise<void>): Promise<T> {
  const settled = doing.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([settled, delay(POLL_MS, false)]))) await look();
  return await doing;
}

/** For a host whose daemon does not run. */
export async function backupRestore(
  file: string,
  options: RestoreBackupOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const dataDir = resolve(config.dataDir);
  const line = new ProgressLine(terminal);
  const restored = await asCommand(() =>
    restoreBackup(resolve(file), options.force === true, {
      dataDir,
      now: () => Date.now(),
      actor: userInfo().username,
      content: contentOf(config, dataDir),
      onStage: (stage) => line.show(`restoring: ${stage}`, null),
    }),
  ).finally(() => line.clear());
  if (options.json === true) terminal.out(JSON.stringify({ schemaVersion: 1, dataDir, ...restored }, null, 2));
  else for (const text of restoredLines(restored, dataDir)) terminal.err(text);
  return EXIT.done;
}

function contentOf(config: HostConfig, dataDir: string): (() => ReturnType<PointStore['open']>) | null {
  if (!config.points.persistence) return null;
  const points = new PointStore(dataDir, config.points, createSecretResolver(process.env));
  return () => points.open();
}

function restoredLines({ note, pointsLost, incidentsOpen, aside }: Restored, dataDir: string): string[] {
  const { host, takenAt, store } = note;
  return [
    `${dataDir} is as it was on ${host} at ${formatInstant(takenAt)}, after event ${store.seq}.`,
    ...(note.halt === null ? [] : [`It is halted, as it was then: ${note.halt.reason}; \`revertd resume\` ends that.`]),
    ...(incidentsOpen.length === 0 ? [] : [`Open, and gone on with: ${incidentsOpen.join(', ')}.`]),
    ...(pointsLost.length === 0
      ? []
      : [`Gone, for their content is neither here nor in the backup: ${pointsLost.join(', ')}.`]),
    ...(aside === null ? [] : [`What was there is kept as ${aside}.`]),
    'Look with `revertd status` and `revertd plan` before you start the daemon: what happened since then it does not know.',
  ];
}

async function asCommand<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof BackupError && error.code === 'wouldLose')
      throw new CliError(error.message, EXIT.refused, { cause: error });
    if (error instanceof StoreError && error.code === 'locked') {
      const mend = 'stop it first: systemctl stop revertd';
      throw new CliError(`${error.message}; ${mend}`, EXIT.locked, { cause: error });
    }
    if (error instanceof BackupError || error instanceof ContentError)
      throw new CliError(error.message, EXIT.error, { cause: error });
    throw error;
  }
}
