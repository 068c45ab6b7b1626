import { writeFileSync } from 'node:fs';
import { watch as watchFiles } from 'chokidar';
import type { PolicyFile } from '../../core/model/revision.ts';
import { nearestName } from '../../core/nearest-name.ts';
import { formatDuration } from '../../core/units.ts';
import type { Diagnostic } from '../../policy/diagnostic.ts';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { explainFailure, timeLine } from '../../policytest/explain-result.ts';
import { junitReport, type TimedResult } from '../../policytest/junit.ts';
import { type LoadedTests, loadTests, type TestHost } from '../../policytest/load-tests.ts';
import { runTest } from '../../policytest/run-test.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { readFolder, textIn } from '../policies-of.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

export type TestOptions = GlobalOptions & {
  readonly junit?: string;
  readonly watch?: boolean;
  readonly run?: string;
};

/** Runs the PolicyTests of a folder. Exits 1 if one fails, or if a test or a policy is faulty. */
export async function test(folder: string, options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  return options.watch === true ? await watch(folder, options, terminal) : await testOnce(folder, options, terminal);
}

async function testOnce(folder: string, options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const { files } = await readFolder(folder);
  const loaded = loadTests(files, hostOf(options, terminal));
  requireTests(folder, loaded, files, options);
  const results = loaded.tests.filter(({ name }) => isChosen(name, options)).map((one) => timed(() => runTest(one)));
  const faults = loaded.diagnostics.filter(({ severity }) => severity === 'error');
  if (options.junit !== undefined) writeReport(options.junit, junitReport(results, faults));
  if (options.json === true) terminal.out(JSON.stringify(jsonOf(results, loaded), null, 2));
  else show(folder, results, loaded, terminal);
  const failed = results.some(({ failures }) => failures.length > 0);
  return failed || faults.length > 0 ? EXIT.error : EXIT.done;
}

/** Without `--config` a test has no variables but its own. */
function hostOf(options: GlobalOptions, terminal: Terminal): TestHost {
  if (options.config === undefined) return { variables: {}, labels: {} };
  return configOf(options, terminal, process.env).host;
}

function isChosen(name: string, { run }: TestOptions): boolean {
  return run === undefined || name === run;
}

function requireTests(folder: string, loaded: LoadedTests, files: readonly PolicyFile[], options: TestOptions): void {
  if (loaded.diagnostics.some(({ severity }) => severity === 'error')) return;
  if (loaded.names.length === 0) {
    const looked = files.length === 1 ? 'its one file' : `its ${files.length} files`;
    throw new CliError(`${folder} has no PolicyTest (${looked} were looked through; drafts do not count)`);
  }
  if (loaded.names.some((name) => isChosen(name, options))) return;
  const meant = nearestName(options.run ?? '', loaded.names);
  const hint = meant === undefined ? `there are ${loaded.names.slice(0, 10).join(', ')}` : `did you mean ${meant}?`;
  throw new CliError(`there is no PolicyTest ${options.run}; ${hint}`);
}

function timed(run: () => Omit<TimedResult, 'tookMs'>): TimedResult {
  const begun = performance.now();
  return { ...run(), tookMs: performance.now() - begun };
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`the report ${file} cannot be written: ${why}`, undefined, { cause });
  }
}

function show(folder: string, results: readonly TimedResult[], loaded: LoadedTests, terminal: Terminal): void {
  if (loaded.diagnostics.length > 0) {
    terminal.out(formatDiagnostics(loaded, { colour: terminal.colour, textOf: textIn(folder) }));
  }
  for (const result of results) {
    const passed = result.failures.length === 0;
    const verdict = passed ? paint(terminal, 'green', 'pass') : paint(terminal, 'red', 'FAIL');
    terminal.out(`${verdict} ${result.name} ${paint(terminal, 'dim', `(${spanOf(result)}, ${result.origin.file})`)}`);
    for (const failure of result.failures) {
      for (const line of explainFailure(result, failure)) terminal.out(`  ${line}`);
    }
  }
  terminal.err(summary(results, loaded.diagnostics, terminal));
}

function spanOf({ judged, tookMs }: TimedResult): string {
  return `${judged} expectation${judged === 1 ? '' : 's'} in ${formatDuration(tookMs)}`;
}

function summary(results: readonly TimedResult[], diagnostics: readonly Diagnostic[], terminal: Terminal): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const faults = diagnostics.filter(({ severity }) => severity === 'error').length;
  const parts = [
    `${results.length - failed} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(faults === 0 ? [] : [`${faults} fault${faults === 1 ? '' : 's'} in what was loaded`]),
  ];
  return paint(terminal, failed + faults === 0 ? 'green' : 'red', parts.join(', '));
}

function jsonOf(results: readonly TimedResult[], { diagnostics, omitted }: LoadedTests) {
  const tests = results.map((result) => {
    const { name, origin, judged, tookMs } = result;
    const failures = result.failures.map((failure) => {
      const { since: _since, until: _until, ...rest } = failure;
      return { ...rest, timeline: timeLine(result, failure) };
    });
    return { name, origin, passed: failures.length === 0, judged, tookMs, failures };
  });
  const sound = tests.every(({ passed }) => passed) && diagnostics.every(({ severity }) => severity !== 'error');
  return { schemaVersion: 1, passed: sound, tests, diagnostics, omitted };
}

/** Saving a file often takes several steps; tests run once after the last. */
const SETTLED_MS = 100;

/** Runs the tests again whenever a file of the folder changes, until it is interrupted. */
async function watch(folder: string, options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const watcher = watchFiles(folder, {
    ignoreInitial: true,
    ignored: (path, stats) => stats?.isFile() === true && !/\.ya?ml$/.test(path),
  });
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const runSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(() => testAndTell(folder, options, terminal));
    }, SETTLED_MS);
  };
  watcher.on('all', runSoon);
  await testAndTell(folder, options, terminal);
  terminal.err(paint(terminal, 'dim', `watching ${folder}; Ctrl-C ends it`));
  await interrupted;
  clearTimeout(timer);
  await watcher.close();
  await running;
  return EXIT.interrupted;
}

/** While files are being changed there may be nothing to run; that ends nothing. */
async function testAndTell(folder: string, options: TestOptions, terminal: Terminal): Promise<void> {
  try {
    await testOnce(folder, options, terminal);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    terminal.err(error.message);
  }
}
