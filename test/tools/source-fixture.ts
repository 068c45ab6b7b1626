/** A policy repository, a data folder and readings, for tests of sources. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openSource, type SourceConfig } from '../../src/source/open-source.ts';
import type { PolicySource, SourceNotice, SourceReading } from '../../src/source/policy-source.ts';
import { makeRepository, type Repository } from './git-repository.ts';

export class SourceFixture {
  readonly #top = mkdtempSync(join(tmpdir(), 'revertd-source-'));
  repository: Repository = makeRepository(this.at('repository'));
  readonly notices: SourceNotice[] = [];

  /** A path in the test's own folder. */
  at(name: string): string {
    return join(this.#top, name);
  }

  open(config: Partial<SourceConfig> = {}, environment: NodeJS.ProcessEnv = process.env): PolicySource {
    const tell = (notice: SourceNotice) => this.notices.push(notice);
    return openSource({ url: this.repository.path, ...config }, this.at('data'), { tell, environment });
  }

  /** Where the only mirror is; there must have been a reading. */
  mirror(): string {
    const [name = ''] = readdirSync(this.at('data/source'));
    return this.at(join('data/source', name, 'mirror.git'));
  }

  remove(): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}

export const NEVER: AbortSignal = new AbortController().signal;

export function read(source: PolicySource, accepted?: string, ...consented: string[]): Promise<SourceReading> {
  return source.read({ accepted, consented: new Set(consented) }, NEVER);
}

/** The names of the files that were read; what else the reading was, so that a failing test shows it. */
export function paths(reading: SourceReading): readonly string[] {
  return reading.state === 'changed' ? reading.snapshot.files.map(({ path }) => path) : [JSON.stringify(reading)];
}

export function contents(reading: SourceReading): readonly string[] {
  return reading.state === 'changed' ? reading.snapshot.files.map(({ bytes }) => Buffer.from(bytes).toString()) : [];
}

/** What a reading must match. */
export const changed = (revision: string) => ({ state: 'changed', snapshot: { revision } });
export const unchanged = (revision: string) => ({ state: 'unchanged', revision });
export const refused = (code: string, message = '') => ({
  state: 'refused',
  code,
  message: expect.stringContaining(message),
});
export const unreachable = (code: string, message = '') => ({
  state: 'unreachable',
  code,
  message: expect.stringContaining(message),
});
