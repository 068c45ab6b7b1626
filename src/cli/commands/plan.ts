import type { PolicySet } from '../../core/model/desired.ts';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { answer } from '../../server/api.ts';
import { connect } from '../client.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { storedPolicies } from '../host-access.ts';
import { offlineView } from '../offline-host.ts';
import { planText, type ShownPlan } from '../plan-text.ts';
import { loadForHost, readFolder, readRevision, textIn } from '../policies-of.ts';
import { configOf, type GlobalOptions, socketOf } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type PlanOptions = GlobalOptions & {
  readonly policies?: string;
  readonly rev?: string;
  readonly detailedExitcode?: boolean;
};

/** What would be done now, and why: by the policies in force, or by others. */
export async function plan(options: PlanOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const others = await otherPolicies(options, terminal);
  const client = await connect(socketOf(config));
  const shown =
    client === undefined
      ? await planOffline()
      : await (others === undefined
          ? client.get<ShownPlan>('plan')
          : client.post<ShownPlan>('plan', { policies: others }));
  terminal.out(options.json === true ? JSON.stringify(shown, null, 2) : planText(shown, terminal));
  const changes = shown.actions.some((action) => action.sign !== '>');
  return options.detailedExitcode === true && changes ? EXIT.changes : EXIT.done;

  async function planOffline(): Promise<ShownPlan> {
    const view = await offlineView(config, others ?? (await storedPolicies(config)), version);
    const request = { method: 'GET', path: '/api/v1/plan', query: new URLSearchParams(), body: undefined, actor: '' };
    return answer({ view, control: null }, request) as ShownPlan;
  }
}

async function otherPolicies(options: PlanOptions, terminal: Terminal): Promise<PolicySet | undefined> {
  if (options.policies === undefined && options.rev === undefined) return undefined;
  const config = configOf(options, terminal, process.env);
  const snapshot =
    options.policies === undefined
      ? await readRevision(config, options.rev ?? 'HEAD')
      : await readFolder(options.policies);
  const result = loadForHost(snapshot, config);
  if (result.ok) return result.desired;
  const textOf = options.policies === undefined ? () => undefined : textIn(options.policies);
  throw new CliError(formatDiagnostics(result, { colour: terminal.colour, textOf }), EXIT.error);
}
