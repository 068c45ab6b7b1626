import { join, resolve } from 'node:path';
import { STORE_FILE } from '../../store/database.ts';
import type { ChainFault, ChainVerdict } from '../../store/verify-chain.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { read } from '../host-access.ts';
import { fileHeads, journalHeads } from '../journal-heads.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

export type AuditOptions = GlobalOptions & {
  readonly head?: readonly string[];
  /** True: systemd's journal. */
  readonly journal?: string | true;
};

/** Proves that no event of the log was changed, removed or reordered, up to the newest head that was kept elsewhere. */
export async function auditVerify(options: AuditOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const heads = [...(options.head ?? []), ...(await keptHeads(options))];
  const query = new URLSearchParams();
  for (const head of heads) query.append('head', head);
  const found = await read<ChainVerdict>(config, `audit?${query.toString()}`, version);
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else for (const line of verdictLines(found, join(resolve(config.dataDir), STORE_FILE), terminal)) terminal.out(line);
  return found.brokenAt === null ? EXIT.done : EXIT.error;
}

async function keptHeads({ journal }: AuditOptions): Promise<string[]> {
  if (journal === undefined) return [];
  return journal === true ? await journalHeads() : await fileHeads(journal);
}

function verdictLines(found: ChainVerdict, file: string, terminal: Terminal): string[] {
  const { records, head, faults, confirmed, superseded } = found;
  const restored =
    superseded === 0
      ? []
      : [`${superseded} heads are of what a backup was restored over; see \`store.restored\` in the events`];
  if (faults.length === 0) {
    const outside = confirmed === 0 ? '' : `; ${confirmed} heads from elsewhere are in it`;
    return [`${paint(terminal, 'green', 'whole')}: ${records} events, head ${records}:${head}${outside}`, ...restored];
  }
  return [
    ...faults.map((fault) => `${paint(terminal, 'red', 'broken')} at event ${fault.from}: ${describeFault(fault)}`),
    ...restored,
    `Copy ${file} away before anything else, with what says when it was written (ls -l, the journal, who was logged in):`,
    'it is the evidence. A backup from before (`revertd backup restore`) has the log as it was; what revertd does rests on the',
    'file, so look at `revertd holds` and `revertd incidents` before you trust them.',
  ];
}

function describeFault({ kind, from, to }: ChainFault): string {
  const events = from === to ? `event ${from}` : `events ${from} to ${to}`;
  switch (kind) {
    case 'missing':
      return `${events} ${from === to ? 'is' : 'are'} not there`;
    case 'altered':
      return `${events}: what stands there is not what was written, or not in that place`;
    case 'cut':
      return `${events} ${from === to ? 'was' : 'were'} there and ${from === to ? 'is' : 'are'} gone: the end was cut off, or an older file was put in its place`;
    case 'rewritten':
      return `the log was written anew: somewhere in ${events} another log begins than the one that this head was of`;
  }
}
