import { createHash } from 'node:crypto';
import { type CompiledFlag, compileFlag, type Evaluation } from '../../core/flags/evaluate-flag.ts';
import type { EvaluationContext } from '../../core/flags/rule.ts';
import { effectiveFlag } from '../../core/holds/effective.ts';
import type { Memory } from '../../core/memory.ts';
import type { Desired } from '../../core/model/desired.ts';
import type { Flag, FlagMetadata } from '../../core/model/flag.ts';
import type { Millis } from '../../core/units.ts';

/** A set of flags as it is served: one instant of it, which does not change. */
export type ServedFlags = {
  /** Differs whenever an evaluation, or what is told with it, could differ. */
  readonly tag: string;
  readonly metadata: FlagMetadata;
  readonly keys: readonly string[];
  readonly find: (key: string) => ServedFlag | undefined;
};

export type ServedFlag = {
  readonly key: string;
  readonly metadata: FlagMetadata;
  readonly evaluate: (context: EvaluationContext, now: Millis) => Evaluation;
  /** What was answered already, by its evaluation: those that a flag gives again and again are the same objects. */
  readonly texts: Map<Evaluation, string>;
};

/** What is served now; undefined before there was anything. */
export type FlagsNow = () => ServedFlags | undefined;

/**
 * The flags of a daemon: the policies in force and its holds, both in memory, whatever has become of git, the store or the
 * metrics meanwhile. A new set is made when one of them has changed, which takes no time: flags are compiled when somebody
 * asks for them.
 */
export function servedBy(view: { readonly desired: () => Desired | null; readonly memory: () => Memory }): FlagsNow {
  let compiled = new Map<string, CompiledFlag>();
  let [policies, holds]: [Desired | null, Memory['holds'] | undefined] = [null, undefined];
  let served: ServedFlags | undefined;
  return () => {
    const [desired, memory] = [view.desired(), view.memory()];
    if (desired !== policies || memory.holds !== holds) {
      if (desired !== policies) compiled = new Map();
      [policies, holds] = [desired, memory.holds];
      served = desired === null ? undefined : setOf(desired, memory.holds, compiled);
    }
    return served;
  };
}

function setOf({ flags, revision }: Desired, holds: Memory['holds'], compiled: Map<string, CompiledFlag>): ServedFlags {
  const metadata = { 'revertd.revision': revision };
  return whenAsked({ tag: tagOf(revision, holds), metadata, keys: Object.keys(flags) }, (key) => {
    const flag = Object.hasOwn(flags, key) ? flags[key] : undefined;
    return flag === undefined ? undefined : flagOf(flag, holds, metadata, compiled);
  });
}

/** A set of which each flag is made when somebody first asks for it. */
export function whenAsked(set: Omit<ServedFlags, 'find'>, make: (key: string) => ServedFlag | undefined): ServedFlags {
  const ready = new Map<string, ServedFlag>();
  const find = (key: string): ServedFlag | undefined => {
    const known = ready.get(key);
    if (known !== undefined) return known;
    const served = make(key);
    if (served !== undefined) ready.set(key, served);
    return served;
  };
  return { ...set, find };
}

/** latch ?? override ?? state and targeting ?? default. */
function flagOf(
  flag: Flag,
  holds: Memory['holds'],
  metadata: FlagMetadata,
  compiled: Map<string, CompiledFlag>,
): ServedFlag {
  const { key, evaluate, heldAt } = compiledOf(flag, compiled);
  const { because } = effectiveFlag(flag, holds);
  const told = { ...flag.metadata, ...metadata };
  if (because === null) return { key, metadata: { ...told, 'revertd.reason': 'git' }, evaluate, texts: new Map() };
  const evaluation = heldAt(because.variant);
  const why = { 'revertd.hold': because.id, 'revertd.reason': because.cause };
  return { key, metadata: { ...told, ...why }, evaluate: () => evaluation, texts: new Map() };
}

function compiledOf(flag: Flag, compiled: Map<string, CompiledFlag>): CompiledFlag {
  const known = compiled.get(flag.name);
  if (known !== undefined) return known;
  const { name: key, state, variants, defaultVariant, targeting, evaluators } = flag;
  const definition = { key, state, variants, defaultVariant, ...(targeting === undefined ? {} : { targeting }) };
  const made = compileFlag(definition, evaluators);
  compiled.set(key, made);
  return made;
}

/** The revision names all that git says; holds do the rest. */
function tagOf(revision: string, holds: Memory['holds']): string {
  const hash = createHash('sha256').update(revision);
  for (const hold of Object.values(holds)) {
    if (hold.kind === 'latch' || hold.kind === 'override') {
      hash.update(JSON.stringify([hold.id, hold.flag, hold.variant, hold.since, hold.cause]));
    }
  }
  return hash.digest('hex').slice(0, 32);
}
