import { isList } from '../json/canonical-json.ts';
import type { JsonValue } from '../model/step.ts';
import { murmur3 } from './murmur3.ts';
import { type Compiler, type Construct, constantPart, isConstant, type Operation, partOf } from './operation.ts';
import { type Part, type Rule, RuleError, type RulePath, type Scope } from './rule.ts';

/** flagd's limit for the sum of all weights: what fits into 31 bits. */
export const MOST_WEIGHT = 2 ** 31 - 1;

type Bucket = { readonly variant: Part; readonly weight: Part };

/**
 * `fractional: [BUCKET_BY?, [VARIANT, WEIGHT = 1], …]`: whoever has the same text to be bucketed by is in the same bucket,
 * always and everywhere. Without one that is the flag's key and the targeting key. Null where that text is no text, or
 * where weights are no whole numbers, together too many, or all 0.
 */
export const fractional: Construct = (compiler, operation) => {
  const { args, path, pathOf, depth } = operation;
  const [first] = args;
  const isBucket = first !== undefined && isList(first);
  const bucketBy = first === undefined || isBucket ? undefined : compiler.compile(first, pathOf(0), depth + 1);
  if (bucketBy !== undefined && isConstant(bucketBy)) {
    compiler.fault(pathOf(0), 'what users are bucketed by is the same for all of them', false);
  }
  const from = isBucket ? 0 : 1;
  if (args.length <= from) compiler.fault(path, '`fractional` has no buckets, such as ["on", 10], ["off", 90]', true);
  const buckets = args.slice(from).map((one, index) => compileBucket(compiler, operation, one, from + index));
  if (args.slice(from).every(isBucketLike)) checkWeights(compiler, path, buckets);
  const parts = [
    ...(bucketBy === undefined ? [] : [bucketBy]),
    ...buckets.flatMap(({ variant, weight }) => [variant, weight]),
  ];
  return partOf(chooseBucket(bucketBy?.run ?? ownKey, buckets), parts);
};

function compileBucket(compiler: Compiler, { pathOf, depth }: Operation, value: JsonValue, index: number): Bucket {
  const path = pathOf(index);
  if (!isBucketLike(value)) {
    compiler.fault(path, 'a bucket is [VARIANT] or [VARIANT, WEIGHT]', true);
    return { variant: constantPart(null), weight: constantPart(0) };
  }
  const [variant = null, weight = 1] = value;
  const compiled = compiler.compile(weight, [...path, 1], depth + 2);
  if (isConstant(compiled) && !isWeight(compiled.constant)) {
    compiler.fault([...path, 1], `a weight is a whole number from 0 to ${MOST_WEIGHT}`, false);
  }
  return { variant: compiler.compile(variant, [...path, 0], depth + 2), weight: compiled };
}

function isBucketLike(value: JsonValue): value is readonly JsonValue[] {
  return isList(value) && (value.length === 1 || value.length === 2);
}

function isWeight(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_WEIGHT;
}

function checkWeights(compiler: Compiler, path: RulePath, buckets: readonly Bucket[]): void {
  const weights = constantWeights(buckets);
  if (weights === undefined || buckets.length === 0) return;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) compiler.fault(path, 'all weights are 0, so that nobody is in any bucket', false);
  if (total > MOST_WEIGHT) compiler.fault(path, `the weights are ${total} together, at most ${MOST_WEIGHT}`, false);
}

/** Undefined where the context has a say in them, or where one is none. Negative ones count as 0. */
function constantWeights(buckets: readonly Bucket[]): readonly number[] | undefined {
  const weights = buckets.map(({ weight }) => (isConstant(weight) ? clamped(weight.constant) : undefined));
  return weights.every((weight) => weight !== undefined) ? weights : undefined;
}

function clamped(weight: JsonValue): number | undefined {
  return typeof weight === 'number' && Number.isInteger(weight) ? Math.max(0, weight) : undefined;
}

function ownKey({ flagKey, context }: Scope): string {
  const key = Object.hasOwn(context, 'targetingKey') ? context['targetingKey'] : undefined;
  if (typeof key === 'string') return flagKey + key;
  throw new RuleError('targetingKeyMissing', 'users are bucketed by `targetingKey`, which the context does not have');
}

function chooseBucket(bucketBy: Rule, buckets: readonly Bucket[]): Rule {
  const known = constantWeights(buckets);
  const variants = buckets.map(({ variant }) => variant.run);
  return (scope) => {
    const key = bucketBy(scope);
    const weights = known ?? weightsOf(buckets, scope);
    if (typeof key !== 'string' || weights === undefined) return null;
    const bucket = bucketOf(key, weights);
    return bucket === undefined ? null : (variants[bucket]?.(scope) ?? null);
  };
}

function weightsOf(buckets: readonly Bucket[], scope: Scope): readonly number[] | undefined {
  const weights = buckets.map(({ weight }) => clamped(weight.run(scope)));
  return weights.every((weight) => weight !== undefined) ? weights : undefined;
}

/** The index of the key's bucket: the first cumulative weight above `(hash * total) >> 32`. Undefined if there is none. */
function bucketOf(key: string, weights: readonly number[]): number | undefined {
  let total = 0;
  for (const weight of weights) total += weight;
  if (total === 0 || total > MOST_WEIGHT) return undefined;
  const point = scaled(murmur3(key), total);
  let sum = 0;
  for (let index = 0; index < weights.length; index += 1) {
    sum += weights[index] ?? 0;
    if (sum > point) return index;
  }
  return undefined;
}

/** `(hash * total) >> 32`, exactly: the product alone would not fit into the 53 bits of a number. */
function scaled(hash: number, total: number): number {
  const high = (hash >>> 16) * total;
  const low = (hash & 0xffff) * total;
  return Math.floor((high + Math.floor(low / 65_536)) / 65_536);
}
