import type { FilesTarget, GitTarget, Target, TargetType, TrackedRef } from '../core/model/target.ts';
import { buildChecks } from './build-check.ts';
import { type BuildContext, durationAt, fault, pathAt, valueOrigin, within } from './build-context.ts';
import { buildSteps } from './build-step.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawFilesTarget, RawGitTarget, RawStep, RawTarget } from './raw-documents.ts';

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

function buildType(context: BuildContext, spec: RawTarget): TargetType {
  if (spec.files !== undefined) return buildFiles(context, ['spec', 'files'], spec.files);
  if (spec.sqlite !== undefined) {
    return { kind: 'sqlite', path: pathAt(context, ['spec', 'sqlite', 'path'], spec.sqlite.path, 'write') };
  }
  return buildGit(context, ['spec', 'git'], spec.git ?? { path: '' });
}

function buildFiles(context: BuildContext, path: Path, raw: RawFilesTarget): FilesTarget {
  const paths = raw.paths.map((text, index) => pathAt(context, [...path, 'paths', index], text, 'write'));
  for (const [index, inner] of paths.entries()) {
    const outer = paths.find((one, other) => other !== index && inner.startsWith(`${one}/`));
    if (outer === undefined) continue;
    fault(context, [...path, 'paths', index], 'E-PATH', `"${inner}" lies within "${outer}", which holds it anyway`);
  }
  return { kind: 'files', paths, exclude: raw.exclude ?? [], oneFileSystem: raw.oneFileSystem ?? true };
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
