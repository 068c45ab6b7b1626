import { EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

type Audit = { readonly records: number; readonly head: string; readonly brokenAt: number | null };

/** Proves that no event of the log was changed, removed or reordered. */
export async function auditVerify(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const found = await read<Audit>(configOf(options, terminal, process.env), 'audit', version);
  const whole = found.brokenAt === null;
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else if (whole) terminal.out(`${paint(terminal, 'green', 'whole')}: ${found.records} events, head ${found.head}`);
  else
    terminal.out(
      `${paint(terminal, 'red', 'broken')} at event ${found.brokenAt}: it, or one before it, is not what was written`,
    );
  return whole ? EXIT.done : EXIT.error;
}
