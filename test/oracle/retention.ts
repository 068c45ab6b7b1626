/**
 * Reads `[{policy, timezone, now, times}]` and prints the times that the retention rules keep of each, for comparing
 * with restic. `within` is written as restic writes it: `1y6m2d12h`, where `m` is a month.
 */
import { readFileSync } from 'node:fs';
import { mapValues } from '../../src/core/record.ts';
import { type KeepRules, reasonsToKeep } from '../../src/core/retention/keep-rules.ts';
import { type CalendarSpan, timeZone } from '../../src/core/retention/local-time.ts';

type Question = {
  readonly policy: Omit<KeepRules, 'within'> & { readonly within?: string };
  readonly timezone: string;
  readonly now: string;
  readonly times: readonly string[];
};

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: npm run -s oracle:retention -- FILE.json\n');
  process.exit(64);
}
const questions = JSON.parse(readFileSync(file, 'utf8')) as readonly Question[];
process.stdout.write(`${JSON.stringify(questions.map(kept))}\n`);

function kept({ policy: { within, ...counts }, timezone, now, times }: Question): string[] {
  // Without a rule restic removes nothing; -1 is its word for all.
  if (within === undefined && Object.values(counts).every((count) => count === 0)) return [...times];
  const counted = mapValues(counts, (count) => (count === -1 ? Number.POSITIVE_INFINITY : count));
  const rules: KeepRules = within === undefined ? counted : { ...counted, within: spanOf(within) };
  const instants = times.map((text) => Date.parse(text));
  const reasons = reasonsToKeep(instants, rules, timeZone(timezone), Date.parse(now));
  return times.filter((_text, index) => reasons.has(index)).sort((a, b) => Date.parse(a) - Date.parse(b));
}

function spanOf(text: string): CalendarSpan {
  const parts = /^(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)d)?(?:(\d+)h)?$/.exec(text);
  if (parts === null || text === '') throw new RangeError(`"${text}" is no span such as 1y6m2d12h`);
  const [years = 0, months = 0, days = 0, hours = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return { years, months, days, ms: hours * 3_600_000 };
}
