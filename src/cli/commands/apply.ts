import type { Applied } from '../../server/apply-plan.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf } from '../host-access.ts';
import { readPlan } from '../read-sealed.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

/** Has the daemon do what a saved plan says, if that is still the same. */
export async function apply(
  path: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const plan = readPlan(path, version);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const applied = await client.post<Applied>('apply', { plan });
  if (options.json === true) {
    terminal.out(JSON.stringify(applied, null, 2));
    return EXIT.done;
  }
  for (const [title, texts] of [
    ['Begun', applied.begun],
    ['Under way already', applied.underWay],
    ['Done already', applied.done],
  ] as const) {
    for (const text of texts) terminal.out(`${title}: ${text}`);
  }
  if (applied.begun.length + applied.underWay.length + applied.done.length === 0) {
    terminal.err('The plan changes nothing on the host.');
  }
  if (applied.held > 0)
    terminal.err(`${applied.held} hold(s) wait for \`revertd adopt\`; applying a plan adopts nothing.`);
  return EXIT.done;
}
