import type { MetricSource } from '../core/model/metric-source.ts';
import type { Origin } from '../core/model/origin.ts';
import { isMergeable, type Target } from '../core/model/target.ts';
import { nearestName } from '../core/nearest-name.ts';
import { formatDuration } from '../core/units.ts';
import type { PlaceUse, Reference, SamplingUse } from './build-context.ts';
import { type Diagnostic, errorAt, MOST_DIAGNOSTICS, warningAt } from './diagnostic.ts';
import { alternativesText } from './found.ts';
import { canMeet } from './host-labels.ts';
import { hasVariable } from './host-variables.ts';
import type { Kind } from './kinds.ts';
import { checkPart } from './named-part.ts';

/** What other documents may refer to. */
export type Declared = {
  readonly kind: Kind;
  readonly name: string;
  readonly origin: Origin;
  /** False if its `hosts` leave this host out. */
  readonly isHere: boolean;
  /** Of a flag that was built. */
  readonly variants?: { readonly names: readonly string[]; readonly safe: boolean };
  /** Of a policy that was built: the rungs of its ladder. */
  readonly rungs?: readonly string[];
  /** Of a source that was built. */
  readonly intervalMs?: number;
  readonly sourceType?: MetricSource['type']['kind'];
  /** Of a target that was built. */
  readonly target?: {
    readonly type: Target['type']['kind'];
    readonly checks: boolean;
    readonly database: boolean;
    /** The flags that it stands for; all if empty. Absent of what is not of flags. */
    readonly flags?: readonly string[];
  };
};

export type Links = {
  readonly declared: readonly Declared[];
  readonly references: readonly { readonly reference: Reference; readonly isHere: boolean }[];
  readonly places: readonly PlaceUse[];
  readonly samplings: readonly SamplingUse[];
  /** Whether a faulty document may be the one that declares the name. */
  readonly mayBeBroken: (name: string) => boolean;
};

/** What was declared, looked up by name: a repository of thousands of documents refers to each of them. */
type Index = {
  readonly byName: ReadonlyMap<string, readonly Declared[]>;
  readonly namesOf: (kind: Kind) => readonly string[];
};

function indexOf(declared: readonly Declared[]): Index {
  const kinds = Map.groupBy(declared, ({ kind }) => kind);
  const names = new Map([...kinds].map(([kind, entries]) => [kind, entries.map(({ name }) => name)]));
  return { byName: Map.groupBy(declared, ({ name }) => name), namesOf: (kind) => names.get(kind) ?? [] };
}

/** Holds what documents say of each other together. */
export function checkLinks(links: Links): readonly Diagnostic[] {
  const index = indexOf(links.declared);
  return [
    ...duplicateNames(links.declared),
    ...checkReferences(links, index),
    ...duplicatePlaces(links.places),
    ...checkSamplings(links),
  ];
}

/** The nearest name is only looked for as often as somebody may read it. */
function checkReferences(links: Links, index: Index): readonly Diagnostic[] {
  let missed = 0;
  return links.references.flatMap(({ reference, isHere }) => {
    const { kind, name } = reference;
    const target = index.byName.get(name)?.find((entry) => entry.kind === kind);
    if (target !== undefined)
      return [...checkReference(target, reference, isHere), ...missingFlags(target, reference, links, index)];
    if (links.mayBeBroken(name)) return [];
    missed += 1;
    return [missing(index, reference, missed <= MOST_DIAGNOSTICS)];
  });
}

