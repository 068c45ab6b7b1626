import { writeFileSync } from 'node:fs';

/** Where memory is short, a process that only looks goes first, and not what the host is there for. */
export function giveWay(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Without /proc it is one process like any other.
  }
}
