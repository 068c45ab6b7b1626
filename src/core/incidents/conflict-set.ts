import type { RollbackPolicy, Rung } from '../model/policy.ts';
import { nameDatabase } from '../model/sql-step.ts';
import type { StepSpec } from '../model/step.ts';

/**
 * What the policy's ladder may touch: `flag:NAME`, `target:NAME`, `unit:NAME`, `pidFile:PATH`, `container:NAME`,
 * `compose:FILE`, `file:PATH`, `database:NAME`, `repository:NAME`. Which containers belong to a compose file is not known
 * here. Nor is what a program or a request touches, so that each stands for itself: `run:ARGV`, `http:METHOD URL`.
 * Sorted, without repetitions.
 */
export function conflictSet(policy: Pick<RollbackPolicy, 'ladder'>): string[] {
  return [...new Set(policy.ladder.flatMap(touchedBy))].sort();
}

/** What one rung may touch. */
export function touchedBy(rung: Rung): string[] {
  return [...rung.do, ...rung.onFailure].flatMap(objectsOf);
}

export function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.some((object) => b.includes(object));
}

function objectsOf(step: StepSpec): string[] {
  switch (step.kind) {
    case 'setFlag':
      return [`flag:${step.flag}`];
    case 'restore':
      return [`target:${step.target}`, ...(step.flags ?? []).map((flag) => `flag:${flag}`)];
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
      return [`http:${step.method} ${step.url}`];
    case 'run':
      return [`run:${step.argv.join(' ')}`];
    // What is only captured is not touched.
    case 'createPoint':
    case 'notify':
    case 'waitFor':
      return [];
  }
}
