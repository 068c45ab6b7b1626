/**
 * Runs every `.test` file of a folder in the modes of Prometheus' own suite, and prints per file what passed, failed and
 * was skipped, with reasons. The last line is `N passed, N failed, N skipped`; exits 0 only if nothing failed.
 * Usage: npm run -s conformance -- DIR
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseReport, runTestFile } from './run-file.ts';

type Tally = { passed: number; failed: number; skipped: number };

function run(folder: string): number {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.test')) : [];
  for (const name of files.sort()) {
    const reports = runTestFile(readFileSync(join(folder, name), 'utf8'));
    printFile(name, reports);
    for (const { outcome } of reports) total[outcome.kind] += 1;
  }
  if (files.length === 0) process.stdout.write(`no .test file in ${folder}\n`);
  process.stdout.write(`${describe(total)}\n`);
  return total.failed > 0 || files.length === 0 ? 1 : 0;
}

function printFile(name: string, reports: readonly CaseReport[]): void {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of reports) tally[outcome.kind] += 1;
  process.stdout.write(`${name}: ${describe(tally)}\n`);
  for (const { line, query, outcome } of reports) {
    if (outcome.kind === 'failed') process.stdout.write(`  failed  line ${line}: ${query}: ${outcome.reason}\n`);
  }
  const reasons = Map.groupBy(
    reports.flatMap(({ line, outcome }) => (outcome.kind === 'skipped' ? [{ line, ...outcome }] : [])),
    (one) => one.reason,
  );
  for (const [reason, skipped] of reasons) {
    process.stdout.write(
      `  skipped ${skipped.length}: ${reason} (lines ${skipped.map(({ line }) => line).join(', ')})\n`,
    );
  }
}

function describe({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: npm run -s conformance -- DIR\n');
  process.exitCode = 2;
} else {
  process.exitCode = run(folder);
}
