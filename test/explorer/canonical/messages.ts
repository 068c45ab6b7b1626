import type { Memory, OutboxEntry } from '../../../src/core/memory.ts';
import { left, nameOf, type Scope } from './scope.ts';

/** After so many failures the delay grows no more. */
export const MOST_ATTEMPTS = 9;

/** How long a message has waited is left out: none is dropped before a day, and no path is that long. */
export function outboxForm(scope: Scope, outbox: Memory['outbox']): string {
  let form = '';
  for (const key in outbox) {
    const entry = outbox[key];
    if (entry !== undefined) form += `[${messageName(scope, entry)}${retryForm(scope, entry)}]`;
  }
  return form;
}

function messageName(scope: Scope, { notifier, notification }: OutboxEntry): string {
  const { topic, incident, policy, title } = notification;
  return `${notifier}${topic}${incident === undefined ? `${policy}${title}` : nameOf(scope, incident)}`;
}

/** How many were sent within the minute is left out: at one instant of these worlds there are never as many as may be. */
export function pacesForm(scope: Scope, paces: Memory['paces']): string {
  let form = '';
  for (const notifier in paces) form += `${notifier}${left(scope, paces[notifier]?.closedUntil ?? 0)}`;
  return form;
}

export function reportsForm(scope: Scope, owed: Memory['reportsOwed']): string {
  let form = '';
  for (const incident in owed) {
    const retry = owed[incident];
    if (retry !== undefined) form += `${nameOf(scope, incident)}${retryForm(scope, retry)}`;
  }
  return form;
}

function retryForm(
  scope: Scope,
  { attempts, retryAt }: { readonly attempts: number; readonly retryAt: number },
): string {
  return `${Math.min(MOST_ATTEMPTS, attempts)},${left(scope, retryAt)}`;
}
