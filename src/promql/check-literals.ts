import { type Call, type Expr, unwrapParens } from './ast.ts';
import { PromqlError } from './promql-error.ts';
import { compileAnchored } from './regex.ts';
import { isLabelName } from './string-literals.ts';

/** Faults in string arguments that Prometheus reports when it evaluates; all are known before. */
export function checkCallLiterals(call: Call): void {
  if (call.name === 'label_replace') {
    checkName(call, 1, 'destination');
    const pattern = stringAt(call, 4);
    if (pattern !== undefined && compileAnchored(pattern.value) === undefined) {
      throw fault(`invalid regular expression in label_replace(): ${pattern.value}`, pattern);
    }
  } else if (call.name === 'label_join') {
    for (let i = 3; i < call.args.length; i += 1) checkName(call, i, 'source');
    checkName(call, 1, 'destination');
  }
}

function checkName(call: Call, index: number, role: string): void {
  const name = stringAt(call, index);
  if (name === undefined || isLabelName(name.value)) return;
  throw fault(`invalid ${role} label name in ${call.name}(): ${name.value}`, name);
}

function stringAt(call: Call, index: number): (Expr & { kind: 'string' }) | undefined {
  const arg = call.args[index];
  const literal = arg === undefined ? undefined : unwrapParens(arg);
  return literal?.kind === 'string' ? literal : undefined;
}

function fault(message: string, literal: Expr): PromqlError {
  return new PromqlError('semantic', message, literal);
}
