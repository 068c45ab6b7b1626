import type { Diagnostic } from '../policy/diagnostic.ts';
import { formatDiagnostic } from '../policy/format-diagnostic.ts';
import { explainFailure } from './explain-result.ts';
import type { TestResult } from './run-test.ts';

/** A test, and how long it took in real time. */
export type TimedResult = TestResult & { readonly tookMs: number };

/**
 * A report in the XML that CI servers read (the Ant JUnit task's format): a suite for each file, and one named
 * `policies` for what could not be loaded.
 */
export function junitReport(results: readonly TimedResult[], faults: readonly Diagnostic[]): string {
  const suites = [...Map.groupBy(results, ({ origin }) => origin.file)].map(([file, tests]) => suite(file, tests));
  const broken = faults.length === 0 ? [] : [brokenSuite(faults)];
  return `${['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="revertd test">', ...broken, ...suites, '</testsuites>'].join('\n')}\n`;
}

function suite(file: string, tests: readonly TimedResult[]): string {
  const failed = tests.filter(({ failures }) => failures.length > 0).length;
  const took = tests.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const head = element('testsuite', {
    name: file,
    tests: tests.length,
    failures: failed,
    errors: 0,
    time: seconds(took),
  });
  return [`  ${head}>`, ...tests.map((test) => testCase(file, test)), '  </testsuite>'].join('\n');
}

function testCase(file: string, result: TimedResult): string {
  const { name, origin, failures, tookMs } = result;
  const head = element('testcase', { name, classname: file, file, line: origin.line, time: seconds(tookMs) });
  if (failures.length === 0) return `    ${head}/>`;
  const [first] = failures;
  const text = failures.map((failure) => explainFailure(result, failure).join('\n')).join('\n\n');
  const failure = element('failure', { message: first?.message ?? '', type: 'PolicyTest' });
  return [`    ${head}>`, `      ${failure}>${escapeXml(text)}</failure>`, '    </testcase>'].join('\n');
}

function brokenSuite(faults: readonly Diagnostic[]): string {
  const counts = { tests: faults.length, failures: 0, errors: faults.length, time: seconds(0) };
  const cases = faults.map((fault) => {
    const head = element('testcase', { name: `${fault.file}:${fault.line}`, classname: fault.file, time: seconds(0) });
    const error = element('error', { message: fault.message, type: fault.code });
    return `    ${head}>\n      ${error}>${escapeXml(formatDiagnostic(fault))}</error>\n    </testcase>`;
  });
  return [`  ${element('testsuite', { name: 'policies', ...counts })}>`, ...cases, '  </testsuite>'].join('\n');
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  return `<${name}${pairs.join('')}`;
}

function seconds(spanMs: number): string {
  return (spanMs / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 has no way to write most control characters and lone surrogates; they become U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
