import type { Check } from '../core/model/check.ts';
import type { PolicySet } from '../core/model/desired.ts';
import { documentPath } from '../core/model/flag.ts';
import type { Rung } from '../core/model/policy.ts';
import { describeStep, type Step } from '../core/model/step.ts';
import { activationOf, type Target } from '../core/model/target.ts';
import { nearestName } from '../core/nearest-name.ts';
import { undoOf } from '../core/targets/moves.ts';
import { type BuildContext, fault, faultAtKey } from '../policy/build-context.ts';
import { alternativesText, quote } from '../policy/found.ts';
import type { Path } from '../policy/path.ts';
import { checkText, unlessOf } from './outcomes.ts';

/** What a test may refer to: all that is in one of the revisions that it goes through. */
export type KnownNames = {
  readonly triggers: readonly string[];
  readonly policies: readonly string[];
  readonly rungs: readonly string[];
  readonly flags: readonly string[];
  readonly targets: readonly string[];
  readonly notifiers: readonly string[];
  readonly pointPolicies: readonly string[];
  readonly sources: readonly string[];
  /** Whether a server is queried, whose series may bear any `job`. */
  readonly queriesServer: boolean;
  /** By flag. */
  readonly variants: ReadonlyMap<string, readonly string[]>;
  /** Entries by the path of their document. */
  readonly documents: ReadonlyMap<string, readonly string[]>;
  /** Texts of all actions that there can be. */
  readonly actions: readonly string[];
  /** Texts of all checks that are no queries. */
  readonly checks: readonly string[];
};

export function namesIn(revisions: readonly PolicySet[]): KnownNames {
  const policies = revisions.flatMap((set) => Object.values(set.policies));
  const flags = revisions.flatMap((set) => Object.values(set.flags));
  const targets = revisions.flatMap((set) => Object.values(set.targets));
  const rungs = policies.flatMap((policy) => policy.ladder);
  const places = flags.flatMap((flag) => flag.deliver);
  const steps = [
    ...rungs.flatMap((rung) => [...rung.do, ...rung.onFailure]),
    ...places.flatMap((one) => one.takeUp),
    ...targets.flatMap(stepsOf),
  ];
  const notifiers = distinct(revisions.flatMap((set) => Object.keys(set.notifiers)));
  const pointPolicies = distinct(revisions.flatMap((set) => Object.keys(set.pointPolicies ?? {})));
  const writes = places.map(({ document }) => `write ${documentPath(document)}`);
  return {
    triggers: distinct(policies.flatMap(({ name, triggers }) => triggers.map((trigger) => `${name}/${trigger.name}`))),
    policies: distinct(policies.map(({ name }) => name)),
    rungs: distinct(rungs.map(({ name }) => name)),
    flags: distinct(flags.map(({ name }) => name)),
    targets: distinct(targets.map(({ name }) => name)),
    notifiers,
    pointPolicies,
    sources: distinct(revisions.flatMap((set) => Object.keys(set.metricSources))),
    queriesServer: revisions.some((set) =>
      Object.values(set.metricSources).some(({ type }) => type.kind === 'prometheus'),
    ),
    variants: gather(flags.map(({ name, variants }) => [name, Object.keys(variants)])),
    documents: gather(places.map(({ document, entry }) => [documentPath(document), [entry]])),
    actions: distinct([
      ...steps.map(describeStep),
      ...targets.map(({ name }) => `move ${name}`),
      ...writes,
      ...notifiers.map((name) => `notify ${name}`),
      ...pointPolicies.flatMap((name) => [`capture …-${name}`, `validate …-${name}`]),
    ]),
    checks: distinct(
      [
        ...rungs.flatMap(checksOf),
        ...targets.flatMap((target) => target.checks),
        ...steps.flatMap((step) => [...(step.when ?? []), ...unlessOf(step)]),
        ...steps.flatMap((step) => (step.kind === 'waitFor' ? step.checks : [])),
      ].flatMap(nameOfCheck),
    ),
  };
}

/** What stops for a move, what starts again, and what makes it effective. */
function stepsOf(target: Target): readonly Step[] {
  return [...target.quiesce.flatMap((step) => undoOf(step) ?? []), ...activationOf(target)];
}

function checksOf({ when = [], approval, verify }: Rung): readonly Check[] {
  return [...when, ...(approval?.override?.when ?? []), ...verify.checks];
}
function nameOfCheck(check: Check): readonly string[] {
  return check.kind === 'query' ? [] : [checkText(check)];
}

function gather(pairs: readonly (readonly [string, readonly string[]])[]): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, readonly string[]>();
  for (const [key, values] of pairs) all.set(key, distinct([...(all.get(key) ?? []), ...values]));
  return all;
}

function distinct(words: readonly string[]): readonly string[] {
  return [...new Set(words)];
}

type Word = { readonly path: Path; readonly isKey?: boolean; readonly what: string; readonly code: string };

/** A fault unless the name is known. */
export function checkName(context: BuildContext, name: string, known: readonly string[], word: Word): void {
  if (!known.includes(name)) refuse(context, name, known, word);
}

/** A fault unless the text is a part of a known one. */
export function checkPart(context: BuildContext, part: string, known: readonly string[], word: Word): void {
  if (!known.some((text) => text.includes(part))) refuse(context, part, known, word);
}

const MOST_SHOWN = 10;

function refuse(context: BuildContext, name: string, known: readonly string[], word: Word): void {
  const suggestion = nearestName(name, known);
  const shown = alternativesText(known.slice(0, MOST_SHOWN).map((text) => quote(text)));
  const hint =
    suggestion === undefined
      ? known.length === 0
        ? 'there is none at all'
        : `expected ${shown}`
      : `did you mean ${quote(suggestion)}?`;
  const message = `there is no ${word.what} ${quote(name)} in these policies; ${hint}`;
  const report = word.isKey === true ? faultAtKey : fault;
  report(context, word.path, word.code, { message, found: name, ...(suggestion === undefined ? {} : { suggestion }) });
}
