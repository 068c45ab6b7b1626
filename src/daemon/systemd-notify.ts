import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tells systemd how the service stands (sd_notify(3)); does nothing elsewhere. Node has no datagram sockets in the UNIX
 * domain, so systemd's own program does it, which needs `NotifyAccess=all` in the unit.
 */
export async function notifySystemd(state: string, environment: Environment): Promise<void> {
  if ((environment['NOTIFY_SOCKET'] ?? '') === '') return;
  await promisify(execFile)('systemd-notify', [state], { timeout: 5_000 });
}

/** Feeds systemd's watchdog for as long as the event loop turns; undefined where the unit has none. */
export function startWatchdog(environment: Environment, onFault: () => void): Disposable | undefined {
  const periodMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
  if (!(periodMs > 0)) return undefined;
  const timer = setInterval(() => {
    notifySystemd('WATCHDOG=1', environment).catch(onFault);
  }, periodMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
