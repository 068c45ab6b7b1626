import { comparePolicies } from '../../core/compare/compare-policies.ts';
import { followedOn } from '../../core/model/desired.ts';
import type { Observation } from '../../core/observation.ts';
import type { HostConfig } from '../../policy/host-config.ts';
import { WindowCalendar } from '../../policy/window-spans.ts';
import { seal } from '../../server/sealed-file.ts';
import { type ShownPlan, shownPlan } from '../../server/shown-plan.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { read, storedPolicies } from '../host-access.ts';
import { observationFor } from '../observation-for.ts';
import { planOn } from '../offline-host.ts';
import { planMarkdown } from '../plan-markdown.ts';
import { type Subject, subjectOf } from '../plan-subject.ts';
import { planText } from '../plan-text.ts';
import { readObservation } from '../read-sealed.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';
import { writeNew } from './observe.ts';

export type PlanOptions = GlobalOptions & {
  readonly policies?: string;
  readonly rev?: string;
  readonly observation?: string;
  readonly markdown?: boolean;
  readonly out?: string;
  readonly detailedExitcode?: boolean;
};

/** What would be done now, and why: by the policies in force, or by others. */
export async function plan(options: PlanOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  if (options.json === true && options.markdown === true) {
    throw new CliError('either --json or --markdown: one output has one form', EXIT.usage);
  }
  const shown = await planFor(options, terminal, version);
  if (options.json === true) terminal.out(JSON.stringify(shown, null, 2));
  else terminal.out(options.markdown === true ? planMarkdown(shown) : planText(shown, terminal));
  if (options.out !== undefined) {
    writeNew(options.out, JSON.stringify(seal(shown), null, 2));
    terminal.err(`Saved to ${options.out}; on this host \`revertd apply\` does exactly this, if it still fits.`);
  }
  const { points, comparison } = shown;
  const isActing = shown.actions.some((action) => action.sign !== '>');
  const changes = isActing || points.begun.length + points.pruned.length > 0 || (comparison?.changes.length ?? 0) > 0;
  return options.detailedExitcode === true && changes ? EXIT.changes : EXIT.done;
}

async function planFor(options: PlanOptions, terminal: Terminal, version: string): Promise<ShownPlan> {
  const own = configOf(options, terminal, process.env);
  const given = options.observation === undefined ? undefined : readObservation(options.observation, version);
  const config = given === undefined ? own : configAt(own, given);
  const inForce = async () => (given ?? (await read<Observation>(config, 'observation', version))).memory.revision;
  const subject = await subjectOf(options, config, terminal, inForce);
  if (given !== undefined) return await planOnFile(given, subject, config);
  if (subject === undefined) return await read<ShownPlan>(config, 'plan', version);
  return shown(await observationFor(config, subject.policies, version), subject);
}

/** The host's configuration as far as it decides how policies are loaded there. */
function configAt(own: HostConfig, { host }: Observation): HostConfig {
  const { name, labels, variables, adopt, allow } = host;
  return { ...own, host: { name, labels, variables }, adopt, allow };
}

async function planOnFile(given: Observation, subject: Subject | undefined, config: HostConfig): Promise<ShownPlan> {
  const stored = subject === undefined ? await storedPolicies(config) : null;
  const chosen = subject ?? (stored === null ? undefined : { policies: stored });
  if (chosen !== undefined) return shown(given, chosen);
  throw new CliError('which policies? Name them: `--policies FOLDER`, or `--rev REVISION`', EXIT.usage);
}

function shown(observation: Observation, { policies, before }: Subject): ShownPlan {
  const { host, version } = observation;
  const plan = planOn(observation, policies);
  if (plan === null) throw new RangeError('there is no plan without policies');
  const windows = new WindowCalendar().at(policies.windows, observation.at);
  const ground = { desired: followedOn(host, policies), windows };
  const result = shownPlan(plan, ground, host.name, version);
  if (before === undefined) return result;
  const changes = comparePolicies(before, policies);
  return { ...result, comparison: { from: before.revision, to: policies.revision, changes } };
}
