import { describeStep, type ServiceVerb } from '../../../core/model/step.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { type Systemctl, SystemdError } from '../../systemctl.ts';
import { type Fingerprint, failed, type Observation, type StepDriver } from '../step-driver.ts';
import { examineService } from './examine.ts';
import { signalByPidFile } from './pid-file.ts';
import { isReached, performOnUnit, settle } from './unit.ts';

/** Starts, stops, restarts, reloads or signals a systemd unit; signals the process whose number stands in a file. */
export function serviceStep(host: { readonly allow: AllowList; readonly systemctl: Systemctl }): StepDriver<'service'> {
  return {
    describe: describeStep,
    examine: (step, signal) => examineService(host, step, signal),
    prepare: async ({ service }, signal) =>
      service.kind === 'unit' ? await fingerprint(host.systemctl, service.unit, signal) : {},
    perform: async (step, context) => {
      const { service, do: verb } = step;
      if (service.kind === 'unit') {
        const refused = host.allow.mayTouchUnit(service.unit);
        if (refused !== undefined) return failed('notAllowed', refused);
        const deadline = startDeadline(context.signal, step.timeoutMs);
        return await performOnUnit({ systemctl: host.systemctl, unit: service.unit, verb, deadline, context, step });
      }
      if (context.signal.aborted) return failed('aborted', `${describeStep(step)} was stopped before it began`);
      if (verb.kind === 'signal') return await signalByPidFile(service.path, verb.signal);
      return failed(
        'notSupported',
        `a process known by its pidFile can only be signalled; to ${verb.kind}, name a unit`,
      );
    },
    observe: async ({ service, do: verb }, before, signal) => {
      if (verb.kind === 'reload') return 'notDone';
      if (verb.kind === 'signal') return verb.signal === 'SIGHUP' ? 'notDone' : 'unknown';
      if (service.kind === 'pidFile') return 'unknown';
      return await observeUnit(host.systemctl, service.unit, verb, before, signal);
    },
  };
}

/** Empty if systemd cannot be asked: the step itself will then fail and say so. */
async function fingerprint(systemctl: Systemctl, unit: string, signal: AbortSignal): Promise<Fingerprint> {
  try {
    const { invocationId, activeState } = await systemctl.show(unit, signal);
    return { invocationId, activeState };
  } catch (error) {
    if (error instanceof SystemdError) return {};
    throw error;
  }
}

/**
 * A unit that is on its way is waited for: the crash may have left systemd in the middle of what it was asked to do.
 * That a unit was restarted shows in its new invocation. systemd forgets a oneshot that has ended well, and with it
 * whether it ran: running it again may not be safe, so that only its invocation, if still there, is an answer.
 */
async function observeUnit(
  systemctl: Systemctl,
  unit: string,
  verb: ServiceVerb,
  before: Fingerprint,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    const now = await settle(systemctl, unit, signal);
    const previous = invocationOf(before);
    if (verb.kind === 'stop') return isReached(verb, now) ? 'done' : 'notDone';
    if (verb.kind === 'start' && now.activeState === 'active') return 'done';
    const isForgotten = now.type === 'oneshot' && now.invocationId === '';
    if (isForgotten || (previous === undefined && verb.kind === 'restart')) return 'unknown';
    return now.invocationId !== previous && isReached(verb, now) ? 'done' : 'notDone';
  } catch (error) {
    if (error instanceof SystemdError) return 'unknown';
    throw error;
  }
}

function invocationOf(before: Fingerprint): string | undefined {
  const id = before !== null && typeof before === 'object' && 'invocationId' in before && before['invocationId'];
  return typeof id === 'string' ? id : undefined;
}
