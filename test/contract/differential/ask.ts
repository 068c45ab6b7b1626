import type { Answer } from './api-answer.ts';
import type { Case } from './cases.ts';
import type { Prometheus } from './prometheus.ts';

/** Questions on their way at a time. */
const AT_ONCE = 8;

/** Prometheus' answers, in the order of the cases. */
export async function askAll(prometheus: Prometheus, cases: readonly Case[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const left = cases.entries();
  const worker = async (): Promise<void> => {
    for (const [index, one] of left) answers[index] = await ask(prometheus, one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

async function ask(prometheus: Prometheus, one: Case): Promise<Answer> {
  // The name it had before Prometheus 3.
  const query = one.query.replaceAll('double_exponential_smoothing', 'holt_winters');
  if (one.kind === 'instant') return await prometheus.instant(query, one.at);
  return await prometheus.range(query, one.from, one.to, one.stepMs);
}
