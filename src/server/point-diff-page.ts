import { type Html, html, page } from '../core/report/html-page.ts';
import { printable } from '../core/report/printable.ts';
import { formatInstant, type Millis } from '../core/units.ts';
import type { PointDiff, TargetDifference } from '../daemon/diff-points.ts';
import type { DiffGroup, DiffItem } from '../drivers/targets/captured-target.ts';

/** Longer lists and texts are folded until somebody opens them. */
const OPEN_ITEMS = 25;
const OPEN_LINES = 12;

/** What is different between two points, or between one and what is live, as a page of its own. */
export function pointDiffPage(diff: PointDiff, at: Millis): string {
  const { point, with: other, targets } = diff;
  const title = `${point} → ${other}`;
  return page(
    title,
    html`<header>
<h1>${point} → ${other === 'live' ? 'what is live' : other}</h1>
<p class="soft">What is different in ${other === 'live' ? 'what is live' : 'the other point'}, at ${formatInstant(at)}</p>
</header>
<main>
<div class="scroll"><table>
<thead><tr><th scope="col">Target</th><th scope="col" class="n">Added</th><th scope="col" class="n">Removed</th><th scope="col" class="n">Changed</th></tr></thead>
<tbody>${targets.map(summaryRow)}</tbody></table></div>
${targets.map(targetPart)}
</main>`,
  );
}

function summaryRow({ target, diff, fault }: TargetDifference): Html {
  if (fault !== undefined) {
    return html`<tr><th scope="row">${printable(target)}</th><td colspan="3" class="bad">${printable(fault)}</td></tr>`;
  }
  const sum = (of: (group: DiffGroup) => number): number => diff.groups.reduce((all, group) => all + of(group), 0);
  return html`<tr><th scope="row">${printable(target)}</th><td class="n">${sum(({ added }) => added)}</td><td class="n">${sum(({ removed }) => removed)}</td><td class="n">${sum(({ changed }) => changed)}</td></tr>`;
}

function targetPart({ target, diff, fault }: TargetDifference): Html {
  const head = html`<h2>${printable(target)}</h2>`;
  if (fault !== undefined) return html`${head}<p class="bad">It could not be compared: ${printable(fault)}</p>`;
  const groups = diff.groups.filter((group) => total(group) > 0 || group.note !== undefined);
  if (groups.length === 0) return html`${head}<p class="soft">Nothing is different.</p>`;
  return html`${head}${groups.map(groupPart)}`;
}

function total({ added, removed, changed }: DiffGroup): number {
  return added + removed + changed;
}

function groupPart(group: DiffGroup): Html {
  const { name, added, removed, changed, items, note } = group;
  const rest = total(group) - items.length;
  const summary = html`<summary><strong>${printable(name)}</strong>: ${added} added, ${removed} removed, ${changed} changed${note === undefined ? '' : `; ${printable(note)}`}</summary>`;
  const more = rest > 0 ? html`<li class="soft">and ${rest} more, which are counted and not shown</li>` : html``;
  const body = html`${summary}<ul class="plain">${items.map(itemPart)}${more}</ul>`;
  return items.length <= OPEN_ITEMS ? html`<details open>${body}</details>` : html`<details>${body}</details>`;
}

/** Colour is never alone: each has its sign. */
const SIGNS = { added: ['+', 'good'], removed: ['−', 'bad'], changed: ['~', 'warn'] } as const satisfies Record<
  DiffItem['kind'],
  readonly [string, string]
>;

function itemPart({ kind, what, detail, lines }: DiffItem): Html {
  const [sign, mood] = SIGNS[kind];
  const head = html`<span class="${mood}" title="${kind}">${sign}</span> <code>${printable(what)}</code> <span class="soft">${printable(detail)}</span>`;
  const own = (lines ?? '').split('\n').filter((line) => line !== '');
  if (own.length === 0) return html`<li>${head}</li>`;
  const text = html`<summary>${head}</summary><pre>${own.map(linePart)}</pre>`;
  return own.length <= OPEN_LINES
    ? html`<li><details open>${text}</details></li>`
    : html`<li><details>${text}</details></li>`;
}

function linePart(line: string): Html {
  const mood = line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : '';
  return mood === '' ? html`${printable(line)}` : html`<span class="${mood}">${printable(line)}</span>`;
}
