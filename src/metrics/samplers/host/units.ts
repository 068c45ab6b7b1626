import { type Systemctl, SystemdError } from '../../../drivers/systemctl.ts';
import type { SamplingFault } from '../../sampler.ts';
import { unitStates } from '../unit-states.ts';
import type { Figure, Roots } from './figure.ts';
import { createUnitUseReader } from './unit-use.ts';

export type UnitsReader = {
  readonly read: (signal: AbortSignal) => Promise<{ readonly figures: Figure[]; readonly faults: SamplingFault[] }>;
};

/** State, restarts, memory and CPU time of each unit. A unit that does not run uses nothing. */
export function createUnitsReader(roots: Roots, names: readonly string[], systemctl: Systemctl): UnitsReader {
  const use = createUnitUseReader(roots);
  const readUnit = async (name: string, signal: AbortSignal): Promise<Figure[]> => {
    const { loadState, activeState, type, controlGroup, restarts } = await systemctl.show(name, signal);
    if (loadState === 'not-found') throw new SystemdError('refused', `there is no unit ${name}`);
    return [
      ...unitStates(name, activeState, type),
      ...(name.endsWith('.service')
        ? [{ name: 'systemd_service_restart_total', labels: { name }, value: restarts }]
        : []),
      ...(controlGroup === '' ? [] : await use.read(name, controlGroup)),
    ];
  };
  return {
    read: async (signal) => {
      const read = await Promise.allSettled(names.map((name) => readUnit(name, signal)));
      const faults = read.flatMap((result, index) =>
        result.status === 'rejected' ? [faultOf(names[index] ?? '', result.reason)] : [],
      );
      return { figures: read.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])), faults };
    },
  };
}

function faultOf(name: string, error: unknown): SamplingFault {
  const why = error instanceof Error ? error.message : String(error);
  const code = error instanceof SystemdError ? `systemd_${error.code}` : 'unit_unreadable';
  return { code, message: `${name}: ${why}` };
}
