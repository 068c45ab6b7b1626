import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PolicySet } from '../core/model/desired.ts';
import type { PolicySnapshot, Revision } from '../core/model/revision.ts';
import { formatDiagnostics } from '../policy/format-diagnostic.ts';
import type { HostConfig } from '../policy/host-config.ts';
import { openSource } from '../source/open-source.ts';
import type { PolicySource } from '../source/policy-source.ts';
import { SourceError } from '../source/source-error.ts';
import { CliError, EXIT } from './exit-code.ts';
import { loadForHost, readFolder, textIn } from './policies-of.ts';
import type { Terminal } from './terminal.ts';

/** The policies that are planned for; with those before them for a range of revisions. */
export type Subject = { readonly policies: PolicySet; readonly before?: PolicySet };

export type SubjectOptions = { readonly policies?: string; readonly rev?: string };

/**
 * Policies other than those in force: a folder, a revision, or the second of a range `A..B`. Revisions are of the
 * configured source, or of the repository around the folder. Undefined if neither is named.
 * `inForce` stands for a missing A.
 */
export async function subjectOf(
  options: SubjectOptions,
  config: HostConfig,
  terminal: Terminal,
  inForce: () => Promise<Revision | null>,
): Promise<Subject | undefined> {
  const { policies: folder, rev } = options;
  if (rev === undefined) {
    if (folder === undefined) return undefined;
    return { policies: loaded(await readFolder(folder), config, terminal, folder) };
  }
  const range = /^(?<from>.*?)\.\.(?<to>.*)$/.exec(rev)?.groups;
  return await withSource(folder, config, async (source) => {
    if (range === undefined) return { policies: loaded(await readRevision(source, rev), config, terminal) };
    const { from = '', to = '' } = range;
    if (to.startsWith('.')) throw new CliError('a range has two dots: `--rev A..B`', EXIT.usage);
    const older = from === '' ? await inForce() : from;
    const before = older === null ? undefined : await readOlder(source, older);
    const policies = loaded(await readRevision(source, to === '' ? 'HEAD' : to), config, terminal);
    return { policies, before: before === undefined ? NOTHING : loaded(before, config, terminal) };
  });
}

/** What there is before the first revision, or before the folder was made. */
const NOTHING: PolicySet = {
  revision: 'nothing',
  flags: {},
  policies: {},
  metricSources: {},
  notifiers: {},
  targets: {},
};

async function withSource<T>(
  folder: string | undefined,
  config: HostConfig,
  use: (source: PolicySource) => Promise<T>,
): Promise<T> {
  if (folder !== undefined) {
    // A mirror of a work tree is soon made, and whoever reviews policies may not write where the daemon's is.
    const mirrors = mkdtempSync(join(tmpdir(), 'revertd-plan-'));
    try {
      return await use(openSource({ url: resolve(folder) }, mirrors));
    } finally {
      rmSync(mirrors, { recursive: true, force: true });
    }
  }
  if (config.source === null) {
    throw new CliError(
      '`--rev` needs a repository: `source` in the configuration, or `--policies FOLDER` in a work tree',
      EXIT.usage,
    );
  }
  return await use(openSource(config.source, resolve(config.dataDir)));
}

async function readRevision(source: PolicySource, revision: string): Promise<PolicySnapshot> {
  if (source.readRevision === undefined)
    throw new CliError(`${source.describe()} has no history to take ${revision} from`);
  return await source.readRevision(revision, AbortSignal.timeout(120_000));
}

/** Undefined if there was no policy folder yet. */
async function readOlder(source: PolicySource, revision: string): Promise<PolicySnapshot | undefined> {
  try {
    return await readRevision(source, revision);
  } catch (error) {
    if (error instanceof SourceError && error.code === 'folderGone') return undefined;
    throw error;
  }
}

function loaded(snapshot: PolicySnapshot, config: HostConfig, terminal: Terminal, folder?: string): PolicySet {
  const result = loadForHost(snapshot, config);
  if (result.ok) return result.desired;
  const textOf = folder === undefined ? () => undefined : textIn(folder);
  const faults = formatDiagnostics(result, { colour: terminal.colour, textOf });
  throw new CliError(
    folder === undefined ? `revision ${snapshot.revision} does not load:\n${faults}` : faults,
    EXIT.error,
  );
}
