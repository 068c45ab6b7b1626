import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { INVARIANTS } from '../invariants/registry.ts';
import { REAL_RULES } from '../model/rules.ts';
import { WORLDS } from '../worlds/registry.ts';
import { explore, type Findings, type Limits, NO_LIMITS } from './search.ts';
import { tellViolation } from './tell-path.ts';

export type Job = { readonly world: string; readonly limits: Partial<Limits> };

export type Report = {
  readonly world: string;
  readonly findings: Findings;
  readonly seconds: number;
  /** A violation in words. */
  readonly story: string | null;
};

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread is no window.
if (!isMainThread) parentPort?.postMessage(carryOut(workerData as Job));

function carryOut({ world: name, limits }: Job): Report {
  const known = WORLDS.find((one) => one.name === name);
  if (known === undefined) throw new RangeError(`there is no world "${name}"`);
  const world = { ...known, disturbances: limits.disturbances ?? known.disturbances };
  const begun = performance.now();
  const findings = explore(world, REAL_RULES, INVARIANTS, {
    ...NO_LIMITS,
    ...limits,
    disturbances: world.disturbances,
  });
  const story = findings.violation === null ? null : tellViolation(world, REAL_RULES, findings.violation);
  return { world: name, findings, seconds: (performance.now() - begun) / 1000, story };
}
