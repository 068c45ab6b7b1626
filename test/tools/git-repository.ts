/** Real git repositories for tests, untouched by the configuration of whoever runs them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
};

/** A content to write, `{ link }` to make a symbolic link, or null to remove the file. */
export type Change = string | Uint8Array | { readonly link: string } | null;

export type Repository = {
  readonly path: string;
  /** Runs git in the work tree, and gives its output without the last line's end. */
  readonly git: (...args: readonly string[]) => string;
  /** Makes the changes and commits everything; the result is the new commit's SHA. */
  readonly commit: (changes: Readonly<Record<string, Change>>, message?: string) => string;
};

/** Makes an empty repository with the branch `main`. */
export function makeRepository(path: string, ...initOptions: readonly string[]): Repository {
  mkdirSync(path, { recursive: true });
  const git = (...args: readonly string[]) => runGitIn(path, args);
  git('init', '--quiet', '--initial-branch=main', ...initOptions);
  const commit: Repository['commit'] = (changes, message = 'Change policies') => {
    for (const [name, change] of Object.entries(changes)) applyChange(join(path, name), change);
    git('add', '--all', '--force');
    git('commit', '--quiet', '--allow-empty', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  return { path, git, commit };
}

export function runGitIn(folder: string, args: readonly string[], input?: string): string {
  const output = execFileSync('git', args, { cwd: folder, env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'], input });
  return output.toString().trimEnd();
}

function applyChange(at: string, change: Change): void {
  rmSync(at, { recursive: true, force: true });
  if (change === null) return;
  mkdirSync(dirname(at), { recursive: true });
  if (typeof change === 'object' && 'link' in change) symlinkSync(change.link, at);
  else writeFileSync(at, change);
}
