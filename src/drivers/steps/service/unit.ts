import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceStep, ServiceVerb } from '../../../core/model/step.ts';
import { describeStep } from '../../../core/model/step.ts';
import { formatDuration, type Millis } from '../../../core/units.ts';
import type { Deadline } from '../../deadline.ts';
import { type Systemctl, SystemdError, type UnitProperties } from '../../systemctl.ts';
import { failed, type StepContext, type StepOutcome } from '../step-driver.ts';

const POLL_MS: Millis = 100;
/** Reading the journal of a unit that failed must not take the time of the next rung. */
const JOURNAL_MS: Millis = 5000;
const JOURNAL_LINES = 20;

export type UnitTask = {
  readonly systemctl: Systemctl;
  readonly unit: string;
  readonly verb: ServiceVerb;
  readonly deadline: Deadline;
  readonly context: StepContext;
  readonly step: ServiceStep & { readonly timeoutMs: Millis };
};

/** Done when systemd shows the state that was wanted, not when it took the order. */
export async function performOnUnit(task: UnitTask): Promise<StepOutcome> {
  const { systemctl, unit, verb, deadline, step } = task;
  try {
    const refused = refusal(unit, verb, await systemctl.show(unit, deadline.signal));
    if (refused !== undefined) return refused;
    task.context.log(`asking systemd to ${describeStep(step)}`);
    await systemctl.act(verb, unit, deadline.signal);
    if (verb.kind === 'signal') return { outcome: 'done', detail: describeStep(step) };
    const now = await settle(systemctl, unit, deadline.signal);
    const detail = `${unit} is ${now.activeState} (${now.subState})`;
    return isReached(verb, now) ? { outcome: 'done', detail } : await withJournal(task, 'unitFailed', detail);
  } catch (error) {
    if (error instanceof SystemdError) return await blame(task, error);
    throw error;
  }
}

/** Waits until nothing is queued for the unit and it is in no state of passage; rejects with `stopped` at the deadline. */
export async function settle(systemctl: Systemctl, unit: string, signal: AbortSignal): Promise<UnitProperties> {
  for (;;) {
    if (signal.aborted) throw new SystemdError('stopped', `${unit} had not come to rest`);
    const now = await systemctl.show(unit, signal);
    const isMoving = ['activating', 'deactivating', 'reloading'].includes(now.activeState);
    if (!now.hasJob && !isMoving) return now;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** A oneshot service that ran to its end is inactive again, and that is its success. */
export function isReached(verb: ServiceVerb, now: UnitProperties): boolean {
  switch (verb.kind) {
    case 'stop':
      return now.activeState === 'inactive' || now.activeState === 'failed';
    case 'start':
    case 'restart':
    case 'reload':
      if (now.activeState === 'active') return true;
      return now.type === 'oneshot' && now.activeState === 'inactive' && now.result === 'success';
    case 'signal':
      return true;
  }
}

function refusal(unit: string, verb: ServiceVerb, now: UnitProperties): StepOutcome | undefined {
  switch (now.loadState) {
    case 'not-found':
      return failed('noSuchUnit', `there is no unit ${unit} on this host; systemctl list-unit-files names them all`);
    case 'masked':
      return verb.kind === 'stop'
        ? undefined
        : failed('badUnit', `${unit} is masked; systemctl unmask ${unit} makes it usable`);
    case 'loaded':
    case 'merged':
      if (verb.kind !== 'reload' || now.canReload) return undefined;
      return failed('notSupported', `${unit} cannot be reloaded, for it has no ExecReload=; restart it instead`);
    default:
      return failed('badUnit', `${unit} could not be loaded (${now.loadState}); systemctl status ${unit} says why`);
  }
}

async function blame(task: UnitTask, error: SystemdError): Promise<StepOutcome> {
  switch (error.code) {
    case 'noSystemd':
      return failed('noSystemd', error.message);
    case 'refused':
      return await withJournal(task, 'unitFailed', error.message);
    case 'stopped': {
      const what = describeStep(task.step);
      if (task.deadline.cause() !== 'timedOut')
        return failed('aborted', `${what} was stopped; systemd may go on with it`);
      const text = `${what} was not done after ${formatDuration(task.step.timeoutMs)}; systemd may go on with it`;
      return await withJournal(task, 'timedOut', text);
    }
  }
}

async function withJournal(task: UnitTask, code: 'unitFailed' | 'timedOut', text: string): Promise<StepOutcome> {
  const { secrets, signal } = task.context;
  const lines = await task.systemctl.journal(
    task.unit,
    JOURNAL_LINES,
    AbortSignal.any([signal, AbortSignal.timeout(JOURNAL_MS)]),
  );
  return failed(code, secrets.redact(lines === '' ? text : `${text}\nlast lines of its journal:\n${lines}`));
}
