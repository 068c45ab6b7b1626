import { writeFileSync } from 'node:fs';
import type { Observation } from '../../core/observation.ts';
import { describeObservation } from '../../core/observation.ts';
import { SCHEMA_VERSION } from '../../server/schema-version.ts';
import { seal } from '../../server/sealed-file.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { observationFor } from '../observation-for.ts';
import { type SubjectOptions, subjectOf } from '../plan-subject.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type ObserveOptions = GlobalOptions & SubjectOptions & { readonly out?: string };

/** Writes what a decision on this host rests on now, so that it can be planned elsewhere; for other policies too. */
export async function observe(options: ObserveOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  if (options.out === undefined && options.json !== true) {
    throw new CliError('say where to: `revertd observe --out FILE`, or --json for stdout', EXIT.usage);
  }
  const config = configOf(options, terminal, process.env);
  const inForce = async () => (await read<Observation>(config, 'observation', version)).memory.revision;
  const subject = await subjectOf(options, config, terminal, inForce);
  const seen =
    subject === undefined
      ? await read<Observation>(config, 'observation', version)
      : await observationFor(config, subject.policies, version);
  const observation = { ...seen, schemaVersion: SCHEMA_VERSION };
  const text = JSON.stringify(seal(observation), null, 2);
  if (options.json === true) terminal.out(text);
  if (options.out !== undefined) {
    writeNew(options.out, text);
    const documents = Object.keys(observation.documents).length;
    const triggers = Object.keys(observation.memory.triggers).length;
    terminal.err(
      `${options.out}: ${documents} document(s) and ${triggers} trigger(s) ${describeObservation(observation)}.`,
    );
  }
  return EXIT.done;
}

/** Readable by its owner's group too, as the socket is. @throws CliError */
export function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, `${text}\n`, { mode: 0o640 });
  } catch (cause) {
    throw new CliError(
      `${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      EXIT.error,
      { cause },
    );
  }
}
