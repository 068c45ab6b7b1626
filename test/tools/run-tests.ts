/**
 * Runs test suites, and says at the end how many passed and what was passed over, and why.
 *
 * Usage: node test/tools/run-tests.ts [--no-skips] [SUITE …]; without a SUITE, all that needs no root.
 * Exits 1 if a test failed, if none ran, or, with `--no-skips`, if one was passed over.
 */
import { startVitest, type TestCase, type TestModule } from 'vitest/node';

const WITHOUT_ROOT = ['unit', 'contract', 'e2e'];
const ROOT_SUITE = 'the root suite: it needs root and systemd; `sudo npm run test:root` runs it';

type Tally = { readonly passed: number; readonly failed: readonly string[]; readonly skipped: readonly string[] };

const { noSkips, suites } = readArguments(process.argv.slice(2));
const vitest = await startVitest([], { run: true, watch: false, project: suites });
const tally = count(vitest.state.getTestModules());
const strayFaults = vitest.state.getUnhandledErrors().length;
await vitest.close();

const notRun = suites.includes('root') ? [] : [ROOT_SUITE];
process.stdout.write(report(tally, notRun));
const isGood = tally.failed.length + strayFaults === 0 && tally.passed > 0;
process.exitCode = isGood && !(noSkips && tally.skipped.length > 0) ? 0 : 1;

function readArguments(given: readonly string[]): { noSkips: boolean; suites: string[] } {
  const named = given.filter((argument) => argument !== '--no-skips');
  return { noSkips: named.length < given.length, suites: named.length > 0 ? [...named] : WITHOUT_ROOT };
}

function count(modules: readonly TestModule[]): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  return {
    passed: inState('passed').length,
    failed: [
      ...inState('failed').map(titleOf),
      ...modules.filter(failsAsAWhole).map((module) => module.relativeModuleId),
    ],
    // A test that never came to run, because its file broke off, is as good as skipped.
    skipped: [...inState('skipped'), ...inState('pending')].map((test) => `${titleOf(test)}: ${whySkipped(test)}`),
  };
}

/** A file that cannot be loaded, or whose hooks fail, has no failed test of its own. */
function failsAsAWhole(module: TestModule): boolean {
  return !module.ok() && [...module.children.allTests('failed')].length === 0;
}

function titleOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function whySkipped(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' ? (result.note ?? 'no reason is given') : 'it never came to run';
}

function report({ passed, failed, skipped }: Tally, notRun: readonly string[]): string {
  const lines = [`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`];
  const passedOver = [...skipped, ...notRun];
  if (failed.length > 0) lines.push('Failed:', ...failed.map((title) => `  - ${title}`));
  if (passedOver.length > 0) lines.push('Passed over on this machine:', ...passedOver.map((what) => `  - ${what}`));
  return `\n${lines.join('\n')}\n`;
}
