import { access } from 'node:fs/promises';
import type { Examination } from '../../../core/model/drill.ts';
import type { AllowList } from '../../allow-list.ts';
import { containersOf } from '../../containers/compose-containers.ts';
import { describeState } from '../../containers/container-state.ts';
import type { ContainerEngine } from '../../containers/engine.ts';
import { EngineError } from '../../containers/engine-error.ts';
import { findContainer } from '../../containers/find-container.ts';
import { obstacle, ready, type StepOf, unsure } from '../step-driver.ts';

type Host = { readonly allow: AllowList; readonly engine: ContainerEngine };
type Step = StepOf<'container'>;

/** Whether the containers, or the compose file, are there and may be touched, and the engine answers. */
export async function examineContainers(host: Host, step: Step, signal: AbortSignal): Promise<Examination> {
  const { on } = step;
  const touched = on.kind === 'compose' ? [on.file] : on.names;
  const refused = touched.map((name) => host.allow.mayTouchContainer(name)).find((reason) => reason !== undefined);
  if (refused !== undefined) return obstacle(refused);
  try {
    return on.kind === 'compose'
      ? await examineProject(host.engine, on, signal)
      : await examineNamed(host.engine, on.names, step.do.kind === 'exec', signal);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return error.code === 'stopped' ? unsure(error.message) : obstacle(error.message);
  }
}

async function examineNamed(
  engine: ContainerEngine,
  names: readonly string[],
  mustRun: boolean,
  signal: AbortSignal,
): Promise<Examination> {
  const states = await Promise.all(
    names.map(async (name) => await engine.inspect((await findContainer(engine, name, signal)).id, signal)),
  );
  const stopped = states.find(({ running }) => !running);
  if (mustRun && stopped !== undefined) return obstacle(`${stopped.name} does not run, so nothing can be run in it`);
  return ready(states.map((state) => `${state.name} is ${describeState(state)}`).join('; '));
}

async function examineProject(
  engine: ContainerEngine,
  on: Extract<Step['on'], { kind: 'compose' }>,
  signal: AbortSignal,
): Promise<Examination> {
  const missing = await access(on.file).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (missing !== undefined) return obstacle(missing);
  await engine.greet(signal);
  const found = containersOf(on, await engine.list(signal));
  return ready(found.length === 0 ? 'it has no containers now' : `it has ${found.map(({ name }) => name).join(', ')}`);
}
