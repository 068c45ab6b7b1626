import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { folderSource } from './folder/folder-source.ts';
import type { SshOptions } from './git/git-environment.ts';
import { type Credentials, type GitLocation, parseGitLocation } from './git/git-location.ts';
import { checkGitRef, type GitRef } from './git/git-ref.ts';
import { GitSource } from './git/git-source.ts';
import { DEADLINES, type Deadlines } from './git/mirror.ts';
import type { PolicySource, SourceNotice } from './policy-source.ts';
import { SourceError } from './source-error.ts';

/** Where policies come from, as a host's configuration says it. */
export type SourceConfig = {
  /** A git URL, a path (relative ones begin at the working directory), or `folder:` and a path for a plain folder. */
  readonly url: string;
  /** What is followed; by default the repository's HEAD. */
  readonly ref?: GitRef;
  /** The policy folder within the repository or folder. */
  readonly folder?: string;
  /** `folder` reads the files as they are on disk, also if they are in a git work tree. */
  readonly watch?: 'git' | 'folder';
  readonly ssh?: SshOptions;
  /** For HTTPS; asked before each use of the network. */
  readonly credentials?: () => Promise<Credentials>;
  readonly deadlines?: Partial<Deadlines>;
};

/** What a source needs of the process that it lives in. */
export type SourceHost = {
  readonly environment?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  /** Told what a source mended by itself. */
  readonly tell?: (notice: SourceNotice) => void;
};

const FOLDER_PREFIX = 'folder:';

/**
 * Opens what the configuration names: a URL or a path to a git repository is read through git, also a path into a work tree,
 * at its committed HEAD; any other folder is read as it is. One process at a time may have a source open on a data folder.
 * @throws {SourceError} `configuration`
 */
export function openSource(config: SourceConfig, dataDir: string, host: SourceHost = {}): PolicySource {
  const folder = policyFolder(config.folder ?? '');
  const local = localPath(config.url);
  if (config.url.startsWith(FOLDER_PREFIX) || config.watch === 'folder') return openFolder(config, local, folder, host);
  if (local === undefined) return openGit(config, parseGitLocation(config.url), folder, dataDir, host);
  const repository = findRepository(local);
  if (repository === undefined && config.ref === undefined && config.watch === undefined) {
    return openFolder(config, local, folder, host);
  }
  const top = repository ?? local;
  return openGit(config, parseGitLocation(top), slashed(join(relative(top, local), folder)), dataDir, host);
}

function openFolder(
  config: SourceConfig,
  local: string | undefined,
  folder: string,
  { tell }: SourceHost,
): PolicySource {
  if (local === undefined) throw wrong(`${config.url} cannot be watched as a folder, since it is no path`);
  if (config.ref !== undefined)
    throw wrong(`${local} is read as a plain folder, which has no branches, tags or commits`);
  return folderSource({ root: join(local, folder), tell: tell ?? ignore });
}

function openGit(
  config: SourceConfig,
  location: GitLocation,
  folder: string,
  dataDir: string,
  host: SourceHost,
): PolicySource {
  if (config.ref !== undefined) checkGitRef(config.ref);
  return new GitSource({
    location,
    folder,
    ref: config.ref,
    dataDir: resolve(dataDir),
    ssh: config.ssh ?? {},
    credentials: config.credentials,
    deadlines: { ...DEADLINES, ...config.deadlines },
    inherited: host.environment ?? process.env,
    now: host.now ?? Date.now,
    tell: host.tell ?? ignore,
  });
}

/** The path that a setting names; undefined for what is elsewhere. */
function localPath(url: string): string | undefined {
  if (url.startsWith(FOLDER_PREFIX)) return resolve(url.slice(FOLDER_PREFIX.length));
  if (/^file:\/\//i.test(url)) return parseGitLocation(url).address;
  if (isAbsolute(url) || /^\.{1,2}(?:\/|$)/.test(url)) return resolve(url);
  // `a:b` and anything with a scheme is an address; a bare name is a folder here.
  return url === '' || url.includes(':') || url.startsWith('-') ? undefined : resolve(url);
}

/** The repository at a path or around it: a work tree's top folder, or a bare repository. */
function findRepository(path: string): string | undefined {
  if (['HEAD', 'objects', 'refs'].every((name) => existsSync(join(path, name)))) return path;
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git')) && statSync(folder).isDirectory()) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Relative, without `.` and `..`, with `/` between its parts; empty for the top. */
function policyFolder(folder: string): string {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.');
  if (!isAbsolute(folder) && !parts.includes('..')) return parts.join('/');
  throw wrong(`the policy folder ${folder} leads out of its repository. Name it relative to the repository's top`);
}

function slashed(path: string): string {
  return path === '.' ? '' : path;
}

function ignore(): void {}

function wrong(message: string): SourceError {
  return new SourceError('configuration', message);
}
