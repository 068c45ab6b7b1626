import type { Registry } from 'prom-client';
import type { Evaluation } from '../../core/flags/evaluate-flag.ts';
import { addTally } from '../metric-families.ts';

/** Counts what is asked and answered. Counting is adding to a number; labels are made when somebody reads them. */
export class OfrepMetrics {
  readonly #requests = new Map<number, number>();
  readonly #evaluations = new Map<string, number>();

  onRequest(status: number): void {
    this.#requests.set(status, (this.#requests.get(status) ?? 0) + 1);
  }

  onEvaluation(evaluation: Evaluation): void {
    const reason = evaluation.kind === 'failure' ? 'ERROR' : evaluation.reason;
    this.#evaluations.set(reason, (this.#evaluations.get(reason) ?? 0) + 1);
  }

  register(registry: Registry): void {
    const requests = 'Requests of applications for flags, by the status of the answer';
    addTally(registry, 'revertd_ofrep_requests_total', requests, 'status', this.#requests);
    const evaluations = 'Evaluations of flags, by their reason';
    addTally(registry, 'revertd_flag_evaluations_total', evaluations, 'reason', this.#evaluations);
  }
}
