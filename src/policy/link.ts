import type { MetricSource } from '../core/model/metric-source.ts';
import type { Origin } from '../core/model/origin.ts';
import { nearestName } from '../core/nearest-name.ts';
import { formatDuration } from '../core/units.ts';
import type { PlaceUse, Reference, SamplingUse } from './build-context.ts';
import { type Diagnostic, errorAt, warningAt } from './diagnostic.ts';
import { alternativesText } from './found.ts';
import { canMeet } from './host-labels.ts';
import type { Kind } from './kinds.ts';

/** What other documents may refer to. */
export type Declared = {
  readonly kind: Kind;
  readonly name: string;
  readonly origin: Origin;
  /** False if its `hosts` leave this host out. */
  readonly isHere: boolean;
  /** Of a flag that was built. */
  readonly variants?: { readonly names: readonly string[]; readonly safe: boolean };
  /** Of a source that was built. */
  readonly intervalMs?: number;
  readonly sourceType?: MetricSource['type']['kind'];
};

export type Links = {
  readonly declared: readonly Declared[];
  readonly references: readonly { readonly reference: Reference; readonly isHere: boolean }[];
  readonly places: readonly PlaceUse[];
  readonly samplings: readonly SamplingUse[];
  /** Whether a faulty document may be the one that declares the name. */
  readonly mayBeBroken: (name: string) => boolean;
};

/** Holds what documents say of each other together. */
export function checkLinks(links: Links): readonly Diagnostic[] {
  return [
    ...duplicateNames(links.declared),
    ...links.references.flatMap(({ reference, isHere }) => checkReference(links, reference, isHere)),
    ...duplicatePlaces(links.places),
    ...checkSamplings(links),
  ];
}

/** Names are unique within their kind, across all files. */
function duplicateNames(declared: readonly Declared[]): readonly Diagnostic[] {
  const firsts = new Map<string, Declared>();
  return declared.flatMap((entry) => {
    const key = `${entry.kind}/${entry.name}`;
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, entry);
      return [];
    }
    const related = [{ ...first.origin, message: `the first ${entry.kind} "${entry.name}"` }];
    const message = `a second ${entry.kind} is called "${entry.name}"; names are unique within a kind`;
    return [errorAt(entry.origin, 'E-DUPLICATE-NAME', { message, found: entry.name, related })];
  });
}

function checkReference(links: Links, reference: Reference, isHere: boolean): readonly Diagnostic[] {
  const { kind, name, origin } = reference;
  const target = links.declared.find((entry) => entry.kind === kind && entry.name === name);
  if (target === undefined) return links.mayBeBroken(name) ? [] : [missing(links.declared, reference)];
  if (isHere && !target.isHere) {
    const message = `the ${kind} "${name}" is not for this host (its hosts.matchLabels), but what refers to it is`;
    const related = [{ ...target.origin, message: `the ${kind} "${name}"` }];
    return [errorAt(origin, 'E-NOT-FOR-HOST', { message, found: name, related })];
  }
  return [...checkVariant(reference, target), ...checkSourceType(reference, target)];
}

function missing(declared: readonly Declared[], { kind, name, origin }: Reference): Diagnostic {
  const names = declared.filter((entry) => entry.kind === kind).map((entry) => entry.name);
  const suggestion = nearestName(name, names);
  const other = declared.find((entry) => entry.name === name);
  const code = `E-NO-${kind.toUpperCase()}`;
  const base = `there is no ${kind} called "${name}"`;
  if (suggestion !== undefined) {
    return errorAt(origin, code, { message: `${base}; did you mean "${suggestion}"?`, found: name, suggestion });
  }
  if (other !== undefined) {
    const related = [{ ...other.origin, message: `the ${other.kind} "${name}"` }];
    return errorAt(origin, code, { message: `${base}, only a ${other.kind}`, found: name, related });
  }
  const shown = names.slice(0, 10);
  const expected = shown.length === 0 ? `there is no ${kind} at all` : `expected ${alternativesText(shown)}`;
  return errorAt(origin, code, { message: `${base}; ${expected}`, found: name, expected: alternativesText(shown) });
}

