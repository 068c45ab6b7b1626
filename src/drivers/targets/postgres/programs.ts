import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from '../../process.ts';
import type { SecretResolver } from '../../secrets.ts';
import { TargetError } from '../target-driver.ts';

/** PostgreSQL's programs, all of one version. */
export type Programs = { readonly dump: string; readonly restore: string; readonly shell: string };

/** Debian's and Fedora's folders of each version, and the one of the path. */
const PLACES: readonly string[] = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/usr/local/bin', '/usr/bin'];

/**
 * The programs of the oldest version that can read the server's: pg_dump refuses a server newer than itself, and what a
 * newer one writes may not load into an older server. Rejects with TargetError `tool`.
 */
export async function programsFor(
  serverVersion: number,
  secrets: Pick<SecretResolver, 'redactor'>,
  signal: AbortSignal,
  places: readonly string[] = PLACES,
): Promise<Programs> {
  const wanted = majorOf(serverVersion);
  const found: { readonly folder: string; readonly major: number }[] = [];
  for (const folder of (await Promise.all(places.map(foldersOf))).flat()) {
    const major = await versionIn(folder, secrets, signal);
    if (major === wanted) return programsIn(folder);
    if (major !== undefined) found.push({ folder, major });
  }
  const [newer] = found.filter(({ major }) => major > wanted).sort((a, b) => a.major - b.major);
  if (newer !== undefined) return programsIn(newer.folder);
  const there = found.length === 0 ? 'none is' : `${found.map(({ major }) => major).join(', ')} is`;
  const message = `the server is PostgreSQL ${wanted}, and of the programs pg_dump, pg_restore and psql ${there} there; install those of version ${wanted} (postgresql-client-${wanted}). Nothing was touched`;
  throw new TargetError('tool', message);
}

/** 150018 is 15, 90624 is 9. */
export function majorOf(version: number): number {
  return Math.floor(version / 10_000);
}

function programsIn(folder: string): Programs {
  return { dump: join(folder, 'pg_dump'), restore: join(folder, 'pg_restore'), shell: join(folder, 'psql') };
}

async function foldersOf(pattern: string): Promise<readonly string[]> {
  const parts = pattern.split('/');
  const index = parts.findIndex((part) => part.includes('*'));
  if (index < 0) return [pattern];
  const parent = parts.slice(0, index).join('/');
  const [before = '', after = ''] = parts[index]?.split('*') ?? [];
  const names = await readdir(parent).catch(() => []);
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => join(parent, name, ...parts.slice(index + 1)));
}

/** `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; undefined where there is none. */
async function versionIn(
  folder: string,
  secrets: Pick<SecretResolver, 'redactor'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const ended = await runProcess({ argv: [join(folder, 'pg_dump'), '--version'], env: {}, secrets }, signal);
  if (ended.kind !== 'exited' || ended.code !== 0) return undefined;
  const major = /\(PostgreSQL\) (\d+)/.exec(ended.output)?.[1];
  return major === undefined ? undefined : Number(major);
}
