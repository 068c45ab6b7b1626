import { setTimeout as delay } from 'node:timers/promises';
import type { Millis } from '../../../core/units.ts';
import { type ContainerState, describeState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { EngineError } from '../../containers/engine-error.ts';

const POLL_MS: Millis = 200;
/** So long a container without a health check has to run. */
export const STEADY_MS: Millis = 1000;

/** The state that a step wants to see. */
export type Wanted = 'up' | 'down' | 'paused';

/** `moving`: it may still come. `failed`: it will not come by itself. */
export type Progress = 'reached' | 'moving' | 'failed';

/**
 * A container with a health check is up when it is healthy. An unhealthy one is waited for: what is slow to start is
 * called so for a while. One that ran to its end with exit code 0 has done what it was started for.
 */
export function progressOf(wanted: Wanted, state: ContainerState): Progress {
  switch (wanted) {
    case 'down':
      return state.running ? 'moving' : 'reached';
    case 'paused':
      return state.paused ? 'reached' : state.running ? 'moving' : 'failed';
    case 'up': {
      if (state.restarting || state.paused) return 'moving';
      if (state.running) return state.health === undefined || state.health === 'healthy' ? 'reached' : 'moving';
      if (state.status === 'created' && state.error === '') return 'moving';
      return state.status !== 'created' && state.exitCode === 0 && state.error === '' ? 'reached' : 'failed';
    }
  }
}

/**
 * Waits until the state is reached, or will not be. One that runs without a health check is up when it still runs
 * `steadyMs` later: what cannot work often ends soon after its start. Rejects with NotSettled at the deadline.
 */
export async function settle(
  engine: Pick<ContainerEngine, 'inspect'>,
  id: string,
  wanted: Wanted,
  signal: AbortSignal,
  steadyMs = STEADY_MS,
): Promise<Settled> {
  let last: ContainerState | undefined;
  let seen: ContainerState | undefined;
  for (;;) {
    const state = await look(engine, id, seen, signal);
    seen = state;
    const progress = progressOf(wanted, state);
    const isSteady = !needsTime(wanted, state) || last?.startedAt === state.startedAt;
    if (progress === 'failed' || (progress === 'reached' && isSteady)) return { progress, state };
    last = progress === 'reached' ? state : undefined;
    await delay(progress === 'reached' ? steadyMs : POLL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new NotSettled(state);
  }
}

/** The deadline may as well come while the engine answers: then what it said before is what is known. */
async function look(
  engine: Pick<ContainerEngine, 'inspect'>,
  id: string,
  seen: ContainerState | undefined,
  signal: AbortSignal,
): Promise<ContainerState> {
  try {
    return await engine.inspect(id, signal);
  } catch (error) {
    if (seen !== undefined && error instanceof EngineError && error.code === 'stopped') throw new NotSettled(seen);
    throw error;
  }
}

export type Settled = { readonly progress: Progress; readonly state: ContainerState };

function needsTime(wanted: Wanted, { running, health }: ContainerState): boolean {
  return wanted === 'up' && running && health === undefined;
}

/** The time ended before the state was reached. */
export class NotSettled extends EngineError {
  readonly state: ContainerState;

  constructor(state: ContainerState) {
    super('stopped', `${state.name} is still ${describeProgress(state)}`);
    this.state = state;
  }
}

/** With what its health check said, or why the engine could not start it. */
export function describeProgress(state: ContainerState): string {
  const health = state.health === undefined || state.health === 'healthy' ? '' : state.healthOutput.slice(-500);
  const why = [state.error, health].filter((text) => text !== '').join('; ');
  return why === '' ? describeState(state) : `${describeState(state)}: ${why}`;
}
