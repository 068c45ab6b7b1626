import type {
  FilesTarget,
  FlagsTarget,
  GitTarget,
  PostgresTarget,
  RowsTarget,
  SqliteTarget,
  Target,
  TargetType,
  TrackedRef,
} from '../core/model/target.ts';
import { buildChecks } from './build-check.ts';
import { type BuildContext, durationAt, fault, pathAt, valueOrigin, within } from './build-context.ts';
import { checkSecret } from './build-parts.ts';
import { buildCommandTarget, buildHttpTarget } from './build-service-target.ts';
import { buildSqlDatabase } from './build-sql-parts.ts';
import { buildSteps } from './build-step.ts';
import type { Path } from './path.ts';
import type {
  RawDocument,
  RawFilesTarget,
  RawGitTarget,
  RawPostgresTarget,
  RawStep,
  RawTarget,
} from './raw-documents.ts';

const DEFAULT_BAKE_MS = 3_600_000;
const DEFAULT_INTERVAL_MS = 60_000;
const SHORTEST_INTERVAL = { ms: 5_000, text: '5s' } as const;

export function buildTarget(context: BuildContext, { metadata, spec }: RawDocument<RawTarget>): Target {
  refuseDecisions(context, ['spec', 'quiesce'], spec.quiesce);
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    type: buildType(context, spec),
    quiesce: buildSteps(context, ['spec', 'quiesce'], spec.quiesce),
    checks: buildChecks(context, ['spec', 'check'], spec.check),
  };
}

function buildType(context: BuildContext, raw: RawTarget): TargetType {
  const { git, files, sqlite, postgres, http, command, flags, rows } = raw;
  if (files !== undefined) return buildFiles(context, ['spec', 'files'], files);
  if (sqlite !== undefined) return buildSqlite(context, ['spec', 'sqlite'], sqlite);
  if (http !== undefined) return buildHttpTarget(context, ['spec', 'http'], http);
  if (command !== undefined) return buildCommandTarget(context, ['spec', 'command'], command);
  if (postgres !== undefined) return buildPostgres(context, ['spec', 'postgres'], postgres);
  if (flags !== undefined) return buildFlags(context, ['spec', 'flags'], flags, raw.quiesce);
  if (rows !== undefined) return buildRows(context, ['spec', 'rows'], rows);
  return buildGit(context, ['spec', 'git'], git ?? { path: '' });
}

function buildFiles(context: BuildContext, path: Path, raw: RawFilesTarget): FilesTarget {
  const paths = raw.paths.map((text, index) =>
    pathAt(context, [...path, 'paths', index], text.replace(/(?<=.)\/+$/, ''), 'write'),
  );
  refuseNested(context, [...path, 'paths'], paths);
  for (const [index, pattern] of (raw.exclude ?? []).entries()) {
    if (!isPattern(pattern)) {
      const message = `"${pattern}" leaves nothing out: a pattern is of a name, of a path below \`paths\`, or of a whole path`;
      fault(context, [...path, 'exclude', index], 'E-PATTERN', { message, found: pattern });
    }
  }
  return { kind: 'files', paths, exclude: raw.exclude ?? [], oneFileSystem: raw.oneFileSystem ?? false };
}

function isPattern(pattern: string): boolean {
  const parts = pattern.replace(/\/+$/, '').split('/');
  return !pattern.startsWith('!') && parts.some((part) => part !== '') && !parts.some((part) => /^\.{1,2}$/.test(part));
}

/** What is in two trees would be captured twice, and be put back twice. */
function refuseNested(context: BuildContext, path: Path, paths: readonly string[]): void {
  for (const [index, inner] of paths.entries()) {
    const outer = paths.find((other, place) => place !== index && isWithin(inner, other, place < index));
    if (outer === undefined) continue;
    const message = `"${inner}" is already part of "${outer}"; name each folder once`;
    fault(context, [...path, index], 'E-PATH', { message, found: inner });
  }
}

function isWithin(inner: string, outer: string, isSameMeant: boolean): boolean {
  return inner === outer ? isSameMeant : inner.startsWith(`${outer}/`);
}

