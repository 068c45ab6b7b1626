import type { RollbackPolicy, Rung } from '../core/model/policy.ts';
import { nearestName } from '../core/nearest-name.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import { type BuildContext, doubt, fault, faultAtKey, valueOrigin } from './build-context.ts';
import { alternativesText } from './found.ts';
import type { Path } from './path.ts';
import type { RawRollbackPolicy } from './raw-documents.ts';

/** What is wrong with a policy although each of its parts is right. */
export function checkPolicySense(context: BuildContext, raw: RawRollbackPolicy, policy: RollbackPolicy): void {
  const criticals = policy.triggers.filter(({ severity }) => severity === 'critical').length;
  const deciding = policy.triggers.filter(
    ({ severity, decision }) => severity === 'critical' || decision !== undefined,
  );
  checkUnique(
    context,
    'trigger',
    policy.triggers.map(({ name }) => name),
    (index) => ['spec', 'triggers', index, 'name'],
  );
  checkUnique(
    context,
    'rung',
    policy.ladder.map(({ name }) => name),
    (index) => ['spec', 'ladder', index, 'rung'],
  );
  checkLadderExists(context, policy, deciding.length);
  checkMatch(context, policy, criticals);
  checkStartAt(context, policy);
  checkClearFits(context, policy);
  checkWindowsFit(context, raw, policy);
  checkPauses(context, raw, policy);
}

function checkUnique(
  context: BuildContext,
  what: string,
  names: readonly string[],
  pathOf: (index: number) => Path,
): void {
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    if (first === index) continue;
    const related = [{ ...valueOrigin(context, pathOf(first)), message: `the first ${what} "${name}"` }];
    const message = `a second ${what} is called "${name}"; names are unique within a policy`;
    fault(context, pathOf(index), 'E-DUPLICATE-NAME', { message, found: name, related });
  }
}

function checkLadderExists(context: BuildContext, policy: RollbackPolicy, deciding: number): void {
  if (policy.ladder.length > 0) return;
  if (policy.triggers.length === 0) {
    faultAtKey(context, ['spec'], 'E-MISSING-KEY', 'a policy needs `triggers`, a `ladder`, or both; found neither');
  } else if (deciding > 0) {
    const isCritical = policy.triggers.some(({ severity }) => severity === 'critical');
    const message = isCritical
      ? 'a policy with critical triggers needs a `ladder`; triggers with `severity: warning` need none'
      : 'a `decision` is about the `ladder`, and there is none';
    faultAtKey(context, ['spec'], 'E-MISSING-KEY', { message, expected: 'ladder' });
  }
}

function checkMatch(context: BuildContext, { match, triggers }: RollbackPolicy, criticals: number): void {
  if (match.kind === 'any' || triggers.length === 0) return;
  const needed = match.kind === 'all' ? 1 : match.count;
  if (needed <= criticals) return;
  const path: Path = match.kind === 'all' ? ['spec', 'match'] : ['spec', 'match', 'atLeast'];
  const message = `\`match\` asks for ${match.kind === 'all' ? 'all' : `at least ${match.count}`} of the critical triggers; this policy has ${criticals}`;
  fault(context, path, 'E-MATCH', { message, expected: `at most ${criticals}` });
}

function checkStartAt(context: BuildContext, { triggers, ladder }: RollbackPolicy): void {
  const rungs = ladder.map(({ name }) => name);
  for (const [index, { startAt }] of triggers.entries()) {
    if (startAt === undefined || rungs.includes(startAt)) continue;
    const suggestion = nearestName(startAt, rungs);
    const hint = suggestion === undefined ? `expected ${alternativesText(rungs)}` : `did you mean "${suggestion}"?`;
    const message = `\`startAt\` names no rung of this ladder: found "${startAt}"; ${hint}`;
    const wording = { message, found: startAt, expected: alternativesText(rungs) };
    const path: Path = ['spec', 'triggers', index, 'startAt'];
    fault(context, path, 'E-NO-RUNG', suggestion === undefined ? wording : { ...wording, suggestion });
  }
}

/** A trigger that clears only after `within` makes every verification fail. */
function checkClearFits(context: BuildContext, { triggers, ladder }: RollbackPolicy): void {
  for (const [index, { clear, severity }] of triggers.entries()) {
    if (clear === undefined || severity !== 'critical') continue;
    const rung = ladder.find(({ verify }) => verify.triggersClear && clear.forMs >= verify.withinMs);
    if (rung === undefined) continue;
    const within = formatDuration(rung.verify.withinMs);
    const message = `\`clear.for\` (${formatDuration(clear.forMs)}) is not shorter than \`verify.within\` (${within}) of the rung "${rung.name}": its verification could never succeed`;
    const related = [{ ...rung.origin, message: `the rung "${rung.name}"` }];
    fault(context, ['spec', 'triggers', index, 'clear', 'for'], 'E-CLEAR-FOR', { message, related });
  }
}

/** A window that still contains the bad time breaches after the cure. */
function checkWindowsFit(context: BuildContext, raw: RawRollbackPolicy, { triggers, ladder }: RollbackPolicy): void {
  const longest = Math.max(
    0,
    ...triggers.filter(({ severity }) => severity === 'critical').map(({ windowMs }) => windowMs),
  );
  for (const [index, { name, verify }] of ladder.entries()) {
    if (!verify.triggersClear || longest === 0 || verify.withinMs >= verify.settleMs + longest + verify.forMs) continue;
    const written = raw.ladder?.[index]?.verify?.within !== undefined;
    const path: Path = ['spec', 'ladder', index, ...(written ? ['verify', 'within'] : ['rung'])];
    const message = `\`verify.within\` (${formatDuration(verify.withinMs)}) of the rung "${name}" is shorter than its settle (${formatDuration(verify.settleMs)}) and the longest window of the triggers (${formatDuration(longest)}) together: they may still see the fault when time is up`;
    doubt(context, path, 'W-WITHIN', message);
  }
}

function checkPauses(context: BuildContext, raw: RawRollbackPolicy, policy: RollbackPolicy): void {
  const ladderMs = policy.ladder.reduce((sum, rung) => sum + longestOf(rung), 0);
  if (raw.cooldown !== undefined && policy.cooldownMs < ladderMs) {
    const message = `\`cooldown\` (${formatDuration(policy.cooldownMs)}) is shorter than the ladder may take (${formatDuration(ladderMs)})`;
    doubt(context, ['spec', 'cooldown'], 'W-COOLDOWN', message);
  }
  if (policy.limit !== undefined && policy.limit.perMs > 0 && policy.limit.perMs <= policy.cooldownMs) {
    const message = `the limit can never be reached: \`per\` (${formatDuration(policy.limit.perMs)}) is not longer than the cooldown (${formatDuration(policy.cooldownMs)})`;
    doubt(context, ['spec', 'limit', 'per'], 'W-LIMIT', message);
  }
}

function longestOf({ do: steps, verify }: Rung): Millis {
  return steps.reduce((sum, { timeoutMs }) => sum + timeoutMs, verify.withinMs);
}
