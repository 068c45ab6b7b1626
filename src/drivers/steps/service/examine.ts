import type { Examination } from '../../../core/model/drill.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Systemctl, SystemdError } from '../../systemctl.ts';
import { obstacle, ready, type StepOf, unsure } from '../step-driver.ts';
import { findByPidFile } from './pid-file.ts';

/** Whether the unit is there and may be touched; whether the process in a pidFile is who it should be. */
export async function examineService(
  { allow, systemctl }: { readonly allow: AllowList; readonly systemctl: Systemctl },
  { service, do: verb }: StepOf<'service'>,
  signal: AbortSignal,
): Promise<Examination> {
  if (service.kind === 'pidFile') {
    const found = await findByPidFile(service.path, verb.kind === 'signal' ? verb.signal : '');
    return found.kind === 'found' ? ready(`process ${found.pid} (${found.program}) runs`) : obstacle(found.detail);
  }
  const { unit } = service;
  const refused = allow.mayTouchUnit(unit);
  if (refused !== undefined) return obstacle(refused);
  try {
    const { loadState, activeState, canReload } = await systemctl.show(unit, signal);
    if (loadState === 'not-found') return obstacle(`systemd has no unit ${unit}`);
    if (loadState !== 'loaded') return obstacle(`${unit} is ${loadState}`);
    if (verb.kind === 'reload' && activeState === 'active' && !canReload) return obstacle(`${unit} cannot reload`);
    return ready(`${unit} is ${activeState}`);
  } catch (error) {
    if (!(error instanceof SystemdError)) throw error;
    return error.code === 'stopped' ? unsure(error.message) : obstacle(error.message);
  }
}
