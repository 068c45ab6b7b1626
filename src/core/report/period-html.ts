import { formatDuration, formatInstant } from '../units.ts';
import { type Html, html, page, raw } from './html-page.ts';
import { drillRow, incidentRow, minute } from './period-markdown.ts';
import type { PeriodReport } from './period-report.ts';
import { type PeriodRow, periodRows, storageText } from './period-rows.ts';

const TILES = ['Rollbacks', 'Recovery, median', 'Recovery, worst', 'Refused actions', 'Flags latched'];

/** The report over a period as a page of its own. */
export function periodHtml(report: PeriodReport): string {
  const { host, from, to, now, before, storage } = report;
  const rows = periodRows(now, before);
  const title = `${host}: the last ${formatDuration(to - from)}`;
  const body = html`<header>
<h1>${title}</h1>
<p class="soft">${minute(from)} to ${minute(to)} UTC, beside the ${formatDuration(to - from)} before</p>
</header>
<main>
<div class="tiles">${TILES.flatMap((name) => rows.filter((row) => row.name === name)).map(tile)}</div>
${recoveryChart(report)}
<h2>Figures</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">What</th><th scope="col" class="n">Now</th><th scope="col" class="n">Before</th><th scope="col" class="n">Trend</th></tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><th scope="row">${row.name}</th><td class="n">${row.now}</td><td class="n soft">${row.before}</td><td class="n ${mood(row)}">${trendText(row)}</td></tr>`,
  )}</tbody></table></div>
${section('Incidents', ['Incident', 'Policy', 'Opened (UTC)', 'Outcome', 'Recovery', 'Objective'], report.incidents.map(incidentRow))}
${section(
  'Policies',
  ['Policy', 'Rollbacks', 'Braked'],
  report.policies.map(({ policy, rollbacks, braked }) => [policy, String(rollbacks), String(braked)]),
)}
${section(
  'Flags changed',
  ['Flag', 'Times', 'Last', 'When (UTC)'],
  report.flags.map(({ flag, changes, last, lastAt }) => [flag, String(changes), last, minute(lastAt)]),
)}
${section(
  'Refused',
  ['What', 'Times', 'Why, the last time'],
  report.refused.map(({ what, times, why }) => [what, String(times), why]),
)}
${section(
  'Drills',
  ['Drill', 'Policy', 'Ended (UTC)', 'Outcome', 'Took', 'Objective', 'Why'],
  report.drills.map(drillRow),
)}
${section(
  'Holds now',
  ['Kind', 'Object', 'Since (UTC)'],
  report.openHolds.map(({ kind, object, since }) => [kind, object, minute(since)]),
)}
<h2>Storage</h2>
<p>${storageText(storage)}</p>
</main>
<footer>Written by revertd on ${host} at ${formatInstant(to)}.</footer>`;
  return page(title, body);
}

function tile(row: PeriodRow): Html {
  return html`<div class="tile"><span>${row.name}</span><b>${row.now}</b><span class="${mood(row)}">${trendText(row) || `before: ${row.before}`}</span></div>`;
}

function mood({ better }: PeriodRow): string {
  return better === null ? 'soft' : better ? 'good' : 'bad';
}

/** Colour is never alone. */
function trendText({ trend, better }: PeriodRow): string {
  return better === null ? trend : `${trend} ${better ? 'better' : 'worse'}`;
}

function section(heading: string, head: readonly string[], rows: readonly (readonly string[])[]): Html {
  if (rows.length === 0)
    return html`<h2>${heading}</h2>
<p class="soft">None.</p>`;
  return html`<h2>${heading}</h2>
<div class="scroll"><table><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

const BAR = { width: 760, row: 26, left: 150, right: 110 };

/** How long each recovery took, beside its objective. */
function recoveryChart({ incidents }: PeriodReport): Html {
  const shown = incidents.filter(({ recoveryMs }) => recoveryMs !== null).slice(-20);
  if (shown.length === 0) return html``;
  const longest = Math.max(...shown.map(({ recoveryMs, rtoMs }) => Math.max(recoveryMs ?? 0, rtoMs ?? 0)), 1);
  const x = (spanMs: number): number => Math.round(BAR.left + (spanMs / longest) * (BAR.width - BAR.left - BAR.right));
  const height = shown.length * BAR.row + 8;
  const bars = shown.map(({ id, recoveryMs, rtoMs }, index) => {
    const y = index * BAR.row + 6;
    const span = recoveryMs ?? 0;
    const late = rtoMs !== null && span > rtoMs;
    const objective =
      rtoMs === null
        ? html``
        : html`<line class="threshold" x1="${x(rtoMs)}" y1="${y - 4}" x2="${x(rtoMs)}" y2="${y + 20}"/>`;
    return html`<text class="label" x="${BAR.left - 8}" y="${y + 12}" text-anchor="end">${id}</text>
<rect class="bar" x="${BAR.left}" y="${y}" width="${Math.max(1, x(span) - BAR.left)}" height="16"/>${objective}
<text class="tick" x="${Math.max(x(span), rtoMs === null ? 0 : x(rtoMs)) + 6}" y="${y + 12}">${formatDuration(span)}${late ? ', beyond' : ''}</text>`;
  });
  const words = shown.map(({ id, recoveryMs }) => `${id} ${formatDuration(recoveryMs ?? 0)}`).join(', ');
  return html`<figure><figcaption><strong>Recovery times</strong>, the objective as a dashed line</figcaption>
<svg viewBox="0 0 ${BAR.width} ${height}" role="img" aria-labelledby="rt rd"><title id="rt">Recovery times</title><desc id="rd">${words}</desc>
${raw(bars.map((bar) => bar.html).join('\n'))}</svg></figure>`;
}
