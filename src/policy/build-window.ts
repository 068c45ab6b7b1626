import type { Window } from '../core/model/window.ts';
import { type BuildContext, durationAt, fault, valueOrigin } from './build-context.ts';
import { checkTimes } from './build-schedule.ts';
import type { RawDocument, RawWindow } from './raw-documents.ts';
import { spansAround } from './window-spans.ts';

const SHORTEST = { ms: 60_000, text: '1m' };

export function buildWindow(context: BuildContext, { spec, metadata }: RawDocument<RawWindow>): Window {
  refer(context, 'Flag', 'flags', spec.applies?.flags);
  refer(context, 'Target', 'targets', spec.applies?.targets);
  const window: Window = {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    type: spec.type,
    schedule: spec.schedule,
    durationMs: durationAt(context, ['spec', 'duration'], spec.duration, SHORTEST.ms, SHORTEST),
    timezone: spec.timezone ?? 'UTC',
    ...meantBy(spec.applies),
  };
  if (checkTimes(context, window) && spansAround(window, 0).length === 0) {
    const message = `the schedule "${window.schedule}" never comes`;
    fault(context, ['spec', 'schedule'], 'E-SCHEDULE', { message, found: window.schedule });
  }
  return window;
}

function refer(
  context: BuildContext,
  kind: 'Flag' | 'Target',
  key: 'flags' | 'targets',
  names: readonly string[] = [],
): void {
  for (const [index, name] of names.entries()) {
    context.references.push({ kind, name, origin: valueOrigin(context, ['spec', 'applies', key, index]) });
  }
}

/** Names narrow their kind. Where no kinds are listed, names are all that is meant, and without names everything is. */
function meantBy({ kinds, flags, targets }: NonNullable<RawWindow['applies']> = {}): Pick<Window, 'flags' | 'targets'> {
  const hasNames = flags !== undefined || targets !== undefined;
  const all = (kind: 'Flag' | 'Target'): null | readonly string[] =>
    (kinds === undefined ? !hasNames : kinds.includes(kind)) ? null : [];
  return { flags: flags ?? all('Flag'), targets: targets ?? all('Target') };
}
