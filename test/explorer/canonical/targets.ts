import type { EffectiveRevision, Memory, OwedSteps, TargetMemory } from '../../../src/core/memory.ts';
import type { SeenTarget } from '../model/witness.ts';
import { age, elapsed, left, type Scope, stepName } from './scope.ts';

/** After so many failures the delay grows no more. */
const MOST_ATTEMPTS = 8;

export function targetsForm(scope: Scope, targets: Memory['targets']): string {
  let form = '';
  for (const name in targets) {
    const target = targets[name];
    if (target !== undefined) form += `[${name}${targetForm(scope, target)}]`;
  }
  return form;
}

/** When a good revision proved good counts for latches alone, and is told with them. */
function targetForm(scope: Scope, target: TargetMemory): string {
  const { isMet, current, good, arrived, owed, failing, repaired, kept, keepRetry, withheld, isMidway } = target;
  const trees = good.map(({ tree }) => tree).join();
  const failed = failing === null ? '' : `f${failing.key}${retryForm(scope, failing)}`;
  const owes = owed === null ? '' : owedForm(scope, owed);
  return `${isMet ? 'm' : ''}${isMidway === true ? '~' : ''}${currentForm(scope, current)}g${trees};${arrived};${owes}${failed};${repaired.join()};${kept.join()}${keepRetry === null ? '' : retryForm(scope, keepRetry)}${withheld === undefined || withheld === null ? '' : JSON.stringify(withheld)}`;
}

function currentForm(scope: Scope, current: EffectiveRevision | null): string {
  if (current === null) return '-';
  const { tree, calmSince, isGood } = current;
  // What is good already waits for nothing.
  if (isGood) return `${tree}!`;
  return `${tree}${calmSince === null ? '' : age(scope, calmSince, scope.horizons.bakeMs)}`;
}

function owedForm(scope: Scope, { steps, done, retry }: OwedSteps): string {
  return `o${steps.map(stepName).join()}${done}${retry === null ? '' : retryForm(scope, retry)}`;
}

function retryForm(
  scope: Scope,
  { attempts, retryAt }: { readonly attempts: number; readonly retryAt: number },
): string {
  return `${Math.min(MOST_ATTEMPTS, attempts)},${left(scope, retryAt)}`;
}

/** When a revision proved good is told with the holds that may wait for it. */
export function seenTargetsForm(scope: Scope, targets: Readonly<Record<string, SeenTarget>>): string {
  let form = '';
  for (const name in targets) {
    const seen = targets[name];
    if (seen !== undefined) form += `[${seen.tree}${elapsed(scope, seen.sinceMs, scope.horizons.bakeMs)}]`;
  }
  return form;
}
