import type { Check } from '../../../core/model/check.ts';
import { startDeadline } from '../../deadline.ts';
import { type Systemctl, SystemdError } from '../../systemctl.ts';
import type { CheckAnswer, CheckDriver } from '../check-driver.ts';

type UnitCheck = Extract<Check, { kind: 'unit' }>;

/** Whether a unit is active, inactive or failed. A unit on its way between these is in none of them. */
export function unitCheck(host: { readonly systemctl: Pick<Systemctl, 'show'> }): CheckDriver<'unit'> {
  return {
    check: async (check, { signal }) => ({ key: check.key, ...(await judge(check, host.systemctl, signal)) }),
  };
}

async function judge(
  { unit, is, timeoutMs }: UnitCheck,
  systemctl: Pick<Systemctl, 'show'>,
  signal: AbortSignal,
): Promise<Pick<CheckAnswer, 'outcome' | 'detail'>> {
  try {
    const { loadState, activeState, subState } = await systemctl.show(unit, startDeadline(signal, timeoutMs).signal);
    if (loadState === 'not-found') return { outcome: 'unknown', detail: `there is no unit ${unit} on this host` };
    const detail = `${unit} is ${activeState} (${subState})`;
    return { outcome: activeState === is ? 'true' : 'false', detail };
  } catch (error) {
    if (error instanceof SystemdError) return { outcome: 'unknown', detail: `${unit}: ${error.message}` };
    throw error;
  }
}
