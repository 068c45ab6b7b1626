import type { JsonValue } from '../core/model/step.ts';
import type { BuildContext } from '../policy/build-context.ts';
import type { Path } from '../policy/path.ts';
import { checkName, checkPart, type KnownNames } from './known-names.ts';
import type { DocumentValues, RawEvent, RawExpectation, RawTestSpec } from './raw-test.ts';

/** Every name in a test must be one that the policies have; a wrong one would make an expectation say nothing. */
export function checkNames(context: BuildContext, spec: RawTestSpec, known: KnownNames): void {
  checkVariants(context, ['spec', 'flags'], spec.flags ?? {}, known);
  checkDocuments(context, ['spec', 'documents'], spec.documents ?? {}, known);
  for (const name of Object.keys(spec.targets ?? {})) checkTarget(context, ['spec', 'targets', name], name, known);
  for (const [index, event] of (spec.events ?? []).entries()) {
    checkEvent(context, ['spec', 'events', index], event, known);
  }
  for (const [index, raw] of spec.expect.entries()) checkExpectation(context, ['spec', 'expect', index], raw, known);
}

function checkEvent(context: BuildContext, path: Path, event: RawEvent, known: KnownNames): void {
  const { fail, kill, check, silent, override, edit, rollback } = event;
  if (rollback !== undefined) {
    checkPolicy(context, [...path, 'rollback', 'policy'], rollback.policy, known);
    if (rollback.rung !== undefined) checkRung(context, [...path, 'rollback', 'rung'], rollback.rung, known);
  }
  if (fail !== undefined) checkAction(context, [...path, 'fail', 'step'], fail.step, known);
  if (kill?.during !== undefined) checkAction(context, [...path, 'kill', 'during'], kill.during, known);
  if (check !== undefined) {
    const word = { path: [...path, 'check', 'of'], what: 'check with', code: 'E-NO-CHECK' };
    checkPart(context, check.of, known.checks, word);
  }
  if (event.take !== undefined) checkPointPolicy(context, [...path, 'take'], event.take, known);
  if (silent !== undefined) {
    const word = { path: [...path, 'silent', 'source'], what: 'MetricSource', code: 'E-NO-METRICSOURCE' };
    checkName(context, silent.source, known.sources, word);
  }
  if (override !== undefined) checkVariant(context, [...path, 'override'], override.flag, override.variant, known);
  if (edit !== undefined) checkDocuments(context, [...path, 'edit'], edit, known);
  if (event.push !== undefined) checkTarget(context, [...path, 'push', 'target'], event.push.target, known);
}

function checkAction(context: BuildContext, path: Path, text: string, known: KnownNames): void {
  checkPart(context, text, known.actions, { path, what: 'action with', code: 'E-NO-STEP' });
}

function checkExpectation(context: BuildContext, path: Path, raw: RawExpectation, known: KnownNames): void {
  for (const key of Object.keys(raw.triggers ?? {})) {
    const at = [...path, 'triggers', key];
    checkName(context, key, known.triggers, { path: at, isKey: true, what: 'trigger', code: 'E-NO-TRIGGER' });
  }
  checkVariants(context, [...path, 'flags'], raw.flags ?? {}, known);
  checkDocuments(context, [...path, 'documents'], raw.documents ?? {}, known);
  for (const name of Object.keys(raw.targets ?? {})) checkTarget(context, [...path, 'targets', name], name, known);
  for (const [index, rung] of (raw.rungs ?? []).entries()) checkRung(context, [...path, 'rungs', index], rung, known);
  for (const [index, { policy, rung }] of (raw.incidents ?? []).entries()) {
    const at = [...path, 'incidents', index];
    if (policy !== undefined) checkPolicy(context, [...at, 'policy'], policy, known);
    if (rung !== undefined) checkRung(context, [...at, 'rung'], rung, known);
  }
  for (const [index, { policy, targets = [] }] of (raw.points ?? []).entries()) {
    const at = [...path, 'points', index];
    if (policy !== undefined && policy !== '') checkPointPolicy(context, [...at, 'policy'], policy, known);
    for (const [place, name] of targets.entries()) checkTarget(context, [...at, 'targets', place], name, known);
  }
  for (const [index, { flag, variant }] of (raw.holds ?? []).entries()) {
    if (flag !== undefined) checkVariant(context, [...path, 'holds', index], flag, variant, known);
  }
  for (const [index, action] of (raw.actions ?? []).entries()) {
    const flag = flagOf(action);
    const at = [...path, 'actions', index, 'setFlag'];
    if (flag !== undefined) checkVariant(context, at, flag, undefined, known);
  }
  for (const [index, { to, policy }] of (raw.notifications ?? []).entries()) {
    const at = [...path, 'notifications', index];
    if (policy !== undefined) checkPolicy(context, [...at, 'policy'], policy, known);
    for (const [place, name] of (to ?? []).entries()) {
      const word = { path: [...at, 'to', place], what: 'Notifier', code: 'E-NO-NOTIFIER' };
      checkName(context, name, known.notifiers, word);
    }
  }
}

