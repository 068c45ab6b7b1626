import type { RestoreStep, StepSpec } from '../core/model/step.ts';
import type { RestorePoint, RowSelection } from '../core/model/target.ts';
import type { Millis } from '../core/units.ts';
import { type BuildContext, durationAt, fault, valueOrigin } from './build-context.ts';
import type { Path } from './path.ts';
import type { RawCreatePoint, RawRestore } from './raw-documents.ts';

export function buildRestore(context: BuildContext, path: Path, raw: RawRestore): StepSpec {
  const paths = raw.only?.paths ?? [];
  const rows = buildRows(context, [...path, 'only'], raw.only);
  const to = buildRestorePoint(context, [...path, 'to'], raw.to);
  const parts = paths.map((text, index) => ({
    text,
    origin: valueOrigin(context, [...path, 'only', 'paths', index]),
  }));
  const merge = buildMerge(context, path, raw);
  const use = { restoreTo: to.kind, parts, ...(merge === undefined ? {} : { merges: true as const }) };
  const origin = valueOrigin(context, [...path, 'target']);
  context.references.push({
    kind: 'Target',
    name: raw.target,
    origin,
    use,
    ...(rows === undefined ? {} : { needs: 'tables' }),
  });
  const safety = raw.safety === 'attempt' ? { safety: raw.safety } : {};
  return {
    kind: 'restore',
    target: raw.target,
    to,
    paths,
    ...(rows === undefined ? {} : { rows }),
    ...(merge === undefined ? {} : { merge }),
    ...safety,
  };
}

function buildMerge(context: BuildContext, path: Path, { mode, conflicts, to }: RawRestore): RestoreStep['merge'] {
  if (mode !== 'merge') {
    if (conflicts !== undefined) {
      fault(context, [...path, 'conflicts'], 'E-MERGE', 'there are conflicts only in a merge; add `mode: merge`');
    }
    return undefined;
  }
  if (to === 'latestValid') {
    const message =
      'nothing would come of merging `latestValid`: it is what the live state is held against; go further back, as with lastGood or {before: trigger, by: 1h}';
    fault(context, [...path, 'to'], 'E-MERGE', { message, found: to });
  }
  return { conflicts: conflicts ?? 'abort' };
}

function buildRows(
  context: BuildContext,
  path: Path,
  { paths, tables, keys = [] }: NonNullable<RawRestore['only']> = {},
): RowSelection | undefined {
  if (tables === undefined) {
    if (keys.length > 0) fault(context, [...path, 'keys'], 'E-KEYS', 'keys are of a table; name it: `tables: [NAME]`');
    return undefined;
  }
  if (paths !== undefined) {
    fault(context, [...path, 'tables'], 'E-KEYS', 'what has paths has no tables; name the one or the other');
  }
  if (keys.length > 0 && tables.length !== 1) {
    const message = `keys are of one table; found ${tables.length} of them`;
    fault(context, [...path, 'keys'], 'E-KEYS', { message, found: tables.join(', ') });
  }
  return { tables, keys };
}

/** Exactly one of them; the schema says which there are. */
export function buildRestorePoint(context: BuildContext, path: Path, raw: RawRestore['to']): RestorePoint {
  if (typeof raw === 'string') return { kind: raw };
  const given = (['revision', 'point', 'at', 'before'] as const).filter((key) => raw[key] !== undefined);
  if (given.length !== 1) {
    const message = `a restore goes to one of \`revision\`, \`point\`, \`at\` or \`before\`; found ${given.join(', ') || 'none'}`;
    fault(context, path, 'E-RESTORE-TO', { message });
  }
  if (raw.point !== undefined) return { kind: 'point', point: raw.point };
  if (raw.at !== undefined) return { kind: 'at', at: instantAt(context, [...path, 'at'], raw.at) };
  if (raw.before !== undefined) {
    return { kind: 'before', byMs: durationAt(context, [...path, 'by'], raw.by, 0) };
  }
  return { kind: 'revision', revision: raw.revision ?? '' };
}

function instantAt(context: BuildContext, path: Path, text: string): Millis {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return at;
  fault(context, path, 'E-TIME', { message: `there is no such time: "${text}"`, found: text });
  return 0;
}

export function buildCreatePoint(context: BuildContext, path: Path, { policy, until }: RawCreatePoint): StepSpec {
  context.references.push({ kind: 'PointPolicy', name: policy, origin: valueOrigin(context, [...path, 'policy']) });
  return { kind: 'createPoint', policy, until: until ?? 'stored' };
}
