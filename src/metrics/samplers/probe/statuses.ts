/** `200`, `200–299`, `200, 204 or 301–302`: HTTP statuses for people. */
export function formatStatuses(statuses: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const status of [...new Set(statuses)].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && status === run.last + 1) run.last = status;
    else runs.push({ first: status, last: status });
  }
  const texts = runs.map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`));
  const final = texts.pop() ?? 'no status';
  return texts.length === 0 ? final : `${texts.join(', ')} or ${final}`;
}
