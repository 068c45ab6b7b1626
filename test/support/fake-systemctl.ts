import { once } from 'node:events';
import { type Systemctl, SystemdError, type UnitProperties, type UnitVerb } from '../../src/drivers/systemctl.ts';

/** How a unit of the fake behaves; `hangs`: its start never comes to an end. */
export type FakeUnit = {
  readonly type: 'simple' | 'oneshot';
  readonly start: 'works' | 'fails' | 'hangs';
  readonly canReload: boolean;
  readonly loadState: 'loaded' | 'masked';
};

/**
 * A service manager in memory, for what a host without systemd cannot show. The suite in `service-suite.ts` holds it and
 * the real one to the same behaviour.
 */
export function createFakeSystemctl(units: Readonly<Record<string, FakeUnit>>): Systemctl {
  const states = new Map<string, UnitProperties>();
  let invocations = 0;
  const show = (name: string): UnitProperties => states.get(name) ?? initial(units[name]);
  const change = (name: string, state: Partial<UnitProperties>) => states.set(name, { ...show(name), ...state });
  const start = async (name: string, unit: FakeUnit, signal: AbortSignal) => {
    invocations += 1;
    change(name, { activeState: 'activating', subState: 'start', invocationId: String(invocations), hasJob: true });
    if (unit.start === 'hangs') {
      if (!signal.aborted) await once(signal, 'abort');
      throw new SystemdError('stopped', 'stopped');
    }
    if (unit.start === 'fails') {
      change(name, { activeState: 'failed', subState: 'failed', result: 'exit-code', hasJob: false });
      throw new SystemdError('refused', `Job for ${name} failed.`);
    }
    if (unit.type === 'oneshot') states.delete(name);
    else change(name, { activeState: 'active', subState: 'running', result: 'success', hasJob: false });
  };
  const act = async (verb: UnitVerb, name: string, signal: AbortSignal) => {
    if (signal.aborted) throw new SystemdError('stopped', 'stopped');
    const unit = units[name];
    if (unit === undefined) throw new SystemdError('refused', `Unit ${name} not found.`);
    if (verb.kind === 'stop') change(name, { activeState: 'inactive', subState: 'dead', hasJob: false });
    if (verb.kind === 'start' && show(name).activeState === 'active') return;
    if (verb.kind === 'start' || verb.kind === 'restart') await start(name, unit, signal);
    if (verb.kind === 'signal' && show(name).activeState !== 'active') {
      throw new SystemdError('refused', `No main process of ${name} to kill`);
    }
  };
  return {
    show: (name) => Promise.resolve(show(name)),
    act,
    journal: (name) => Promise.resolve(units[name]?.start === 'fails' ? 'this is why: hunter22' : ''),
  };
}

function initial(unit: FakeUnit | undefined): UnitProperties {
  return {
    loadState: unit?.loadState ?? 'not-found',
    activeState: 'inactive',
    subState: 'dead',
    result: 'success',
    type: unit?.type ?? '',
    invocationId: '',
    canReload: unit?.canReload ?? false,
    hasJob: false,
    controlGroup: '',
    restarts: 0,
  };
}
