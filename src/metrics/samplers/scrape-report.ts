import type { Millis } from '../../core/units.ts';
import type { Labels } from '../../promql/series.ts';
import type { Sample } from '../batch.ts';
import { labelsOf } from '../labels.ts';

export type Report = (up: 0 | 1, durationMs: Millis, scraped: number) => Sample[];

/** The samples about a sampling itself, under Prometheus' names. */
export function reporter(own: Labels): Report {
  const named = (name: string): Labels => labelsOf([['__name__', name], ...Object.entries(own)]);
  const up = named('up');
  const duration = named('scrape_duration_seconds');
  const samples = named('scrape_samples_scraped');
  return (isUp, durationMs, scraped) => [
    { labels: up, value: isUp },
    { labels: duration, value: durationMs / 1000 },
    { labels: samples, value: scraped },
  ];
}
