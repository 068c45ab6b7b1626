import type { Call } from '../ast.ts';
import { distinctCheck } from './distinct.ts';
import {
  computedLabels,
  createVector,
  labelsAt,
  type Plan,
  push,
  type ScalarNode,
  type VectorNode,
  valueAt,
} from './node.ts';

/** A function of one value and scalar parameters. */
type Elementwise = (value: number, params: readonly number[]) => number;

const ELEMENTWISE: Readonly<Record<string, Elementwise>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => (value * Math.PI) / 180,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
  clamp: (value, [least = NaN, most = NaN]) => Math.max(least, Math.min(most, value)),
  clamp_max: (value, [most = NaN]) => Math.min(most, value),
  clamp_min: (value, [least = NaN]) => Math.max(least, value),
  round: roundTo,
  day_of_month: (value) => dateOf(value).getUTCDate(),
  day_of_week: (value) => dateOf(value).getUTCDay(),
  day_of_year: dayOfYear,
  days_in_month: daysInMonth,
  hour: (value) => dateOf(value).getUTCHours(),
  minute: (value) => dateOf(value).getUTCMinutes(),
  month: (value) => dateOf(value).getUTCMonth() + 1,
  year: (value) => dateOf(value).getUTCFullYear(),
};

/** Ties go up. The inverse is multiplied, as Prometheus does, because that loses less. */
function roundTo(value: number, [nearest = 1]: readonly number[]): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

function dateOf(seconds: number): Date {
  return new Date(Math.trunc(seconds) * 1000);
}

function dayOfYear(seconds: number): number {
  const date = dateOf(seconds);
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  return Math.round((day - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

function daysInMonth(seconds: number): number {
  const date = dateOf(seconds);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

export function isElementwise(name: string): boolean {
  return Object.hasOwn(ELEMENTWISE, name);
}

/** `fn(vector, scalars…)` that changes each value by itself. */
export function elementwise(plan: Plan, call: Call, input: VectorNode, scalars: readonly ScalarNode[]): VectorNode {
  const fn = ELEMENTWISE[call.name];
  if (fn === undefined) throw new Error(`${call.name} is no function of single values`);
  const relabel = computedLabels(plan);
  const verify = distinctCheck(plan, call);
  const params: number[] = [];
  const out = createVector();
  return {
    type: 'vector',
    vector: (frame) => {
      const vector = input.vector(frame);
      for (const [i, scalar] of scalars.entries()) params[i] = scalar.scalar(frame);
      out.length = 0;
      // Bounds the wrong way round leave nothing.
      if (call.name === 'clamp' && (params[1] ?? NaN) < (params[0] ?? NaN)) return out;
      for (let i = 0; i < vector.length; i += 1) {
        push(out, relabel(i, labelsAt(vector, i)), fn(valueAt(vector, i), params), true);
      }
      return verify(out);
    },
  };
}
