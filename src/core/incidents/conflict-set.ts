import type { RollbackPolicy } from '../model/policy.ts';
import { nameDatabase } from '../model/sql-step.ts';
import type { StepSpec } from '../model/step.ts';

/**
 * What the policy's ladder may touch: `flag:NAME`, `target:NAME`, `unit:NAME`, `pidFile:PATH`, `container:NAME`,
 * `compose:FILE`, `file:PATH`, `database:NAME`, `repository:NAME`. Sorted, without repetitions. Which containers belong
 * to a compose file is not known here.
 */
export function conflictSet(policy: RollbackPolicy): string[] {
  const touched = policy.ladder.flatMap((rung) => [...rung.do, ...rung.onFailure].flatMap(objectsOf));
  return [...new Set(touched)].sort();
}

export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.some((object) => b.includes(object));
}

function objectsOf(step: StepSpec): string[] {
  switch (step.kind) {
    case 'setFlag':
      return [`flag:${step.flag}`];
    case 'restore':
      return [`target:${step.target}`];
    case 'service':
      return [step.service.kind === 'unit' ? `unit:${step.service.unit}` : `pidFile:${step.service.path}`];
    case 'container':
      return step.on.kind === 'compose'
        ? [`compose:${step.on.file}`]
        : step.on.names.map((name) => `container:${name}`);
    case 'sql':
      return [`database:${nameDatabase(step.database)}`];
    case 'editFile':
      return [`file:${step.path}`];
    case 'gitCommit':
      return [`repository:${step.repository ?? 'policies'}`];
    case 'http':
    case 'run':
    case 'notify':
    case 'waitFor':
      return [];
  }
}
