import type { EvaluateOptions } from '../../src/promql/evaluate.ts';
import { createMemoryStore } from './memory-store.ts';
import { type Outcome, runCase } from './run-case.ts';
import { parseTestFile } from './test-file.ts';

/** What became of one `eval` block, or of a line that is no command. */
export type CaseReport = { readonly line: number; readonly query: string; readonly outcome: Outcome };

/** The modes that Prometheus' own suite assumes. */
const SUITE_OPTIONS: EvaluateOptions = { delayedNameRemoval: true, experimental: true };

/** A comment by which a file asks for the modes that policies get: names dropped at once, nothing experimental. */
const SERVER_DEFAULTS = /^# mode: server defaults$/m;

function optionsFor(content: string): EvaluateOptions {
  return SERVER_DEFAULTS.test(content) ? {} : SUITE_OPTIONS;
}

/** Runs a whole file; loads carry on from block to block until `clear`. */
export function runTestFile(content: string): CaseReport[] {
  const options = optionsFor(content);
  const store = createMemoryStore();
  const reports: CaseReport[] = [];
  for (const command of parseTestFile(content)) {
    switch (command.kind) {
      case 'load':
        for (const { line, reason } of store.load(command.lines, command.stepMs, command.nhcb)) {
          reports.push({
            line: command.line,
            query: line,
            outcome: { kind: 'skipped', reason: `series not read: ${reason}` },
          });
        }
        break;
      case 'clear':
        store.clear();
        break;
      case 'unknown':
        reports.push({
          line: command.line,
          query: command.text,
          outcome: { kind: 'skipped', reason: 'not a command of the format' },
        });
        break;
      case 'eval':
        reports.push({ line: command.line, query: command.query, outcome: runCase(store, command, options) });
        break;
      default:
        command satisfies never;
    }
  }
  return reports;
}
