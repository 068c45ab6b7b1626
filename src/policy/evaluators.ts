import type { JsonValue } from '../core/model/step.ts';
import { asGiven, fillDocument } from './fill-document.ts';
import { isObject } from './head.ts';
import { lookupIn } from './host-variables.ts';
import type { PolicyDocument } from './policy-document.ts';

/**
 * The rules that targeting may refer to: those that any flag of the revision declares, wherever it is for. What is wrong
 * with one is said where it is declared; of two with one name the first counts, and the second is a fault.
 */
export function evaluatorsIn(
  documents: readonly PolicyDocument[],
  host: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, JsonValue>> {
  const found: Record<string, JsonValue> = Object.create(null);
  for (const document of documents) {
    const declared = declaredBy(document);
    if (declared === undefined) continue;
    const filling = { lookup: host === undefined ? asGiven : lookupIn(host), names: [], isElsewhere: () => false };
    const { spec } = fillDocument(document, { spec: { evaluators: declared } }, filling, []);
    for (const [name, rule] of Object.entries(spec.evaluators)) if (!(name in found)) found[name] = rule;
  }
  return found;
}

function declaredBy({ value }: PolicyDocument): Readonly<Record<string, JsonValue>> | undefined {
  if (!isObject(value) || value['kind'] !== 'Flag' || !isObject(value['spec'])) return undefined;
  const { evaluators } = value['spec'];
  return isObject(evaluators) ? evaluators : undefined;
}
