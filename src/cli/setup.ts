import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatDiagnostics } from '../policy/format-diagnostic.ts';
import { type HostConfig, loadHostConfig } from '../policy/host-config.ts';
import { CliError } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** The options that every command has. */
export type GlobalOptions = {
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly color?: boolean;
};

export const DEFAULT_CONFIG = '/etc/revertd/revertd.yaml';

/**
 * The host's configuration: the file named by `--config`, or the default one if it is there, with the environment and
 * then the command's own options laid over it.
 */
export function configOf(options: GlobalOptions, terminal: Terminal, environment: NodeJS.ProcessEnv): HostConfig {
  const path =
    options.config ?? environment['REVERTD_CONFIG'] ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  const file = path === undefined ? undefined : { path, bytes: readConfig(path) };
  const result = loadHostConfig(file, environment);
  if (!result.ok) {
    const texts = {
      colour: terminal.colour,
      textOf: (name: string) => (existsSync(name) ? readFileSync(name, 'utf8') : undefined),
    };
    throw new CliError(formatDiagnostics({ diagnostics: result.diagnostics, omitted: 0 }, texts));
  }
  return options.data === undefined ? result.config : { ...result.config, dataDir: options.data };
}

export function socketOf(config: HostConfig): string {
  return resolve(config.server.socket ?? join(config.dataDir, 'control.sock'));
}

function readConfig(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`the configuration ${path} cannot be read: ${why}`, undefined, { cause });
  }
}
