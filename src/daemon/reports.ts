import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { triggerKey } from '../core/model/trigger.ts';
import { incidentReport } from '../core/report/incident-report.ts';
import type { Millis } from '../core/units.ts';
import type { Store } from '../store/store.ts';

/** How long before an incident its readings are shown from. */
const BEFORE_MS: Millis = 600_000;

export function reportPath(dataDir: string, incident: string): string {
  return join(dataDir, 'reports', `${incident}.md`);
}

/** The report of an incident as far as it has come. Undefined if the log has no such incident. */
export function renderReport(store: Store, id: string, hostName: string): string | undefined {
  const incident = store.incident(id);
  if (incident === undefined) return undefined;
  const records = store.events({ subject: `Incident/${id}` });
  const operations = new Set(
    records.flatMap(({ event }) => (event.type === 'operation.planned' ? [event.operation.id] : [])),
  );
  const end = incident.phase.kind === 'closed' ? incident.phase.at : (records.at(-1)?.event.at ?? incident.openedAt);
  const outcomes = store
    .events({ types: ['operation.finished'], after: (records[0]?.seq ?? 1) - 1 })
    .filter(({ event }) => event.type === 'operation.finished' && operations.has(event.id));
  const policies = [incident.policy, ...incident.joined.map(({ policy }) => policy)];
  return incidentReport({
    incident,
    hostName,
    events: [...records, ...outcomes].sort((a, b) => a.seq - b.seq).map(({ event, actor }) => ({ ...event, actor })),
    readings: policies.flatMap((policy) =>
      policy.triggers.map((trigger) => {
        const key = triggerKey(policy.name, trigger.name);
        return { key, trigger, readings: readingsOf(store, key, incident.openedAt - BEFORE_MS, end) };
      }),
    ),
  });
}

function readingsOf(store: Store, key: string, from: Millis, to: Millis) {
  return store.history.points(key, from, to).map(({ at, mean }) => ({ at, value: mean }));
}

/** Writes the report whole or not at all, and answers its path. */
export async function writeReport(store: Store, id: string, dataDir: string, hostName: string): Promise<string> {
  const text = renderReport(store, id, hostName);
  if (text === undefined) throw new RangeError(`the log has no incident ${id}`);
  const path = reportPath(dataDir, id);
  const file = await open(`${path}.new`, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  return path;
}
