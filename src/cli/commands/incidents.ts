import { formatInstant } from '../../core/units.ts';
import type { IncidentStatus } from '../../server/status.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { daemonOf, read } from '../host-access.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal, table } from '../terminal.ts';
import { write } from './report.ts';

type IncidentDetail = IncidentStatus & { readonly report: string };

export async function incidentsList(options: GlobalOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const answer = await read<{ incidents: IncidentStatus[] }>(
    configOf(options, terminal, process.env),
    'incidents',
    version,
  );
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else if (answer.incidents.length === 0) terminal.err('There was no incident yet.');
  else {
    const rows = answer.incidents.map((one) => [
      one.id,
      formatInstant(one.openedAt),
      one.policy,
      stateText(one),
      one.reason,
    ]);
    terminal.out(
      table([['INCIDENT', 'OPENED', 'POLICY', 'STATE', 'WHY'], ...rows], (cell, _column, row) =>
        row === 0 ? paint(terminal, 'dim', cell) : cell,
      ),
    );
  }
  return EXIT.done;
}

function stateText(incident: IncidentStatus): string {
  return incident.rung === null ? incident.state : `${incident.state} "${incident.rung}"`;
}

export type IncidentReportOptions = GlobalOptions & { readonly html?: boolean; readonly out?: string };

/** The report alone, in Markdown or as a page of its own. */
export async function incidentsReport(
  id: string,
  options: IncidentReportOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const path = `incidents/${encodeURIComponent(id)}/report`;
  const config = configOf(options, terminal, process.env);
  const answer = await read<{ readonly markdown: string; readonly html: string }>(config, path, version);
  const text = options.html === true ? answer.html : answer.markdown;
  write(options.json === true ? JSON.stringify(answer, null, 2) : text, options.out, terminal);
  return EXIT.done;
}

/** The report, which is the timeline as far as it has come. */
export async function incidentsShow(
  id: string,
  options: GlobalOptions,
  terminal: Terminal,
  version: string,
): Promise<ExitCode> {
  const path = `incidents/${encodeURIComponent(id)}`;
  const incident = await read<IncidentDetail>(configOf(options, terminal, process.env), path, version);
  terminal.out(options.json === true ? JSON.stringify(incident, null, 2) : incident.report.trimEnd());
  return EXIT.done;
}

export type ReasonOptions = GlobalOptions & { readonly reason?: string };

export async function incidentsAbort(id: string, options: ReasonOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const answer = await client.post(`incidents/${encodeURIComponent(id)}/abort`, body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`${id} is aborted; what it latched stays until it is lifted (\`revertd holds list\`).`);
  return EXIT.done;
}

export async function incidentsAnswer(
  id: string,
  given: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (given !== 'next' && given !== 'retry' && given !== 'done') {
    throw new CliError(`an answer is next (go on to the next rung), retry or done, not ${given}`, EXIT.usage);
  }
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post(`incidents/${encodeURIComponent(id)}/answer`, { answer: given });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`${id} was answered: ${given}.`);
  return EXIT.done;
}

export type ApprovalOptions = ReasonOptions & { readonly rung?: string; readonly override?: boolean };

/** Agrees to exactly what the incident shows now: if it changes on the way, nothing is agreed. */
export async function incidentsApprove(id: string, options: ApprovalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const path = `incidents/${encodeURIComponent(id)}`;
  const { request } = await client.get<IncidentStatus>(path);
  for (const line of request?.lines ?? []) terminal.err(`  ${line}`);
  const digest = request === null || request.digest === null ? {} : { digest: request.digest };
  const body = { ...answerOf(options), ...digest, ...(options.override === true ? { override: true } : {}) };
  const answer = await client.post(`${path}/approve`, body);
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else
    terminal.err(
      options.override === true ? `${id}: you decided alone; everybody is told.` : `${id} is approved by you.`,
    );
  return EXIT.done;
}

export async function incidentsReject(id: string, options: ApprovalOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await daemonOf(configOf(options, terminal, process.env));
  const answer = await client.post(`incidents/${encodeURIComponent(id)}/reject`, answerOf(options));
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.err(`The rung is rejected; ${id} goes on with the next one.`);
  return EXIT.done;
}

function answerOf({ rung, reason }: ApprovalOptions) {
  return { ...(rung === undefined ? {} : { rung }), ...(reason === undefined ? {} : { reason }) };
}
