import type { FieldChange, ObjectChange } from '../core/compare/compare-policies.ts';
import type { Action } from '../core/model/action.ts';
import { formatOrigin } from '../core/model/origin.ts';
import { shortRevision } from '../core/model/revision.ts';
import type { Outlook } from '../core/plan/plan.ts';
import { describeAction } from '../core/report/describe-event.ts';
import { formatDuration, formatInstant } from '../core/units.ts';
import type { Comparison, ShownPlan } from '../server/shown-plan.ts';
import type { HoldStatus } from '../server/status.ts';
import { paint, type Style, type Terminal } from './terminal.ts';

const SIGN_STYLES = { '+': 'green', '~': 'yellow', '-': 'red', '!': 'magenta', '>': 'blue' } as const satisfies Record<
  Action['sign'],
  Style
>;

/** What would be done now and why, what would follow, and a summary. */
export function planText(plan: ShownPlan, terminal: Terminal): string {
  const actions = plan.actions.flatMap((action) => actionLines(action, terminal));
  const holds = plan.holds.flatMap((hold) => holdLines(hold, terminal));
  const outlook = plan.outlook
    .filter((item) => !isOfHold(item, plan.holds))
    .flatMap((item) => outlookLines(item, terminal));
  const conditions = plan.conditions.map(
    ({ type, object, message }) => `  ${paint(terminal, 'yellow', type)} ${object}: ${message}`,
  );
  return [
    ...(plan.comparison === undefined ? [] : [...comparisonLines(plan.comparison, terminal), '']),
    ...(actions.length === 0 ? [] : ['Now:', ...actions, '']),
    ...pointLines(plan, terminal),
    ...(holds.length === 0 ? [] : ['Held:', ...holds, '']),
    ...withheldLines(plan, terminal),
    ...(outlook.length === 0 ? [] : ['What would follow:', ...outlook, '']),
    ...(conditions.length === 0 ? [] : ['Conditions:', ...conditions, '']),
    ...(plan.complete
      ? []
      : [paint(terminal, 'dim', 'Not everything has been seen yet, so this plan is not complete.')]),
    summaryLine(plan),
  ].join('\n');
}

/** `Plan: 2 to create, 1 to change, 3 to prune, 1 rollback, 1 held.` */
export function summaryLine(plan: Pick<ShownPlan, 'actions' | 'holds' | 'points'>): string {
  const count = (sign: Action['sign']): number => plan.actions.filter((action) => action.sign === sign).length;
  const rollbacks = count('!');
  const parts = [
    `${count('+')} to create`,
    `${count('~')} to change`,
    `${count('-') + plan.points.pruned.length} to prune`,
    `${rollbacks} rollback${rollbacks === 1 ? '' : 's'}`,
    `${plan.holds.length} held`,
  ];
  return `Plan: ${parts.join(', ')}.`;
}

function actionLines(action: Action, terminal: Terminal): string[] {
  const sign = paint(terminal, SIGN_STYLES[action.sign], action.sign);
  const origin = action.origin === undefined ? '' : paint(terminal, 'dim', `  (${formatOrigin(action.origin)})`);
  const loss = action.losesData ? paint(terminal, 'red', ' loses data') : '';
  return [`  ${sign} ${describeAction(action)}${loss}${origin}`, `      ${paint(terminal, 'dim', action.reason)}`];
}

/** What is captured is among the actions; what only waits for its capture is not. */
function pointLines({ points, actions }: ShownPlan, terminal: Terminal): string[] {
  const captured = new Set(actions.flatMap((action) => (action.kind === 'capture' ? [action.point] : [])));
  const waiting = points.begun.filter(({ point }) => !captured.has(point));
  const lines = [
    ...waiting.map(
      ({ point, targets, cause }) =>
        `  ${paint(terminal, 'green', '+')} point ${point} of ${targets.join(', ')}, ${cause}; it waits to be captured`,
    ),
    ...points.pruned.flatMap(({ point, reason, deleteAt }) => [
      `  ${paint(terminal, 'red', '-')} point ${point} is pruned; it can be brought back until ${formatInstant(deleteAt)}`,
      `      ${paint(terminal, 'dim', reason)}`,
    ]),
    ...points.deleted.map((point) => `  ${paint(terminal, 'red', '-')} point ${point}, pruned before, is deleted`),
  ];
  return lines.length === 0 ? [] : ['Points:', ...lines, ''];
}

function holdLines(hold: HoldStatus, terminal: Terminal): string[] {
  return [
    `  ${paint(terminal, 'cyan', '.')} ${hold.object} is held at ${JSON.stringify(hold.value)} by ${hold.kind} ${hold.id}`,
    `      ${paint(terminal, 'dim', `${hold.cause}; lifts when ${hold.lifts}`)}`,
  ];
}

function isOfHold(item: Outlook, holds: readonly HoldStatus[]): boolean {
  return holds.some((hold) => item.object === hold.object && item.what.includes(hold.id));
}

function outlookLines(item: Outlook, terminal: Terminal): string[] {
  const when = [
    item.afterMs === undefined ? '' : `in ${formatDuration(item.afterMs)}`,
    item.on === undefined ? '' : `when ${item.on}`,
  ].filter((text) => text !== '');
  const origin = item.origin === undefined ? '' : paint(terminal, 'dim', `  (${formatOrigin(item.origin)})`);
  return [`  ${item.object}: ${item.what} ${when.join(', ')}${origin}`, ...item.next.map((next) => `      → ${next}`)];
}

/** The halt keeps them back; a person may do exactly these. */
function withheldLines({ withheld }: ShownPlan, terminal: Terminal): string[] {
  if (withheld.length === 0) return [];
  const title = 'Withheld by the halt (`revertd resume`, or save this plan with --out and `revertd apply` it):';
  return [title, ...withheld.flatMap((action) => actionLines(action, terminal)), ''];
}

const CHANGE_SIGNS = { added: '+', removed: '-', changed: '~' } as const;

function comparisonLines({ from, to, changes }: Comparison, terminal: Terminal): string[] {
  const title = `From ${shortRevision(from)} to ${shortRevision(to)}:`;
  if (changes.length === 0) return [`${title} no trigger, flag, ladder, source or notifier changes.`];
  return [title, ...changes.flatMap((change) => changeLines(change, terminal))];
}

function changeLines({ object, kind, origin, fields }: ObjectChange, terminal: Terminal): string[] {
  const sign = CHANGE_SIGNS[kind];
  const dim = (text: string): string => paint(terminal, 'dim', text);
  return [
    `  ${paint(terminal, SIGN_STYLES[sign], sign)} ${object}${dim(`  (${formatOrigin(origin)})`)}`,
    ...fields.map((change) => {
      const place =
        change.origin.line === origin.line && change.origin.file === origin.file ? '' : formatOrigin(change.origin);
      return `      ${change.field}: ${fieldText(change)}${place === '' ? '' : dim(`  (${place})`)}`;
    }),
  ];
}

function fieldText({ before, after }: FieldChange): string {
  if (before === undefined) return after ?? '';
  return `${before} → ${after ?? '(none)'}`;
}