function checkTarget(context: BuildContext, path: Path, name: string, known: KnownNames): void {
  checkName(context, name, known.targets, { path, what: 'Target', code: 'E-NO-TARGET' });
}

function checkPointPolicy(context: BuildContext, path: Path, name: string, known: KnownNames): void {
  checkName(context, name, known.pointPolicies, { path, what: 'PointPolicy', code: 'E-NO-POINTPOLICY' });
}

function checkPolicy(context: BuildContext, path: Path, name: string, known: KnownNames): void {
  checkName(context, name, known.policies, { path, what: 'RollbackPolicy', code: 'E-NO-ROLLBACKPOLICY' });
}

function checkRung(context: BuildContext, path: Path, name: string, known: KnownNames): void {
  checkName(context, name, known.rungs, { path, what: 'rung', code: 'E-NO-RUNG' });
}

function flagOf(action: JsonValue): string | undefined {
  const step: unknown = typeof action === 'object' && action !== null ? Reflect.get(action, 'setFlag') : undefined;
  const flag: unknown = typeof step === 'object' && step !== null ? Reflect.get(step, 'flag') : undefined;
  return typeof flag === 'string' ? flag : undefined;
}

function checkVariants(
  context: BuildContext,
  path: Path,
  variants: Readonly<Record<string, string>>,
  known: KnownNames,
): void {
  for (const [flag, variant] of Object.entries(variants)) {
    const at = [...path, flag];
    checkName(context, flag, known.flags, { path: at, isKey: true, what: 'Flag', code: 'E-NO-FLAG' });
    checkVariantName(context, at, flag, variant, known);
  }
}

/** `flag` and `variant` as keys of one mapping. */
function checkVariant(
  context: BuildContext,
  path: Path,
  flag: string,
  variant: string | undefined,
  known: KnownNames,
): void {
  checkName(context, flag, known.flags, { path: [...path, 'flag'], what: 'Flag', code: 'E-NO-FLAG' });
  if (variant !== undefined) checkVariantName(context, [...path, 'variant'], flag, variant, known);
}

function checkVariantName(context: BuildContext, path: Path, flag: string, variant: string, known: KnownNames): void {
  const names = known.variants.get(flag);
  if (names === undefined) return;
  checkName(context, variant, names, { path, what: `variant of ${flag}`, code: 'E-NO-VARIANT' });
}

function checkDocuments(context: BuildContext, path: Path, documents: DocumentValues, known: KnownNames): void {
  const paths = [...known.documents.keys()];
  for (const [name, entries] of Object.entries(documents)) {
    const at = [...path, name];
    checkName(context, name, paths, { path: at, isKey: true, what: 'document', code: 'E-NO-DOCUMENT' });
    const names = known.documents.get(name);
    if (names === undefined) continue;
    for (const entry of Object.keys(entries)) {
      const word = { path: [...at, entry], isKey: true, what: `entry of ${name}`, code: 'E-NO-ENTRY' };
      checkName(context, entry, names, word);
    }
  }
}
