import { formatDuration, formatInstant } from '../../core/units.ts';
import type { Coverage } from '../../metrics/evaluator.ts';
import type { SourceCondition } from '../../metrics/sampling.ts';
import type { DrillStatus } from '../../server/drill-status.ts';
import type { PointPolicyStatus } from '../../server/point-policy-status.ts';
import type { PointDetail } from '../../server/point-status.ts';
import type { FlagStatus, IncidentStatus, TriggerStatus } from '../../server/status.ts';
import type { TargetStatus } from '../../server/target-status.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';
import { nextText } from './drills.ts';
import { pointLines, pointPolicyLines, type TargetPoints, targetPointLines } from './explain-points.ts';
import { flagText } from './flags.ts';
import { shown, targetText } from './status.ts';

type Explained = {
  readonly kind: string;
  readonly name: string;
  readonly policy?: PolicyDetail;
  readonly triggers?: readonly TriggerDetail[];
  readonly flag?: FlagStatus;
  readonly target?: TargetStatus;
  readonly points?: TargetPoints;
  readonly pointPolicy?: PointPolicyStatus;
  readonly point?: PointDetail;
  readonly targets?: readonly SourceCondition[];
  readonly drill?: DrillStatus;
  readonly incident?: IncidentStatus;
  readonly events: readonly { readonly at: number; readonly actor: string; readonly text: string | null }[];
};

type PolicyDetail = {
  readonly origin: string;
  readonly suspended: boolean;
  readonly critical: number;
  readonly cooldownMs: number;
  readonly touches: readonly string[];
  readonly ladder: readonly { readonly rung: string; readonly do: readonly string[] }[];
  readonly brake: { readonly reason: string } | null;
  readonly incident: string | null;
};

type TriggerDetail = TriggerStatus & {
  readonly verdict: string | null;
  readonly message: string | null;
  readonly coverage: Coverage | null;
};

/** One object in full: how it stands, why, and what happened to it lately. */
export async function explain(
  object: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const found = await read<Explained>(config, `explain/${encodeURIComponent(object)}`, version);
  terminal.out(options.json === true ? JSON.stringify(found, null, 2) : explainText(found, terminal));
  return EXIT.done;
}

function explainText(found: Explained, terminal: Terminal): string {
  const events = found.events.filter(({ text }) => text !== null);
  return [
    paint(terminal, 'bold', `${found.kind}/${found.name}`),
    ...(found.policy === undefined ? [] : policyLines(found.policy)),
    ...(found.triggers ?? []).flatMap((trigger) => ['', ...triggerLines(trigger, terminal)]),
    ...(found.flag === undefined ? [] : flagText(found.flag, terminal)),
    ...(found.target === undefined ? [] : targetLines(found.target, found.points)),
    ...(found.pointPolicy === undefined ? [] : pointPolicyLines(found.pointPolicy, terminal)),
    ...(found.point === undefined ? [] : pointLines(found.point)),
    ...(found.targets ?? []).map(
      (target) =>
        `  ${target.target}: ${target.state}, ${target.samples} samples${target.lastError === undefined ? '' : `; ${target.lastError.message}`}`,
    ),
    ...(found.drill === undefined ? [] : drillLines(found.drill)),
    ...(found.incident === undefined ? [] : incidentLines(found.incident)),
    ...(events.length === 0
      ? []
      : ['', 'Lately:', indent(table(events.map(({ at, actor, text }) => [formatInstant(at), actor, text ?? ''])))]),
  ].join('\n');
}

function incidentLines({ state, rung, reason, deadlineAt, request }: IncidentStatus): string[] {
  return [
    `  ${state}${rung === null ? '' : ` "${rung}"`}: ${reason}`,
    ...(deadlineAt === null ? [] : [`  until ${formatInstant(deadlineAt)}`]),
    ...(request?.lines ?? []).map((line) => `  ${line}`),
  ];
}

function drillLines(drill: DrillStatus): string[] {
  const { schedule, timezone, rtoMs, last } = drill;
  const when = schedule === null ? 'only by hand' : `${schedule} (${timezone})`;
  return [
    `  defined in  ${drill.origin}${drill.suspended ? ', suspended' : ''}`,
    `  rehearses   ${drill.rungs.map((rung) => `rung "${rung}"`).join(', ')} of ${drill.policy} (${drill.mode})`,
    `  when        ${when}: ${nextText(drill)}`,
    ...(rtoMs === null ? [] : [`  objective   ${formatDuration(rtoMs)}`]),
    `  last        ${drill.lastText ?? 'never yet'}`,
    ...(last?.rungs ?? []).flatMap(({ rung, outcome, durationMs, items }) => [
      `    rung "${rung}" ${outcome} in ${formatDuration(durationMs)}`,
      ...items.map(
        (item) =>
          `      ${item.outcome}: ${item.summary}${item.detail === '' ? '' : ` (${item.detail.split('\n', 1)[0]})`}`,
      ),
    ]),
  ];
}

function policyLines(policy: PolicyDetail): string[] {
  return [
    `  defined in  ${policy.origin}${policy.suspended ? ', suspended' : ''}`,
    `  touches     ${policy.touches.join(', ') || 'nothing that others could touch'}`,
    `  cooldown    ${formatDuration(policy.cooldownMs)}`,
    ...(policy.incident === null ? [] : [`  incident    ${policy.incident}`]),
    ...(policy.brake === null ? [] : [`  braked      ${policy.brake.reason}`]),
    ...policy.ladder.map(({ rung, do: steps }, index) => `  rung ${index + 1}      ${rung}: ${steps.join(', ')}`),
  ];
}

function targetLines(target: TargetStatus, points: TargetPoints | undefined): string[] {
  if (points !== undefined) return targetPointLines(target, points);
  const [at = '', good = '', tracks = ''] = targetText(target, Date.now());
  return [
    `  defined in  ${target.origin}${target.suspended ? ', suspended' : ''}`,
    `  ${target.type}         ${target.path}: ${target.state}, ${at}`,
    `  good        ${good}`,
    ...(tracks === '' ? [] : [`  tracks      ${tracks}: ${target.tracks?.subject ?? 'not fetched yet'}`]),
    ...(target.owed === 0 ? [] : [`  owed        ${target.owed} step(s) until it is effective`]),
  ];
}

function triggerLines(trigger: TriggerDetail, terminal: Terminal): string[] {
  const { coverage } = trigger;
  const since = trigger.since === null ? 'never evaluated' : `since ${formatInstant(trigger.since)}`;
  return [
    `${paint(terminal, 'bold', trigger.trigger)}  ${trigger.severity}  (${trigger.origin})`,
    `  query      ${trigger.query}`,
    `  state      ${trigger.state}, ${since}${trigger.state === 'pending' ? `; breached for ${formatDuration(trigger.breachedMs)} of ${formatDuration(trigger.forMs)}` : ''}`,
    `  value      ${shown(trigger.value)}, threshold ${trigger.threshold}${trigger.verdict === null ? '' : `: ${trigger.verdict}`}${trigger.message === null ? '' : `; ${trigger.message}`}`,
    ...(coverage === null ? [] : [`  rests on   ${coverageText(coverage)}`]),
  ];
}

function coverageText({ windowMs, coveredMs, sources, series, samples }: Coverage): string {
  const window = windowMs === 0 ? '' : `, ${formatDuration(coveredMs)} of its ${formatDuration(windowMs)} window`;
  const from = sources.length === 0 ? 'no source has such series' : `of ${sources.join(', ')}`;
  return `${samples} samples in ${series} series ${from}${window}`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
