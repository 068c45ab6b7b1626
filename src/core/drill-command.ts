import { type DrillGround, plannedRun } from './drills/plan-drill.ts';
import { drillBlocker } from './drills/settle-drills.ts';
import type { EventSpec } from './event.ts';
import type { DrillRunId } from './model/drill.ts';
import { CommandError, notFound } from './operator-commands.ts';

/** A person has a drill run now, whatever its schedule says. @throws CommandError */
export function beginDrill(
  ground: DrillGround,
  name: string,
  actor: string,
): { readonly run: DrillRunId; readonly events: readonly EventSpec[] } {
  const drills = ground.desired.drills ?? {};
  const drill = drills[name];
  if (drill === undefined) throw notFound('drill', name, Object.keys(drills), 'revertd drills list');
  if (drill.suspend) {
    throw new CommandError('refused', `git suspends ${name}; a commit without \`suspend\` allows it`);
  }
  const blocker = drillBlocker(ground.memory);
  if (blocker !== null) throw new CommandError('refused', `no drill begins now: ${blocker}`);
  const run = plannedRun(ground, drill, { kind: 'person', actor });
  if (run === undefined)
    throw new CommandError('refused', `git has no policy ${drill.policy}, which ${name} rehearses`);
  return { run: run.id, events: [{ type: 'drill.started', drill: name, run }] };
}
