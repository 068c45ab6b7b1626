import type { Plan } from '../../core/plan/plan.ts';
import { describeAction, describeEvent } from '../../core/report/describe-event.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { createLog, type Log } from '../../daemon/log.ts';
import { notifySystemd, startWatchdog } from '../../daemon/systemd-notify.ts';
import { tellHeads } from '../../daemon/tell-heads.ts';
import { createSecretResolver, SecretError } from '../../drivers/secrets.ts';
import type { HostConfig } from '../../policy/host-config.ts';
import { tokensOf } from '../../server/access.ts';
import { type Faces, openFaces } from '../../server/faces.ts';
import { ListenError } from '../../server/listen.ts';
import { StoreError } from '../../store/store-error.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { configOf, type GlobalOptions, socketOf } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type RunOptions = GlobalOptions & {
  readonly policies?: string;
  readonly once?: boolean;
  readonly dryRun?: boolean;
};

const ONCE_PATIENCE_MS = 60_000;

/** The daemon, until it is told to stop; `--once` until there is nothing left to do. */
export async function run(options: RunOptions, terminal: Terminal, version: string): Promise<ExitCode> {
  const config = withSource(configOf(options, terminal, process.env), options.policies);
  if (config.source === null) {
    throw new CliError(
      'there is nothing to follow: name a repository with --policies, or `source: {url: …}` in the configuration',
      EXIT.usage,
    );
  }
  const log = createLog(config.log.level, process.env);
  const ended = Promise.withResolvers<ExitCode>();
  const daemon = openDaemon(config, options, version, log, (error) => {
    log.fatal({ err: error }, 'revertd cannot go on');
    ended.resolve(EXIT.error);
  });
  narrate(daemon, log);
  if (options.dryRun === true) daemon.observe({ onPlan: announcePlans(terminal) });
  if (options.once === true)
    daemon.observe({ onPlan: (plan) => settleOnce(daemon, plan, () => ended.resolve(EXIT.done)) });
  // From before anybody can reach it: who is asked to end while it begins still ends in order.
  listenToSignals(daemon, log, ended.resolve);
  const faces = await openFacesOf(daemon, log, config);
  await daemon.start();
  log.info({ data: daemon.dataDir, source: daemon.feed?.state.source, port: faces.port }, 'revertd runs');
  await notifySystemd('READY=1', process.env);
  const heads = tellHeads(daemon.store, log);
  const watchdog = startWatchdog(process.env, () => daemon.reconciler.wake());
  const patience = options.once === true ? setTimeout(() => ended.resolve(EXIT.partial), ONCE_PATIENCE_MS) : undefined;
  const code = await ended.promise;
  clearTimeout(patience);
  await notifySystemd('STOPPING=1', process.env);
  watchdog?.[Symbol.dispose]();
  heads[Symbol.dispose]();
  await faces.close();
  await daemon.stop(code === EXIT.interrupted ? 'interrupted' : 'asked to');
  heads.say();
  return code;
}

async function openFacesOf(daemon: Daemon, log: Log, config: HostConfig): Promise<Faces> {
  try {
    const tokens = await tokensOf(config.server, createSecretResolver(process.env).resolve);
    return await openFaces({ daemon, log, socket: socketOf(config), server: config.server, tokens });
  } catch (error) {
    await daemon.stop('it cannot be reached');
    if (error instanceof ListenError || error instanceof SecretError)
      throw new CliError(error.message, EXIT.error, { cause: error });
    throw error;
  }
}

function openDaemon(
  config: HostConfig,
  options: RunOptions,
  version: string,
  log: Log,
  onFault: (error: unknown) => void,
): Daemon {
  try {
    return new Daemon({ config, version, log, environment: process.env, dryRun: options.dryRun === true, onFault });
  } catch (error) {
    if (error instanceof StoreError) {
      throw new CliError(error.message, error.code === 'locked' ? EXIT.locked : EXIT.error, { cause: error });
    }
    throw error;
  }
}

function withSource(config: HostConfig, policies: string | undefined): HostConfig {
  if (policies === undefined) return config;
  // Branch and folder of the configuration belong to the repository that is named there.
  return { ...config, source: { intervalMs: config.source?.intervalMs ?? 30_000, url: policies } };
}

/** What happens, as log lines; what only moves memory is not told. */
function narrate(daemon: Daemon, log: Log): void {
  daemon.observe({
    onEvents(events, actor) {
      for (const event of events) {
        const text = describeEvent(event);
        if (text === null) continue;
        const { at: _at, type } = event;
        log.info({ event: type, ...(actor === 'revertd' ? {} : { actor }) }, text);
      }
    },
  });
}

/** In a dry run each action is told once, when it first becomes due. */
function announcePlans(terminal: Terminal): (plan: Plan) => void {
  const told = new Set<string>();
  return (plan) => {
    for (const action of plan.actions) {
      if (told.has(action.key)) continue;
      told.add(action.key);
      terminal.out(`${new Date(plan.at).toISOString()} would ${describeAction(action)} — ${action.reason}`);
    }
  };
}

function settleOnce(daemon: Daemon, plan: Plan, finish: () => void): void {
  const busy = plan.actions.length > 0 || Object.keys(daemon.reconciler.memory.operations).length > 0;
  const wasRead = daemon.feed?.state.readAt !== null;
  if (plan.complete && wasRead && !busy) finish();
}

function listenToSignals(daemon: Daemon, log: Log, end: (code: ExitCode) => void): void {
  let asked = false;
  const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (asked) process.exit(EXIT.interrupted);
    asked = true;
    log.info({ signal }, 'stopping; what is being applied may finish, a second signal ends at once');
    end(signal === 'SIGINT' ? EXIT.interrupted : EXIT.done);
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGHUP', () => daemon.feed?.hint());
}
