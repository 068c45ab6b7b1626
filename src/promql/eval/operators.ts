import type { ArithmeticOperator, BinaryOperator, ComparisonOperator } from '../ast.ts';

const ARITHMETIC: Readonly<Record<ArithmeticOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': power,
  atan2: Math.atan2,
};

const COMPARISON: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/** Go's `math.Pow`: unlike in JavaScript, a base of 1 is 1 for any exponent, and -1 for an infinite one. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

export function arithmeticOf(op: BinaryOperator): ((a: number, b: number) => number) | undefined {
  return Object.hasOwn(ARITHMETIC, op) ? ARITHMETIC[op as ArithmeticOperator] : undefined;
}

export function comparisonOf(op: BinaryOperator): ((a: number, b: number) => boolean) | undefined {
  return Object.hasOwn(COMPARISON, op) ? COMPARISON[op as ComparisonOperator] : undefined;
}
