import { formatThreshold } from '../model/trigger.ts';
import { formatInstant, type Millis } from '../units.ts';
import { type Html, html, page, raw } from './html-page.ts';
import { type Fact, type IncidentReport, ROOM_FOR_PEOPLE, type TriggerReadings } from './incident-report.ts';
import { plotSvg } from './plot-svg.ts';
import { readingStatistics } from './reading-statistics.ts';
import type { RungReport } from './rung-reports.ts';

const TILES = ['Detected after', 'Reacted after', 'Recovered after', 'Not recovered', 'Data lost'];

/** The report as a page of its own; everything that it shows is escaped. */
export function reportHtml(report: IncidentReport): string {
  const all = [...report.times, ...report.facts];
  const span = spanOf(report);
  const body = html`<header>
<h1>${report.id}: ${report.policy}</h1>
<p class="soft">Incident report and post-mortem, host ${report.host}</p>
<p><span class="state ${tone(report.state)}">${report.state}</span>${report.reason}</p>
</header>
<main>
<div class="tiles">${TILES.flatMap((name) => all.filter((fact) => fact.name === name)).map(tile)}</div>
<h2>What was breached</h2>
<ul>${report.causes.map((cause) => html`<li>${cause}</li>`)}</ul>
${report.readings.map((readings, index) => figure(readings, span, report, index))}
<h2>What was done</h2>
${report.rungs.length === 0 ? html`<p>Nothing.</p>` : report.rungs.map(rung)}
<h2>Facts and times</h2>
<div class="scroll"><table><tbody>${all.map(({ name, value }) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>
<h2>Timeline</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">Time (UTC)</th><th scope="col">Since the breach</th><th scope="col">What</th><th scope="col">By</th></tr></thead>
<tbody>${report.timeline.map(
    ({ at, since, text, actor }) =>
      html`<tr><td class="t"><time datetime="${formatInstant(at)}">${formatInstant(at).slice(11, 23)}</time></td><td class="t">${since}</td><td>${text}</td><td class="t">${actor}</td></tr>`,
  )}</tbody></table></div>
<h2>Left to people</h2>
${ROOM_FOR_PEOPLE.map(
  ({ heading, questions }) => html`<h3>${heading}</h3>
${questions.map(
  (question) => html`<p class="soft">${question}</p>
<div class="room" contenteditable="true" role="textbox" aria-multiline="true" aria-label="${heading}: ${question}"></div>`,
)}`,
)}
</main>
<footer>Written by revertd on ${report.host}. What is typed into the boxes is kept by saving the page or printing it.</footer>`;
  return page(`${report.id}: ${report.policy} on ${report.host}`, body);
}

/** Colour is never alone: the word stands beside it. */
function tone(state: string): string {
  if (state === 'resolved' || state === 'successful' || state === 'done') return 'good';
  return state === 'exhausted' || state === 'failed' ? 'bad' : 'warn';
}

function tile({ name, value }: Fact): Html {
  const [, head = value, more = ''] = /^([^ ,:]+)[,:]? (.*)$/s.exec(value) ?? [];
  const mood = more.startsWith('beyond ') ? 'bad' : more.startsWith('within ') ? 'good' : '';
  return html`<div class="tile"><span>${name}</span><b>${head}</b><span class="${mood}">${more}</span></div>`;
}

/** All plots have one time axis, so that they can be read beside each other. */
function spanOf({ readings, marks, timeline }: IncidentReport): { readonly from: Millis; readonly to: Millis } {
  const instants = [
    ...readings.flatMap((one) => [one.readings[0]?.at, one.readings.at(-1)?.at]),
    ...marks.map(({ at }) => at),
    timeline.at(-1)?.at,
  ].filter((at) => at !== undefined);
  return { from: Math.min(...instants), to: Math.max(...instants) };
}

function figure(
  readings: TriggerReadings,
  span: { from: Millis; to: Millis },
  report: IncidentReport,
  index: number,
): Html {
  const { key, trigger } = readings;
  const hasValues = readings.readings.some(({ mean }) => mean !== null && Number.isFinite(mean));
  return html`<figure>
<figcaption><strong>${key}</strong>, threshold ${formatThreshold(trigger.threshold)}: ${readingStatistics(readings.readings)}<br><code>${trigger.query}</code></figcaption>
${hasValues ? raw(plotSvg(readings, span, report.marks, `plot-${index}`)) : html`<p class="soft">No values were read.</p>`}
</figure>`;
}

function rung({ name, result, steps, verification }: RungReport): Html {
  return html`<h3><span class="state ${tone(result)}">${result}</span>Rung ${name}</h3>
<ul>${steps.map(
    ({ text, outcome, took, detail }) =>
      html`<li>${text}: <span class="${tone(outcome)}">${outcome}</span> in ${took}${detail === '' ? '' : ` (${detail})`}</li>`,
  )}${verification.map((reason) => html`<li>verification: ${reason}</li>`)}</ul>`;
}