function buildSqlite(context: BuildContext, path: Path, { path: file }: { readonly path: string }): SqliteTarget {
  return { kind: 'sqlite', path: pathAt(context, [...path, 'path'], file, 'write') };
}

function buildPostgres(context: BuildContext, path: Path, raw: RawPostgresTarget): PostgresTarget {
  const { connection, schemas = [], tables = [] } = raw;
  for (const [index, table] of tables.entries()) {
    const [schema, name] = table.split('.');
    if (name === undefined || !schemas.includes(schema ?? '')) continue;
    const message = `"${table}" is already part of the schema "${schema}"; name it once`;
    fault(context, [...path, 'tables', index], 'E-TABLE', { message, found: table });
  }
  const dsn = checkSecret(context, [...path, 'connection'], connection);
  return { kind: 'postgres', database: { kind: 'postgres', dsn }, schemas, tables };
}

function buildRows(context: BuildContext, path: Path, raw: NonNullable<RawTarget['rows']>): RowsTarget {
  return { kind: 'rows', database: buildSqlDatabase(context, path, raw, 'write'), tables: raw.tables };
}

/** Nothing of the host is touched while flags are set, so that nothing has to stand still for it. */
function buildFlags(
  context: BuildContext,
  path: Path,
  { only = [] }: NonNullable<RawTarget['flags']>,
  quiesce: RawTarget['quiesce'],
): FlagsTarget {
  for (const [index, name] of only.entries()) {
    const origin = valueOrigin(context, [...path, 'only', index]);
    context.references.push({ kind: 'Flag', name, origin });
  }
  if (quiesce !== undefined && quiesce.length > 0) {
    const message =
      'nothing stands still while flags are captured or set; what a new value needs is in `then` of their places';
    fault(context, ['spec', 'quiesce'], 'E-STEP', message);
  }
  return { kind: 'flags', only };
}

function buildGit(context: BuildContext, path: Path, raw: RawGitTarget): GitTarget {
  refuseDecisions(context, [...path, 'build'], raw.build);
  refuseDecisions(context, [...path, 'activate'], raw.activate);
  return {
    kind: 'git',
    path: pathAt(context, [...path, 'path'], raw.path, 'write'),
    ...(raw.track === undefined ? {} : { track: buildTrack(context, [...path, 'track'], raw.track) }),
    build: buildSteps(context, [...path, 'build'], raw.build),
    ...(raw.publish === undefined ? {} : { publish: buildPublish(context, [...path, 'publish'], raw.publish) }),
    activate: buildSteps(context, [...path, 'activate'], raw.activate),
    bakeMs: durationAt(context, [...path, 'bake'], raw.bake, DEFAULT_BAKE_MS),
  };
}

function buildTrack(context: BuildContext, path: Path, raw: NonNullable<RawGitTarget['track']>): TrackedRef {
  const { ref, remote = 'origin', interval } = typeof raw === 'string' ? { ref: raw } : raw;
  const at = [...path, 'interval'];
  if (ref.startsWith('-') || remote.startsWith('-')) {
    fault(context, path, 'E-REF', `a branch, tag or remote does not begin with "-"; found "${ref}" of "${remote}"`);
  }
  return { remote, ref, intervalMs: durationAt(context, at, interval, DEFAULT_INTERVAL_MS, SHORTEST_INTERVAL) };
}

function buildPublish(
  context: BuildContext,
  path: Path,
  { from, to }: NonNullable<RawGitTarget['publish']>,
): NonNullable<GitTarget['publish']> {
  return { from: within(context, [...path, 'from'], from), to: pathAt(context, [...path, 'to'], to, 'write') };
}

/** What makes a state effective is done by the host; setting flags and moving targets are decisions of a ladder. */
function refuseDecisions(context: BuildContext, path: Path, steps: readonly RawStep[] | undefined): void {
  for (const [index, step] of (steps ?? []).entries()) {
    for (const kind of ['setFlag', 'restore', 'createPoint', 'notify'] as const) {
      if (step[kind] === undefined) continue;
      const message = `\`${kind}\` is a decision, which only a ladder can take; a target's steps touch the host alone`;
      fault(context, [...path, index, kind], 'E-STEP', message);
    }
  }
}
