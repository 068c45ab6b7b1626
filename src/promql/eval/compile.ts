import { type Aggregate, type Binary, type Call, type Expr, type Unary, unwrapParens } from '../ast.ts';
import { aggregation } from './aggregate.ts';
import { countValues } from './count-values.ts';
import { histogramFraction, histogramQuantile, histogramQuantiles } from './histogram-functions.ts';
import { labelJoin, labelReplace } from './label-functions.ts';
import { elementwise, isElementwise } from './math-functions.ts';
import type { Frame, MatrixNode, Node, Plan, ScalarNode, StringNode, VectorNode } from './node.ts';
import { absent, absentLabels, scalarOf, vectorOf } from './presence.ts';
import { absentOverTime, isRangeFunction, rangeFunction } from './range-functions.ts';
import { negation, scalarOperation, vectorScalarOperation } from './scalar-operations.ts';
import { selectK } from './select-k.ts';
import { instantSelector } from './selector.ts';
import { setOperation } from './set-operations.ts';
import { sortByLabel, sortByValue } from './sort.ts';
import { timestampOf } from './timestamp.ts';
import { vectorOperation } from './vector-operations.ts';
import { rangeSelector, subquery } from './window.ts';

/** Turns a checked expression into nodes that evaluate it. */
export function compile(plan: Plan, expr: Expr): Node {
  const { parts, interner } = plan;
  return parts === undefined ? compileOwn(plan, expr) : parts.node(expr, interner, () => compileOwn(plan, expr));
}

function compileOwn(plan: Plan, expr: Expr): Node {
  switch (expr.kind) {
    case 'number':
      return { type: 'scalar', scalar: () => expr.value };
    case 'string':
      return { type: 'string', value: expr.value };
    case 'selector':
      return instantSelector(plan, expr, 'value');
    case 'range':
      return rangeSelector(plan, expr);
    case 'subquery':
      return subquery(plan, expr, vector({ ...plan, parts: undefined }, expr.expr));
    case 'paren':
      return compile(plan, expr.expr);
    case 'unary':
      return compileUnary(plan, expr);
    case 'binary':
      return compileBinary(plan, expr);
    case 'aggregate':
      return compileAggregate(plan, expr);
    case 'call':
      return compileCall(plan, expr);
    default:
      return expr satisfies never;
  }
}

function compileUnary(plan: Plan, expr: Unary): Node {
  const operand = compile(plan, expr.expr);
  if (expr.op === '+') return operand;
  if (operand.type === 'scalar') return { type: 'scalar', scalar: (frame) => -operand.scalar(frame) };
  return negation(plan, expr, asVector(operand));
}

function compileBinary(plan: Plan, expr: Binary): Node {
  const left = compile(plan, expr.left);
  const right = compile(plan, expr.right);
  if (left.type === 'scalar' && right.type === 'scalar') return scalarOperation(expr, left, right);
  if (left.type === 'scalar') return vectorScalarOperation(plan, expr, asVector(right), left, true);
  if (right.type === 'scalar') return vectorScalarOperation(plan, expr, asVector(left), right, false);
  const isSet = expr.op === 'and' || expr.op === 'or' || expr.op === 'unless';
  return (isSet ? setOperation : vectorOperation)(plan, expr, asVector(left), asVector(right));
}

function compileAggregate(plan: Plan, expr: Aggregate): Node {
  const input = vector(plan, expr.expr);
  const param = expr.param === undefined ? undefined : compile(plan, expr.param);
  if (param?.type === 'string') return countValues(plan, expr, param.value, input);
  if (param === undefined) return aggregation(plan, expr, input, undefined);
  return (expr.op === 'quantile' ? aggregation : selectK)(plan, expr, input, asScalar(param));
}

