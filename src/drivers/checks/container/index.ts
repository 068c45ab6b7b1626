import type { Check } from '../../../core/model/check.ts';
import type { AllowList } from '../../allow-list.ts';
import { type ContainerState, describeState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { EngineError } from '../../containers/engine-error.ts';
import { findContainer } from '../../containers/find-container.ts';
import { startDeadline } from '../../deadline.ts';
import type { CheckAnswer, CheckContext, CheckDriver } from '../check-driver.ts';

type ContainerCheck = Extract<Check, { kind: 'container' }>;
type Verdict = Pick<CheckAnswer, 'outcome' | 'detail'>;

/**
 * Whether everything that the check names holds of a container. One that does not exist is unknown, as a unit is: it may
 * be a wrong name. So is `healthy` of one without a health check.
 */
export function containerCheck(host: CheckHost): CheckDriver<'container'> {
  return {
    check: async (check, context) => {
      const { container, key } = check;
      const refused = host.allow.mayTouchContainer(container);
      if (refused !== undefined) return { key, outcome: 'unknown', detail: refused };
      const verdict = await judge(check, host.engine, context);
      return { key, ...verdict, detail: context.secrets.redact(verdict.detail) };
    },
  };
}

type CheckHost = { readonly allow: AllowList; readonly engine: ContainerEngine };

async function judge(check: ContainerCheck, engine: ContainerEngine, context: CheckContext): Promise<Verdict> {
  const { signal } = startDeadline(context.signal, check.timeoutMs);
  try {
    const { id } = await findContainer(engine, check.container, signal);
    const state = await engine.inspect(id, signal);
    const verdicts = [
      judgeCondition(check, state),
      judgeExit(check, state),
      judgeRestarts(check, state),
      await judgeImage(check, state, engine, signal),
    ].filter((verdict) => verdict !== undefined);
    const decisive =
      verdicts.find(({ outcome }) => outcome === 'false') ?? verdicts.find(({ outcome }) => outcome === 'unknown');
    return decisive ?? { outcome: 'true', detail: verdicts.map(({ detail }) => detail).join('; ') };
  } catch (error) {
    if (error instanceof EngineError) return { outcome: 'unknown', detail: `${check.container}: ${error.message}` };
    throw error;
  }
}

function judgeCondition({ is, container }: ContainerCheck, state: ContainerState): Verdict | undefined {
  if (is === undefined) return undefined;
  const said = state.health === 'unhealthy' && state.healthOutput !== '' ? `: ${state.healthOutput.slice(-500)}` : '';
  const detail = `${container} is ${describeState(state)}${said}`;
  const runs = state.running && !state.paused && !state.restarting;
  switch (is) {
    case 'running':
      return verdict(runs, detail);
    case 'stopped':
      return verdict(!state.running, detail);
    case 'healthy':
      if (runs && state.health === undefined) {
        return { outcome: 'unknown', detail: `${detail}, and has no health check` };
      }
      return verdict(runs && state.health === 'healthy', detail);
  }
}

function judgeExit({ exitCode, container }: ContainerCheck, state: ContainerState): Verdict | undefined {
  if (exitCode === undefined) return undefined;
  const hasEnded = !state.running && state.status !== 'created';
  return verdict(hasEnded && state.exitCode === exitCode, `${container} is ${describeState(state)}`);
}

function judgeRestarts(
  { restartsBelow, container }: ContainerCheck,
  { restarts }: ContainerState,
): Verdict | undefined {
  if (restartsBelow === undefined) return undefined;
  return verdict(restarts < restartsBelow, `${container} was restarted ${restarts} times`);
}

async function judgeImage(
  { image, container }: ContainerCheck,
  state: ContainerState,
  engine: ContainerEngine,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  if (image === undefined) return undefined;
  if (state.image === image) return verdict(true, `${container} is made of ${image}`);
  const known = await engine.imageDigests(state.image, signal);
  const isIt = known.some((digest) => digest === image || digest.endsWith(`@${image}`));
  return verdict(isIt, `${container} is made of ${[state.image, ...known].join(', ')}`);
}

function verdict(holds: boolean, detail: string): Verdict {
  return { outcome: holds ? 'true' : 'false', detail };
}