function checkVariant({ variant, origin, name }: Reference, target: Declared): readonly Diagnostic[] {
  if (variant === undefined || target.variants === undefined) return [];
  const related = [{ ...target.origin, message: `the Flag "${name}"` }];
  if (variant === 'safe') {
    if (target.variants.safe) return [];
    const message = `the Flag "${name}" has no safeVariant, so it cannot be set to safe; add one, or name a variant`;
    return [errorAt(origin, 'E-NO-SAFE-VARIANT', { message, found: name, related })];
  }
  const { names } = target.variants;
  if (names.includes(variant.name)) return [];
  const suggestion = nearestName(variant.name, names);
  const expected = alternativesText(names.map((word) => `"${word}"`));
  const message = `the Flag "${name}" has no variant "${variant.name}"; expected ${expected}`;
  const wording = { message, found: variant.name, expected, related };
  return [errorAt(variant.origin, 'E-NO-VARIANT', suggestion === undefined ? wording : { ...wording, suggestion })];
}

function checkSourceType({ sourceType, origin, name }: Reference, target: Declared): readonly Diagnostic[] {
  if (sourceType === undefined || target.sourceType === undefined || target.sourceType === sourceType) return [];
  const related = [{ ...target.origin, message: `the MetricSource "${name}"` }];
  const message = `the MetricSource "${name}" is of type ${target.sourceType}, expected ${sourceType}: what it samples is there for every query, so leave \`source\` out`;
  return [errorAt(origin, 'E-SOURCE-TYPE', { message, found: target.sourceType, expected: sourceType, related })];
}

/** Two writers of one place would undo each other for ever; places of hosts that exclude each other do not meet. */
function duplicatePlaces(places: readonly PlaceUse[]): readonly Diagnostic[] {
  const seen = new Map<string, PlaceUse[]>();
  return places.flatMap((place) => {
    const others = seen.get(place.key) ?? [];
    const first = others.find((other) => canMeet(other.hostLabels, place.hostLabels));
    seen.set(place.key, [...others, place]);
    if (first === undefined) return [];
    const related = [{ ...first.origin, message: `the place of the Flag "${first.flag}"` }];
    const whose = first.flag === place.flag ? 'this flag already writes' : `the Flag "${first.flag}" writes`;
    const message = `${whose} the same place (${place.key}); two writers would undo each other`;
    return [errorAt(place.origin, 'E-SAME-PLACE', { message, related })];
  });
}

function checkSamplings({ declared, samplings, mayBeBroken }: Links): readonly Diagnostic[] {
  const sources = declared.filter(({ kind, isHere }) => kind === 'MetricSource' && isHere);
  const unknown = samplings
    .filter(({ what }) => what === 'window')
    .flatMap((use) => unknownJobs(use, declared, mayBeBroken));
  return [...unknown, ...samplings.flatMap((use) => tooShort(use, sources))];
}

/** A source's name is the label `job` of all its series. */
function unknownJobs(
  use: SamplingUse,
  declared: readonly Declared[],
  mayBeBroken: Links['mayBeBroken'],
): readonly Diagnostic[] {
  const names = declared
    .filter(({ kind, sourceType }) => kind === 'MetricSource' && sourceType !== 'prometheus')
    .map(({ name }) => name);
  return use.jobs
    .filter((job) => !names.includes(job) && !mayBeBroken(job))
    .map((job) => {
      const suggestion = nearestName(job, names);
      const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
      const message = `the query asks for job="${job}", but no MetricSource is called so: it will have no data${hint}`;
      return warningAt(use.origin, 'W-NO-JOB', suggestion === undefined ? { message } : { message, suggestion });
    });
}

/** Which source a query meets is only known for its jobs; without them the fastest source is assumed. */
function tooShort(use: SamplingUse, sources: readonly Declared[]): readonly Diagnostic[] {
  const named = sources.filter(({ name }) => use.jobs.includes(name));
  const intervals = (
    named.length > 0 ? named : sources.filter(({ sourceType }) => sourceType !== 'prometheus')
  ).flatMap(({ intervalMs }) => intervalMs ?? []);
  const interval = intervals.length === 0 ? 0 : Math.min(...intervals);
  const least = use.what === 'for' ? interval : 2 * interval;
  if (use.spanMs === 0 || use.spanMs >= least) return [];
  const span = formatDuration(use.spanMs);
  const of = named.length > 0 ? 'the interval of its source' : 'the shortest interval of all sources';
  if (use.what === 'for') {
    const message = `\`for\` (${span}) is shorter than ${of} (${formatDuration(interval)}): one sample decides`;
    return [warningAt(use.origin, 'W-FOR', message)];
  }
  const message = `the query's window (${span}) is shorter than two times ${of} (${formatDuration(interval)}): it often holds fewer than two samples`;
  return [warningAt(use.origin, 'W-WINDOW', message)];
}
