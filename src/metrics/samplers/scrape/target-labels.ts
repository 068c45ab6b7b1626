import type { Labels } from '../../../promql/series.ts';
import { labelsOf } from '../../labels.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** `job`, `instance` (host:port) and the configured labels, which may replace those two. */
export function targetLabels(source: string, url: URL, configured: Readonly<Record<string, string>>): Labels {
  const instance = `${url.hostname}:${url.port || (DEFAULT_PORTS[url.protocol] ?? '')}`;
  return labelsOf(Object.entries({ job: source, instance, ...configured }));
}

/**
 * A target's own labels go before those it exposes: an exposed `job` becomes `exported_job`, as in Prometheus with
 * `honor_labels: false`. Where that name is taken as well, another `exported_` is put before it.
 */
export function withTargetLabels(exposed: Labels, own: Labels): Labels {
  const clashing = Object.keys(own).filter((name) => Object.hasOwn(exposed, name));
  if (clashing.length === 0) return labelsOf([...Object.entries(exposed), ...Object.entries(own)]);
  const merged = new Map([...Object.entries(exposed), ...Object.entries(own)]);
  for (const name of clashing.sort((a, b) => a.length - b.length)) {
    let free = `exported_${name}`;
    while (merged.has(free)) free = `exported_${free}`;
    merged.set(free, exposed[name] ?? '');
  }
  return labelsOf(merged);
}
