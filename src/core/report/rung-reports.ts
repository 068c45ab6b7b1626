import type { Event } from '../event.ts';
import { formatDuration } from '../units.ts';

export type RungReport = {
  readonly name: string;
  /** `successful`, `failed`, `skipped`, `inconclusive`, or `under way`. */
  readonly result: string;
  readonly steps: readonly StepReport[];
  /** What the verification found, in words. */
  readonly verification: readonly string[];
};

export type StepReport = {
  readonly text: string;
  readonly outcome: string;
  readonly took: string;
  readonly detail: string;
};

type Draft = { name: string; result: string; steps: StepReport[]; verification: string[] };

/** Each rung that was entered or skipped, with its steps and how its success was judged, in the order of the log. */
export function rungReports(events: readonly Event[]): RungReport[] {
  const rungs: Draft[] = [];
  let startedAt = 0;
  for (const event of events) {
    const rung = rungs.at(-1);
    switch (event.type) {
      case 'rung.entered':
        rungs.push({ name: event.name, result: 'under way', steps: [], verification: [] });
        break;
      case 'rung.skipped':
        rungs.push({ name: event.name, result: 'skipped', steps: [], verification: [event.reason] });
        break;
      case 'step.started':
        startedAt = event.at;
        break;
      case 'step.finished':
        rung?.steps.push({
          text: event.summary,
          outcome: event.result.outcome,
          took: formatDuration(Math.max(0, event.at - startedAt)),
          detail: event.result.detail,
        });
        break;
      case 'verification.ended':
        if (rung === undefined) break;
        rung.result = event.outcome;
        rung.verification.push(...event.reasons);
        break;
      case 'rung.failed':
        if (rung !== undefined && rung.result !== 'inconclusive') rung.result = 'failed';
        break;
      default:
    }
  }
  return rungs;
}
