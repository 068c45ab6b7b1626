import { type Flag, type FlagPlace, placeKey } from '../core/model/flag.ts';
import { nearestName } from '../core/nearest-name.ts';
import { type BuildContext, containerAt, doubt, fault, pathAt, valueOrigin } from './build-context.ts';
import { buildSteps } from './build-step.ts';
import { buildTargeting } from './build-targeting.ts';
import { digestOf } from './digest.ts';
import { alternativesText } from './found.ts';
import { matchesHost } from './host-labels.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawDocument, RawFlag, RawPlace } from './raw-documents.ts';

/** `hostLabels` undefined: the places of all hosts are kept. */
export function buildFlag(
  context: BuildContext,
  raw: RawDocument<RawFlag>,
  hostLabels: Readonly<Record<string, string>> | undefined,
): Flag {
  const { spec, metadata } = raw;
  const state = spec.state ?? 'ENABLED';
  checkVariants(context, spec);
  const targeting = buildTargeting(context, spec);
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    state,
    variants: spec.variants,
    defaultVariant: spec.defaultVariant,
    ...(spec.safeVariant === undefined ? {} : { safeVariant: spec.safeVariant }),
    ...targeting,
    ...(spec.metadata === undefined ? {} : { metadata: spec.metadata }),
    digest: digestOf({ variants: spec.variants, defaultVariant: spec.defaultVariant, state, ...targeting }),
    drift: spec.drift ?? 'repair',
    deliver: (spec.deliver ?? []).flatMap((place, index) =>
      hostLabels === undefined || matchesHost(place.hosts, hostLabels)
        ? [buildPlace(context, raw, ['spec', 'deliver', index], place)]
        : [],
    ),
  };
}

function checkVariants(context: BuildContext, spec: RawFlag): void {
  const names = Object.keys(spec.variants);
  for (const key of ['defaultVariant', 'safeVariant'] as const) {
    const name = spec[key];
    if (name === undefined || names.includes(name)) continue;
    const suggestion = nearestName(name, names);
    const base = { found: name, expected: alternativesText(names) };
    const message = `\`${key}\` names no variant of this flag: found "${name}", expected ${alternativesText(names.map((word) => `"${word}"`))}`;
    fault(
      context,
      ['spec', key],
      'E-NO-VARIANT',
      suggestion === undefined ? { ...base, message } : { ...base, message, suggestion },
    );
  }
  const types = [...new Set(Object.values(spec.variants).map(typeOfVariant))];
  if (types.length > 1) {
    const message = `the variants are of different types (${types.join(', ')}); readers of a flag expect one`;
    doubt(context, ['spec', 'variants'], 'W-VARIANT-TYPES', message);
  }
}

/** flagd and OpenFeature know boolean, string, number and object flags. */
function typeOfVariant(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

function buildPlace(context: BuildContext, raw: RawDocument<RawFlag>, path: Path, place: RawPlace): FlagPlace {
  const kind = place.envFile === undefined ? 'file' : 'envFile';
  const at = [...path, kind, 'path'];
  const built: FlagPlace = {
    origin: valueOrigin(context, path),
    document: { kind, ...buildFile(context, [...path, kind], place[kind]) },
    entry: place.envFile?.key ?? place.file?.pointer ?? '',
    takeUp: buildSteps(context, [...path, 'then'], place.then),
  };
  if (kind === 'file') checkFormat(context, at, built.document.path);
  refuseInThen(context, path, place);
  context.places.push({
    key: placeKey(built),
    flag: raw.metadata.name,
    origin: built.origin,
    hostLabels: [raw.spec.hosts?.matchLabels ?? {}, place.hosts?.matchLabels ?? {}],
  });
  return built;
}

/** Inside of a container the host's list of paths means nothing: there the container is what has to be allowed. */
function buildFile(
  context: BuildContext,
  path: Path,
  raw: { readonly container?: string; readonly path: string } = { path: '' },
): Omit<FlagPlace['document'], 'kind'> {
  const at = [...path, 'path'];
  if (raw.container === undefined) return { path: pathAt(context, at, raw.path, 'write') };
  const container = containerAt(context, [...path, 'container'], raw.container);
  return { container, path: pathAt({ ...context, allow: {} }, at, raw.path, 'write') };
}

const OTHER_FORMATS = /\.(ini|conf|xml|env)$/i;

function checkFormat(context: BuildContext, path: Path, text: string): void {
  const [, extension] = OTHER_FORMATS.exec(text) ?? [];
  if (extension === undefined || hasVariable(text.slice(text.lastIndexOf('/')))) return;
  const message = `a place \`file\` is JSON, YAML, TOML or properties; .${extension} is not supported${extension === 'env' ? ' (use envFile)' : ''}`;
  fault(context, path, 'E-NOT-SUPPORTED', { message, found: text });
}

/** A flag that sets flags when it is written could go round for ever. */
function refuseInThen(context: BuildContext, path: Path, place: RawPlace): void {
  for (const [index, step] of (place.then ?? []).entries()) {
    if (step.notify !== undefined) {
      const message = '`then` belongs to no incident that a message could be about; only a ladder can notify';
      fault(context, [...path, 'then', index, 'notify'], 'E-STEP', message);
    }
    const kind = step.setFlag === undefined ? 'restore' : 'setFlag';
    if (step[kind] === undefined) continue;
    const message = '`then` makes a written value effective; it cannot set flags or move targets, only a ladder can';
    fault(context, [...path, 'then', index, kind], 'E-STEP', message);
  }
}
