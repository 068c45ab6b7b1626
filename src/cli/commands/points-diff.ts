import { printable } from '../../core/report/printable.ts';
import type { PointDiff, TargetDifference } from '../../daemon/diff-points.ts';
import type { DiffGroup, DiffItem } from '../../drivers/targets/captured-target.ts';
import { pointDiffPage } from '../../server/point-diff-page.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Style, type Terminal } from '../terminal.ts';
import { write } from './report.ts';

export type DiffOptions = GlobalOptions & { readonly with?: string; readonly target?: string; readonly page?: string };

/** What is different in another point, or live. */
export async function pointsDiff(
  id: string,
  options: DiffOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const query = new URLSearchParams({
    ...(options.with === undefined ? {} : { with: options.with }),
    ...(options.target === undefined ? {} : { target: options.target }),
  });
  const path = `points/${encodeURIComponent(id)}/diff?${query.toString()}`;
  const found = await read<PointDiff>(configOf(options, terminal, process.env), path, version);
  if (options.page !== undefined) write(pointDiffPage(found, Date.now()), options.page, terminal);
  else terminal.out(options.json === true ? JSON.stringify(found, null, 2) : diffText(found, terminal));
  return found.targets.some(({ fault }) => fault !== undefined) ? EXIT.partial : EXIT.done;
}

export function diffText({ point, with: other, targets }: PointDiff, terminal: Pick<Terminal, 'colour'>): string {
  return [`${point} → ${other}`, targetsText({ targets }, terminal)].join('\n');
}

export function targetsText({ targets }: Pick<PointDiff, 'targets'>, terminal: Pick<Terminal, 'colour'>): string {
  return targets.flatMap((one) => targetLines(one, terminal)).join('\n');
}

function targetLines({ target, diff, fault }: TargetDifference, terminal: Pick<Terminal, 'colour'>): string[] {
  const head = paint(terminal, 'bold', target);
  if (fault !== undefined) return ['', `${head}: ${fault}`];
  if (diff.groups.every(({ added, removed, changed }) => added + removed + changed === 0)) {
    return ['', `${head}: nothing is different`];
  }
  return ['', head, ...diff.groups.flatMap((group) => groupLines(group, terminal))];
}

function groupLines(group: DiffGroup, terminal: Pick<Terminal, 'colour'>): string[] {
  const { name, added, removed, changed, items, isCut, note } = group;
  if (added + removed + changed === 0 && note === undefined) return [];
  const rest = added + removed + changed - items.length;
  return [
    `  ${name}: ${added} added, ${removed} removed, ${changed} changed${note === undefined ? '' : `; ${note}`}`,
    ...items.flatMap((item) => itemLines(item, terminal)),
    ...(isCut && rest > 0 ? [`    and ${rest} more`] : []),
  ];
}

const SIGNS = { added: ['+', 'green'], removed: ['-', 'red'], changed: ['~', 'yellow'] } as const satisfies Record<
  DiffItem['kind'],
  readonly [string, Style]
>;

function itemLines({ kind, what, detail, lines }: DiffItem, terminal: Pick<Terminal, 'colour'>): string[] {
  const [sign, style] = SIGNS[kind];
  const own = (lines ?? '').split('\n').filter((line) => line !== '');
  return [
    `    ${paint(terminal, style, sign)} ${printable(what)}${detail === '' ? '' : `  ${printable(detail)}`}`,
    ...own.map((line) => `        ${printable(line)}`),
  ];
}
