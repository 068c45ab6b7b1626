import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepository, type Repository, runGitIn } from '../../tools/git-repository.ts';
import type { MemoryRelease } from './memory-service.ts';

/** As npm wants them for a package that needs nothing. */
const PACKAGE = { name: 'memory-system', version: '1.0.0' };
const BUILT = {
  'package.json': JSON.stringify({ ...PACKAGE, scripts: { build: 'mkdir -p dist && cp release.json dist/' } }),
  'package-lock.json': JSON.stringify({ ...PACKAGE, lockfileVersion: 3, requires: true, packages: { '': PACKAGE } }),
};

/**
 * The code of a memory-system: the remote that people push to, the checkout that follows it, and the folder that the
 * service runs from. Its first commit has the tag `phase-1`: the code from before the migration.
 */
export class MemoryCode {
  readonly checkout: string;
  readonly installed: string;
  readonly #remote: Repository;

  constructor(folder: string, first: MemoryRelease) {
    this.checkout = join(folder, 'code');
    this.installed = join(folder, 'opt');
    this.#remote = makeRepository(join(folder, 'remote'));
    this.#remote.commit({ ...BUILT, 'release.json': '{}' }, 'Remember entities');
    this.#remote.git('tag', 'phase-1');
    this.push(first);
    runGitIn(folder, ['clone', '--quiet', this.#remote.path, this.checkout]);
    mkdirSync(this.installed);
    writeFileSync(join(this.installed, 'release.json'), JSON.stringify(first));
  }

  /** Commits a release to the branch that is followed; the result is its SHA. */
  push(release: MemoryRelease): string {
    return this.#remote.commit({ 'release.json': JSON.stringify(release) }, 'Remember more');
  }

  /** A revision of the remote. */
  revision(name: string): string {
    return this.#remote.git('rev-parse', name);
  }

  /** Which revision is checked out. */
  head(): string {
    return runGitIn(this.checkout, ['rev-parse', 'HEAD']);
  }

  /** What git is kept from throwing away, which are the revisions that have proved good. */
  kept(): readonly string[] {
    return runGitIn(this.checkout, ['for-each-ref', '--format=%(objectname)', 'refs/revertd/good']).split('\n');
  }

  /** What the service would read if it started now. */
  release(): MemoryRelease {
    return JSON.parse(readFileSync(join(this.installed, 'release.json'), 'utf8')) as MemoryRelease;
  }
}
