import { nearestName } from '../../core/nearest-name.ts';
import type { ContainerSummary } from './container-state.ts';
import type { ContainerEngine } from './engine.ts';
import { EngineError } from './engine-error.ts';

/**
 * The container of exactly this name. The engine itself would also take the beginning of another container's id for a
 * name, which may be anybody's. Rejects with EngineError.
 */
export async function findContainer(
  engine: Pick<ContainerEngine, 'list'>,
  name: string,
  signal: AbortSignal,
): Promise<ContainerSummary> {
  const all = await engine.list(signal);
  const found = all.filter((container) => container.name === name);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (second !== undefined) {
    throw new EngineError(
      'noSuchContainer',
      `${found.length} containers are called ${name}; it cannot be told which is meant`,
    );
  }
  const names = all.map((container) => container.name);
  const near = nearestName(name, names);
  const byId = all.find(({ id }) => /^[0-9a-f]{4,}$/.test(name) && id.startsWith(name));
  const hint =
    byId !== undefined
      ? `; it is the beginning of an id: name ${byId.name} instead`
      : near === undefined
        ? ''
        : `; did you mean ${near}?`;
  throw new EngineError('noSuchContainer', `there is no container called ${name}${hint}`);
}
