import type { Millis } from '../../../core/units.ts';
import type { Labels } from '../../../promql/series.ts';
import type { Sample } from '../../batch.ts';
import { labelsOf } from '../../labels.ts';

/** What every probe reports, under the names of the Prometheus project's blackbox exporter. */
export type Report = {
  readonly ended: (success: 0 | 1, durationMs: Millis) => Sample[];
  /** A series of the probe with a name, and labels, of its own. */
  readonly series: (name: string, labels?: Readonly<Record<string, string>>) => Labels;
};

/** `instance` is what is probed. */
export function reporter(job: string, instance: string): Report {
  const series = (name: string, labels: Readonly<Record<string, string>> = {}): Labels =>
    labelsOf(Object.entries({ ...labels, job, instance, __name__: name }));
  const success = series('probe_success');
  const duration = series('probe_duration_seconds');
  return {
    ended: (isSuccess, durationMs) => [
      { labels: success, value: isSuccess },
      { labels: duration, value: durationMs / 1000 },
    ],
    series,
  };
}
