import type { ObjectChange } from '../core/compare/compare-policies.ts';
import type { Action } from '../core/model/action.ts';
import { formatOrigin, type Origin } from '../core/model/origin.ts';
import { shortRevision } from '../core/model/revision.ts';
import type { Condition, Outlook } from '../core/plan/plan.ts';
import { describeAction } from '../core/report/describe-event.ts';
import { formatDuration, formatInstant } from '../core/units.ts';
import type { Comparison, ShownPlan } from '../server/shown-plan.ts';
import type { HoldStatus } from '../server/status.ts';
import { code, prose, table } from './markdown.ts';
import { summaryLine } from './plan-text.ts';

/** By it a job finds the comment that it wrote before. */
const MARKER = '<!-- revertd-plan -->';

/** A plan as a comment on a pull request: what matters at a glance, the rest folded. Equal plans give equal text. */
export function planMarkdown(plan: ShownPlan): string {
  const { comparison } = plan;
  return [
    `${MARKER}\n### revertd plan for ${code(plan.host)}`,
    `**${summaryLine(plan).replace(/^Plan: /, '')}** Revision ${code(shortRevision(plan.revision))}, observed ${formatInstant(plan.at)}, revertd ${prose(plan.version)}.`,
    ...(plan.complete ? [] : ['> Not everything has been seen yet, so this plan is not complete.']),
    ...(comparison === undefined ? [] : comparisonSection(comparison)),
    ...actionSection('Now', plan.actions),
    ...actionSection('Withheld by the halt', plan.withheld),
    ...section('Points taken', plan.points.begun, ['point', 'targets', 'why'], begunRow),
    ...section('Points pruned', plan.points.pruned, ['point', 'why', 'until'], prunedRow),
    ...section('Held', plan.holds, ['object', 'at', 'why', 'until'], holdRow),
    ...folded('What would follow', plan.outlook, ['object', 'what', 'when', 'then'], outlookRow),
    ...folded('Conditions', plan.conditions, ['type', 'object', 'message'], conditionRow),
  ].join('\n\n');
}

function comparisonSection({ from, to, changes }: Comparison): string[] {
  const range = `${code(shortRevision(from))} → ${code(shortRevision(to))}`;
  if (changes.length === 0) return [`**Policies** ${range}: no trigger, flag, ladder, source or notifier changes.`];
  const heads = changes.map((change) => [
    CHANGE_SIGNS[change.kind],
    code(change.object),
    change.kind === 'changed' ? change.fields.map(({ field }) => code(field)).join(', ') : change.kind,
    where(change.origin),
  ]);
  const rows = changes.flatMap(fieldRows);
  return [
    `**Policies** ${range}`,
    table(['', 'object', 'what', 'where'], heads),
    fold(`${rows.length} field(s), before and after`, table(['object', 'field', 'before', 'after', 'where'], rows)),
  ];
}

const CHANGE_SIGNS = { added: '`+`', removed: '`-`', changed: '`~`' } as const;

function fieldRows({ object, fields }: ObjectChange): string[][] {
  return fields.map(({ field, before, after, origin }) => [
    code(object),
    code(field),
    before === undefined ? '' : code(before),
    after === undefined ? '' : code(after),
    where(origin),
  ]);
}

function actionSection(title: string, actions: readonly Action[]): string[] {
  return section(title, actions, ['', 'action', 'why', 'where'], (action) => [
    code(action.sign),
    `${code(describeAction(action))}${action.losesData ? ' **loses data**' : ''}`,
    prose(action.reason),
    where(action.origin),
  ]);
}

function holdRow(hold: HoldStatus): string[] {
  return [code(hold.object), code(JSON.stringify(hold.value)), prose(hold.cause), prose(hold.lifts)];
}

function begunRow({ point, targets, cause }: ShownPlan['points']['begun'][number]): string[] {
  return [code(point), prose(targets.join(', ')), prose(cause)];
}

function prunedRow({ point, reason, deleteAt }: ShownPlan['points']['pruned'][number]): string[] {
  return [code(point), prose(reason), `can be brought back until ${formatInstant(deleteAt)}`];
}

function outlookRow({ object, what, afterMs, on, next }: Outlook): string[] {
  const when = [afterMs === undefined ? '' : `in ${formatDuration(afterMs)}`, on === undefined ? '' : `when ${on}`];
  return [code(object), prose(what), prose(when.filter((text) => text !== '').join(', ')), prose(next.join('; '))];
}

function conditionRow({ type, object, message }: Condition): string[] {
  return [type, code(object), prose(message)];
}

function where(origin: Origin | undefined): string {
  return origin === undefined ? '' : code(formatOrigin(origin));
}

function section<T>(title: string, items: readonly T[], head: readonly string[], row: (item: T) => string[]): string[] {
  return items.length === 0 ? [] : [`**${title}**`, table(head, items.map(row))];
}

function folded<T>(title: string, items: readonly T[], head: readonly string[], row: (item: T) => string[]): string[] {
  return items.length === 0 ? [] : [fold(`${title} (${items.length})`, table(head, items.map(row)))];
}

function fold(title: string, content: string): string {
  return `<details><summary>${title}</summary>\n\n${content}\n\n</details>`;
}
