import { readFileSync } from 'node:fs';
import type { Observation } from '../core/observation.ts';
import { SealError, type Sealed, unseal } from '../server/sealed-file.ts';
import type { ShownPlan } from '../server/shown-plan.ts';
import { CliError, EXIT } from './exit-code.ts';

/** An observation from a file. @throws CliError */
export function readObservation(path: string, version: string): Sealed<Observation> {
  return told(path, () => unseal('observation', parse(path), version));
}

/** A plan from a file. @throws CliError */
export function readPlan(path: string, version: string): Sealed<ShownPlan> {
  return told(path, () => unseal('plan', parse(path), version));
}

function told<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const code = error.code === 'form' ? EXIT.error : EXIT.refused;
    throw new CliError(`${path}: ${error.message}`, code, { cause: error });
  }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why =
      cause instanceof SyntaxError ? 'it is not JSON' : cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} cannot be read: ${why}`, EXIT.error, { cause });
  }
}
