import { buildPeriodReport, PERIOD_EVENTS, type PeriodReport } from '../core/report/period-report.ts';
import { formatDuration, LONGEST_DURATION_MS, type Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';
import { pointsSummary } from './points-summary.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

const USUAL_PERIOD_MS: Millis = 7 * 86_400_000;
const SHORTEST_PERIOD_MS: Millis = 60_000;
/** More incidents than anybody reads; the figures count all that are among them. */
const MOST_INCIDENTS = 10_000;

export type PeriodAnswer = PeriodReport & { readonly schemaVersion: typeof SCHEMA_VERSION };

function pointStorage(view: HostView): PeriodAnswer['storage']['points'] {
  const { bytes: content, storedBytes, storeBytes } = pointsSummary(view);
  return { count: Object.keys(view.memory().points).length, content, bytes: storeBytes ?? storedBytes };
}

/** What happened within the last `periodMs`, beside the time of the same length before it. */
export function periodReport(view: HostView, query: URLSearchParams): PeriodAnswer {
  const { store, hostName: host } = view;
  if (store === null) throw new HttpProblem(503, 'noStore', 'there is no log yet');
  const periodMs = Number(query.get('periodMs') ?? USUAL_PERIOD_MS);
  if (!(periodMs >= SHORTEST_PERIOD_MS && periodMs <= LONGEST_DURATION_MS)) {
    const most = formatDuration(LONGEST_DURATION_MS);
    throw new HttpProblem(400, 'invalid', `\`periodMs\` is between ${SHORTEST_PERIOD_MS} and ten years (${most})`);
  }
  const to = view.now();
  const from = to - periodMs;
  const report = buildPeriodReport({
    host,
    from,
    to,
    events: store.events({ types: PERIOD_EVENTS, from: from - periodMs }).map(({ event }) => event),
    incidents: store.incidents(MOST_INCIDENTS).reverse(),
    holds: Object.values(view.memory().holds).map(({ kind, object, since }) => ({ kind, object, since })),
    storage: { ...store.size(), points: pointStorage(view) },
  });
  return { schemaVersion: SCHEMA_VERSION, ...report };
}
