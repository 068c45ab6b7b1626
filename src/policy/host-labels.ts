import type { RawHosts } from './raw-documents.ts';

type HostLabels = Readonly<Record<string, string>>;

/** Whether something is for a host with these labels; without `hosts` it is for all. */
export function matchesHost(hosts: RawHosts | undefined, labels: HostLabels): boolean {
  return Object.entries(hosts?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

/** Whether one host can have all of these labels at once. */
export function canMeet(left: readonly HostLabels[], right: readonly HostLabels[]): boolean {
  const together = new Map<string, string>();
  for (const [name, value] of [...left, ...right].flatMap((labels) => Object.entries(labels))) {
    if ((together.get(name) ?? value) !== value) return false;
    together.set(name, value);
  }
  return true;
}

/** `role=memory, stage=prod`, for messages. */
export function formatLabels(hosts: RawHosts | undefined): string {
  return Object.entries(hosts?.matchLabels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
