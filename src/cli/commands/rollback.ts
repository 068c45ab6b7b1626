import type { RollbackPreview, RungPreview } from '../../core/rollback-command.ts';
import { formatDuration } from '../../core/units.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type RollbackOptions = GlobalOptions & {
  readonly rung?: string;
  readonly reason?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
};

/** Walks a ladder by hand, under the brakes that hold for the daemon as well. */
export async function rollback(
  policy: string,
  options: RollbackOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  if (options.dryRun === true) return await preview(policy, options, terminal, version);
  if (options.reason === undefined) throw new CliError('say why: --reason TEXT', EXIT.usage);
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = { reason: options.reason, force: options.force === true, ...rungOf(options) };
  const answer = await client.post<{ incident: string }>(`rollback/${encodeURIComponent(policy)}`, body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`${answer.incident} is open; \`revertd incidents show ${answer.incident}\` shows how it goes.`);
  return EXIT.done;
}

async function preview(
  policy: string,
  options: RollbackOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const query = new URLSearchParams({ ...rungOf(options), ...(options.force === true ? { force: 'true' } : {}) });
  const path = `rollback/${encodeURIComponent(policy)}?${query.toString()}`;
  const found = await read<RollbackPreview>(configOf(options, terminal, process.env), path, version);
  terminal.out(options.json === true ? JSON.stringify(found, null, 2) : previewText(found));
  return found.refused === null ? EXIT.done : EXIT.refused;
}

function rungOf({ rung }: RollbackOptions): { readonly rung?: string } {
  return rung === undefined ? {} : { rung };
}

function previewText({ policy, rungs, brake, refused }: RollbackPreview): string {
  return [
    `Rollback of ${policy}, ${rungs.length} rung(s); each is walked only if the ones before have not helped:`,
    ...rungs.flatMap(rungLines),
    ...(brake === null || refused !== null ? [] : [`Against its brake: ${brake.reason}; that is reported.`]),
    ...(refused === null ? [] : [`It would be refused: ${refused}`]),
  ].join('\n');
}

function rungLines({ rung, steps, conditional, approval, loses, estimateMs }: RungPreview): string[] {
  const notes = [
    ...(conditional ? ['only when its checks are true'] : []),
    ...(approval === null ? [] : [`needs ${approval}`]),
    ...(loses ? ['loses data'] : []),
    ...(estimateMs === null ? [] : [`takes about ${formatDuration(estimateMs)}`]),
  ];
  return [
    `! rung "${rung}"${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`,
    ...steps.map((step) => `    ${step}`),
  ];
}
