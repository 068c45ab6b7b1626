import type { Check } from '../../../core/model/check.ts';
import { startDeadline } from '../../deadline.ts';
import { type Systemctl, SystemdError } from '../../systemctl.ts';
import type { CheckAnswer, CheckContext, CheckDriver } from '../check-driver.ts';

type UnitCheck = Extract<Check, { kind: 'unit' }>;
type CheckHost = { readonly systemctl: Pick<Systemctl, 'show' | 'journal'> };

/**
 * Whether a unit is active, inactive or failed. A unit on its way between these is in none of them. While it is not as
 * asked, its last lines in the journal are told where the check wants them.
 */
export function unitCheck(host: CheckHost): CheckDriver<'unit'> {
  return {
    check: async (check, context) => ({ key: check.key, ...(await judge(check, host, context)) }),
  };
}

async function judge(
  check: UnitCheck,
  { systemctl }: CheckHost,
  context: CheckContext,
): Promise<Pick<CheckAnswer, 'outcome' | 'detail'>> {
  const { unit, is, timeoutMs, journalLines } = check;
  const { signal } = startDeadline(context.signal, timeoutMs);
  try {
    const { loadState, activeState, subState } = await systemctl.show(unit, signal);
    if (loadState === 'not-found') return { outcome: 'unknown', detail: `there is no unit ${unit} on this host` };
    const detail = `${unit} is ${activeState} (${subState})`;
    if (activeState === is) return { outcome: 'true', detail };
    const lines = journalLines === undefined ? '' : await systemctl.journal(unit, journalLines, signal);
    const told = lines === '' ? detail : `${detail}\nlast lines of its journal:\n${lines}`;
    return { outcome: 'false', detail: context.secrets.redact(told) };
  } catch (error) {
    if (error instanceof SystemdError) return { outcome: 'unknown', detail: `${unit}: ${error.message}` };
    throw error;
  }
}
