import type { MetricSource, UnitProbe } from '../../../core/model/metric-source.ts';
import { type Systemctl, SystemdError } from '../../../drivers/systemctl.ts';
import type { Outcome, Sampler, SamplerMeans } from '../../sampler.ts';
import { unitStates } from '../unit-states.ts';
import { reporter } from './report.ts';

export function openUnit(source: MetricSource, unit: UnitProbe, means: SamplerMeans): Sampler {
  const report = reporter(source.name, unit.name);
  const { clock, systemctl } = means;
  return {
    target: unit.name,
    timeoutMs: unit.timeoutMs,
    async sample(signal): Promise<Outcome> {
      const begun = clock.elapsed();
      const { state, fault } = await look(systemctl, unit, signal);
      const samples = [
        ...report.ended(fault === undefined ? 1 : 0, clock.elapsed() - begun),
        ...(state === undefined
          ? []
          : unitStates(unit.name, state.activeState, state.type).map(({ name, labels, value }) => ({
              labels: report.series(name, labels),
              value,
            }))),
      ];
      return fault === undefined ? { kind: 'sampled', samples } : { kind: 'failed', samples, fault };
    },
    close: () => {},
  };
}

type Look = {
  readonly state?: { readonly activeState: string; readonly type: string };
  readonly fault?: { readonly code: string; readonly message: string };
};

async function look(systemctl: Systemctl, { name, is }: UnitProbe, signal: AbortSignal): Promise<Look> {
  try {
    const { loadState, activeState, subState, type } = await systemctl.show(name, signal);
    if (loadState === 'not-found') return { fault: { code: 'unit_not_found', message: `there is no unit ${name}` } };
    const state = { activeState, type };
    if (activeState === is) return { state };
    return {
      state,
      fault: { code: 'unit_state', message: `${name} is ${activeState} (${subState}); expected ${is}` },
    };
  } catch (error) {
    if (!(error instanceof SystemdError)) throw error;
    return { fault: { code: `systemd_${error.code}`, message: error.message } };
  }
}
