import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { triggerKey } from '../core/model/trigger.ts';
import { buildIncidentReport, type ReportInput } from '../core/report/incident-report.ts';
import { reportHtml } from '../core/report/report-html.ts';
import { reportMarkdown } from '../core/report/report-markdown.ts';
import type { Millis } from '../core/units.ts';
import type { Store } from '../store/store.ts';

/** How long before an incident its readings are shown from, and how long after its end. */
const BEFORE_MS: Millis = 600_000;
const AFTER_MS: Millis = 60_000;

export type RenderedReport = { readonly markdown: string; readonly html: string };

export function reportPath(dataDir: string, incident: string, form: 'md' | 'html' = 'md'): string {
  return join(dataDir, 'reports', `${incident}.${form}`);
}

/** The report of an incident as far as it has come. Undefined if the log has no such incident. */
export function renderReport(store: Store, id: string, hostName: string): RenderedReport | undefined {
  const input = reportInput(store, id, hostName);
  if (input === undefined) return undefined;
  const report = buildIncidentReport(input);
  return { markdown: reportMarkdown(report), html: reportHtml(report) };
}

function reportInput(store: Store, id: string, hostName: string): ReportInput | undefined {
  const incident = store.incident(id);
  if (incident === undefined) return undefined;
  const records = store.events({ subject: `Incident/${id}` });
  const operations = new Set(
    records.flatMap(({ event }) => (event.type === 'operation.planned' ? [event.operation.id] : [])),
  );
  const end = incident.phase.kind === 'closed' ? incident.phase.at : (records.at(-1)?.event.at ?? incident.openedAt);
  const since = (records[0]?.seq ?? 1) - 1;
  const others = store.events({ types: ['operation.finished', 'revision.accepted'], after: since });
  const outcomes = others.filter(({ event }) => event.type === 'operation.finished' && operations.has(event.id));
  const revisions = others.filter(({ event }) => event.type === 'revision.accepted' && event.at <= end);
  const policies = [incident.policy, ...incident.joined.map(({ policy }) => policy)];
  return {
    incident,
    hostName,
    events: [...records, ...outcomes].sort((a, b) => a.seq - b.seq).map(({ event, actor }) => ({ ...event, actor })),
    revisions: revisions.map(({ event, actor }) => ({ ...event, actor })),
    until: end,
    readings: policies.flatMap((policy) =>
      policy.triggers.map((trigger) => {
        const key = triggerKey(policy.name, trigger.name);
        const readings = store.history.points(key, incident.openedAt - BEFORE_MS, end + AFTER_MS);
        return { key, trigger, readings: readings.map(({ at, mean, low, high }) => ({ at, mean, low, high })) };
      }),
    ),
  };
}

/** Writes the report in both forms, each whole or not at all, and answers the path of the Markdown. */
export async function writeReport(store: Store, id: string, dataDir: string, hostName: string): Promise<string> {
  const report = renderReport(store, id, hostName);
  if (report === undefined) throw new RangeError(`the log has no incident ${id}`);
  await writeWhole(reportPath(dataDir, id, 'html'), report.html);
  const path = reportPath(dataDir, id);
  await writeWhole(path, report.markdown);
  return path;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
