import type { Rung, Verify } from '../core/model/policy.ts';
import type { Step } from '../core/model/step.ts';
import { nearestName } from '../core/nearest-name.ts';
import { formatDuration } from '../core/units.ts';
import { buildChecks } from './build-check.ts';
import { buildConsent } from './build-consent.ts';
import { type BuildContext, doubt, durationAt, fault, valueOrigin } from './build-context.ts';
import { namedNotifiers } from './build-parts.ts';
import { buildSteps } from './build-step.ts';
import { alternativesText } from './found.ts';
import type { Path } from './path.ts';
import type { RawRung, RawVerify } from './raw-documents.ts';

const DEFAULT_SETTLE_MS = 30_000;
const DEFAULT_WITHIN_MS = 300_000;

export function buildRung(context: BuildContext, path: Path, raw: RawRung): Rung {
  const rung = {
    name: raw.rung,
    origin: valueOrigin(context, path),
    ...(raw.when === undefined ? {} : { when: buildChecks(context, [...path, 'when'], raw.when) }),
    ...buildConsent(context, path, raw),
    do: buildSteps(context, [...path, 'do'], raw.do),
    onFailure: buildSteps(context, [...path, 'onFailure'], raw.onFailure),
    verify: buildVerify(context, [...path, 'verify'], raw.verify ?? {}),
    ...(raw.notify === undefined ? {} : { notify: namedNotifiers(context, [...path, 'notify'], raw.notify) }),
  };
  for (const part of ['do', 'onFailure'] as const) {
    for (const [index, step] of rung[part].entries()) checkCounted(context, [...path, part, index, 'sql'], rung, step);
  }
  return rung;
}

/** A statement that is bound by a count must be told which. */
function checkCounted(context: BuildContext, path: Path, { dataLoss }: Pick<Rung, 'dataLoss'>, step: Step): void {
  if (step.kind !== 'sql' || step.script.kind !== 'statements') return;
  const labels = dataLoss?.counts.map(({ label }) => label) ?? [];
  for (const [index, { atMostCounted: counted }] of step.script.statements.entries()) {
    if (counted === undefined || (counted === true ? labels.length === 1 : labels.includes(counted))) continue;
    const at = [...path, 'statements', index, 'rows', 'atMost'];
    const expected =
      labels.length === 0 ? 'dataLoss: {count: …}' : alternativesText(labels.map((label) => `{counted: ${label}}`));
    if (counted === true || labels.length === 0) {
      const why = labels.length === 0 ? 'the rung counts nothing under `dataLoss`' : 'the rung has several counts';
      fault(context, at, 'E-COUNTED', { message: `${why}, so \`counted\` names none; expected ${expected}`, expected });
      continue;
    }
    const suggestion = nearestName(counted, labels);
    const hint = suggestion === undefined ? `expected ${alternativesText(labels)}` : `did you mean "${suggestion}"?`;
    const message = `the rung counts nothing called "${counted}" under \`dataLoss\`; ${hint}`;
    fault(context, [...at, 'counted'], 'E-COUNTED', {
      message,
      found: counted,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function buildVerify(context: BuildContext, path: Path, raw: RawVerify): Verify {
  const withinMs = durationAt(context, [...path, 'within'], raw.within, DEFAULT_WITHIN_MS, { ms: 1000, text: '1s' });
  const settleMs = durationAt(context, [...path, 'settle'], raw.settle, Math.min(DEFAULT_SETTLE_MS, withinMs / 2));
  const forMs = durationAt(context, [...path, 'for'], raw.for, 0);
  checkTimes(context, path, raw, { settleMs, withinMs, forMs });
  const triggersClear = raw.triggersClear ?? true;
  if (!triggersClear && (raw.checks ?? []).length === 0) {
    const message =
      'nothing is verified: `triggersClear` is false and there are no checks, so every rung counts as a success';
    doubt(context, [...path, 'triggersClear'], 'W-NOTHING-VERIFIED', message);
  }
  return {
    settleMs,
    withinMs,
    forMs,
    triggersClear,
    checks: buildChecks(context, [...path, 'checks'], raw.checks),
    onInconclusive: raw.onInconclusive ?? 'ask',
  };
}

function checkTimes(
  context: BuildContext,
  path: Path,
  raw: RawVerify,
  { settleMs, withinMs, forMs }: Pick<Verify, 'settleMs' | 'withinMs' | 'forMs'>,
): void {
  const settle = raw.settle ?? `${formatDuration(settleMs)}, its default`;
  const within = raw.within ?? `${formatDuration(withinMs)}, its default`;
  if (settleMs >= withinMs) {
    const message = `\`settle\` (${settle}) must be shorter than \`within\` (${within}), or nothing is ever judged`;
    fault(context, [...path, 'settle'], 'E-SETTLE', { message, found: raw.settle ?? '' });
  } else if (forMs > 0 && settleMs + forMs > withinMs) {
    const message = `\`settle\` (${settle}) and \`for\` (${raw.for}) together are longer than \`within\` (${within}): no success could last long enough`;
    fault(context, [...path, 'for'], 'E-VERIFY-FOR', { message, found: raw.for ?? '' });
  }
}