/** Parts of a target that stands for all flags are flags: there must be such ones. */
function missingFlags(
  { target }: Declared,
  { use }: Reference,
  { mayBeBroken }: Pick<Links, 'mayBeBroken'>,
  index: Index,
): readonly Diagnostic[] {
  if (use === undefined || target?.flags?.length !== 0) return [];
  return use.parts
    .filter(({ text }) => !hasVariable(text) && !mayBeBroken(text) && !index.namesOf('Flag').includes(text))
    .map(({ text, origin }) => missing(index, { kind: 'Flag', name: text, origin }, true));
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

function checkReference(target: Declared, reference: Reference, isHere: boolean): readonly Diagnostic[] {
  const { kind, name, origin } = reference;
  if (isHere && !target.isHere) {
    const message = `the ${kind} "${name}" is not for this host (its hosts.matchLabels), but what refers to it is`;
    const related = [{ ...target.origin, message: `the ${kind} "${name}"` }];
    return [errorAt(origin, 'E-NOT-FOR-HOST', { message, found: name, related })];
  }
  return [
    ...checkVariant(reference, target),
    ...checkRungs(reference, target),
    ...checkSourceType(reference, target),
    ...checkNeeds(reference, target),
    ...checkTargetUse(reference, target),
  ];
}

function missing(index: Index, { kind, name, origin }: Reference, mayGuess: boolean): Diagnostic {
  const names = index.namesOf(kind);
  const suggestion = mayGuess ? nearestName(name, names) : undefined;
  const other = index.byName.get(name)?.[0];
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

function checkNeeds({ needs, origin, name }: Reference, { target, origin: there }: Declared): readonly Diagnostic[] {
  if (needs === undefined || target === undefined) return [];
  const related = [{ ...there, message: `the Target "${name}"` }];
  if (needs === 'check') {
    if (target.checks) return [];
    const message = `the Target "${name}" has no \`check\`, so nothing says when it is intact; add \`check: [...]\` to it`;
    return [errorAt(origin, 'E-NO-CHECK', { message, found: name, expected: 'check: [...]', related })];
  }
  if (target.database) return [];
  if (needs === 'tables') {
    const message = `the Target "${name}" is of type ${target.type}, which has no tables; \`only.tables\` is of a database`;
    return [errorAt(origin, 'E-NO-DATABASE', { message, found: target.type, related })];
  }
  const message = `the Target "${name}" is of type ${target.type}, which has no database to count in; name one: {sql: {sqlite: PATH, query: SELECT}}`;
  return [errorAt(origin, 'E-NO-DATABASE', { message, found: target.type, related })];
}

function checkRungs({ rungs = [], name }: Reference, target: Declared): readonly Diagnostic[] {
  const known = target.rungs;
  if (known === undefined) return [];
  return rungs
    .filter((rung) => !known.includes(rung.name))
    .map(({ name: rung, origin }) => {
      const suggestion = nearestName(rung, known);
      const expected = known.length === 0 ? 'it has none' : `expected ${alternativesText(known)}`;
      const hint = suggestion === undefined ? expected : `did you mean "${suggestion}"?`;
      const related = [{ ...target.origin, message: `the RollbackPolicy "${name}"` }];
      const message = `the ladder of "${name}" has no rung "${rung}"; ${hint}`;
      const wording = { message, found: rung, expected: alternativesText(known), related };
      return errorAt(origin, 'E-NO-RUNG', suggestion === undefined ? wording : { ...wording, suggestion });
    });
}

function checkSourceType({ sourceType, origin, name }: Reference, target: Declared): readonly Diagnostic[] {
  if (sourceType === undefined || target.sourceType === undefined || target.sourceType === sourceType) return [];
  const related = [{ ...target.origin, message: `the MetricSource "${name}"` }];
  const message = `the MetricSource "${name}" is of type ${target.sourceType}, expected ${sourceType}: what it samples is there for every query, so leave \`source\` out`;
  return [errorAt(origin, 'E-SOURCE-TYPE', { message, found: target.sourceType, expected: sourceType, related })];
}

/** A checkout has its revisions in git; whatever else there is has points. */
const REVISIONED = 'git';

function checkTargetUse({ use, origin, name }: Reference, { target, origin: at }: Declared): readonly Diagnostic[] {
  if (use === undefined || target === undefined) return [];
  const targetType = target.type;
  const related = [{ ...at, message: `the Target "${name}"` }];
  const isCheckout = targetType === REVISIONED;
  const { restoreTo, parts, merges } = use;
  if (merges === true && !isMergeable({ kind: targetType })) {
    const message = `a target of type ${targetType} cannot be merged; \`mode: merge\` is for rows, http and files`;
    return [errorAt(origin, 'E-MERGE', { message, found: targetType, expected: 'rows, http or files', related })];
  }
  const faults = parts.flatMap((part) => checkPart(part, target) ?? []);
  if (faults.length > 0) return faults;
  if (isCheckout || restoreTo !== 'revision') return [];
  const expected = 'lastGood, latestValid, safetyPoint, {point: ID}, {at: TIME} or {before: trigger, by: 5m}';
  const message = `a target of type ${targetType} is not restored to \`${restoreTo}\`; expected ${expected}`;
  return [errorAt(origin, 'E-RESTORE-TO', { message, found: restoreTo, expected, related })];
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
  const sampled = declared.filter(({ kind, sourceType }) => kind === 'MetricSource' && sourceType !== 'prometheus');
  const names = new Set(sampled.map(({ name }) => name));
  const here = declared.filter(({ kind, isHere }) => kind === 'MetricSource' && isHere);
  const paces: Paces = {
    byName: new Map(here.map((source) => [source.name, source])),
    shortestMs: shortest(here.filter(({ sourceType }) => sourceType !== 'prometheus')),
  };
  const unknown = samplings
    .filter(({ what }) => what === 'window')
    .flatMap((use) => unknownJobs(use, names, mayBeBroken));
  return [...unknown, ...samplings.flatMap((use) => tooShort(use, paces))];
}

/** How often sources are sampled: each by its name, and the fastest of all. */
type Paces = { readonly byName: ReadonlyMap<string, Declared>; readonly shortestMs: number };

function shortest(sources: readonly Declared[]): number {
  const least = sources.reduce((found, { intervalMs = Infinity }) => Math.min(found, intervalMs), Infinity);
  return least === Infinity ? 0 : least;
}

/** A source's name is the label `job` of all its series. */
function unknownJobs(
  use: SamplingUse,
  names: ReadonlySet<string>,
  mayBeBroken: Links['mayBeBroken'],
): readonly Diagnostic[] {
  return use.jobs
    .filter((job) => !names.has(job) && !mayBeBroken(job))
    .map((job) => {
      const suggestion = nearestName(job, [...names]);
      const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
      const message = `the query asks for job="${job}", but no MetricSource is called so: it will have no data${hint}`;
      return warningAt(use.origin, 'W-NO-JOB', suggestion === undefined ? { message } : { message, suggestion });
    });
}

/** Which source a query meets is only known for its jobs; without them the fastest source is assumed. */
function tooShort(use: SamplingUse, { byName, shortestMs }: Paces): readonly Diagnostic[] {
  const named = use.jobs.flatMap((job) => byName.get(job) ?? []);
  const interval = named.length > 0 ? shortest(named) : shortestMs;
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