function compileCall(plan: Plan, call: Call): Node {
  const first = call.args[0];
  if (first === undefined) return withoutArguments(plan, call);
  if (call.name === 'timestamp') return timestampOf(plan, call, unwrapParens(first), () => vector(plan, first));
  const nodes = call.args.map((arg) => compile(plan, arg));
  const scalars = nodes.filter((node) => node.type === 'scalar');
  const matrix = nodes.find((node) => node.type === 'matrix');
  if (call.name === 'absent_over_time') return absentOverTime(asMatrix(nodes[0]).source, absentLabels(plan, first));
  if (matrix !== undefined && isRangeFunction(call.name)) return rangeFunction(plan, call, matrix, scalars);
  if (isElementwise(call.name)) return elementwise(plan, call, asVector(nodes[0]), scalars);
  return compileSpecial(plan, call, nodes);
}

function compileSpecial(plan: Plan, call: Call, nodes: readonly Node[]): Node {
  const [first, second, third] = nodes;
  const strings = nodes.filter((node): node is StringNode => node.type === 'string').map((node) => node.value);
  const scalars = nodes.filter((node) => node.type === 'scalar');
  switch (call.name) {
    case 'absent':
      return absent(absentLabels(plan, call.args[0] ?? call), asVector(first));
    case 'scalar':
      return scalarOf(asVector(first));
    case 'max_of':
      return extremeOf(Math.max, asScalar(first), asScalar(second));
    case 'min_of':
      return extremeOf(Math.min, asScalar(first), asScalar(second));
    case 'vector':
      return vectorOf(plan, asScalar(first));
    case 'sort':
    case 'sort_desc':
      return sortByValue(call, asVector(first));
    case 'sort_by_label':
    case 'sort_by_label_desc':
      return sortByLabel(call, asVector(first), strings);
    case 'label_replace':
      return labelReplace(plan, call, asVector(first), strings);
    case 'label_join':
      return labelJoin(plan, call, asVector(first), strings);
    case 'histogram_quantile':
      return histogramQuantile(plan, call, asScalar(first), asVector(second));
    case 'histogram_quantiles':
      return histogramQuantiles(plan, call, asVector(first), strings[0] ?? '', scalars);
    case 'histogram_fraction':
      return histogramFraction(plan, call, asScalar(first), asScalar(second), asVector(third));
    default:
      throw new Error(`${call.name}() was checked to exist, but nothing evaluates it`);
  }
}

function extremeOf(pick: (a: number, b: number) => number, a: ScalarNode, b: ScalarNode): ScalarNode {
  return { type: 'scalar', scalar: (frame) => pick(a.scalar(frame), b.scalar(frame)) };
}

const CONTEXT: Readonly<Record<string, (frame: Frame) => number>> = {
  pi: () => Math.PI,
  time: (frame) => frame.at / 1000,
  start: (frame) => frame.start / 1000,
  end: (frame) => frame.end / 1000,
  range: (frame) => (frame.end - frame.start) / 1000,
  step: (frame) => frame.stepMs / 1000,
};

function withoutArguments(plan: Plan, call: Call): Node {
  const scalar = CONTEXT[call.name];
  if (scalar !== undefined) return { type: 'scalar', scalar };
  // The functions on dates take the instant of evaluation if they are given nothing.
  return elementwise(plan, call, vectorOf(plan, { type: 'scalar', scalar: (frame) => frame.at / 1000 }), []);
}

function vector(plan: Plan, expr: Expr): VectorNode {
  return asVector(compile(plan, expr));
}

function asVector(node: Node | undefined): VectorNode {
  if (node?.type === 'vector') return node;
  throw new Error('the expression was checked to have an instant vector here');
}

function asScalar(node: Node | undefined): ScalarNode {
  if (node?.type === 'scalar') return node;
  throw new Error('the expression was checked to have a scalar here');
}

function asMatrix(node: Node | undefined): MatrixNode {
  if (node?.type === 'matrix') return node;
  throw new Error('the expression was checked to have a range vector here');
}
