import { shortRevision } from '../core/model/revision.ts';
import { type Judgement, judgeSavedPlan } from '../core/plan/saved-plan.ts';
import { describeAction } from '../core/report/describe-event.ts';
import type { HostControl, HostView } from './host-view.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { SealError, unseal } from './sealed-file.ts';
import type { ShownPlan } from './shown-plan.ts';

export type Applied = {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  /** Begun now, in the name of the caller. */
  readonly begun: readonly string[];
  /** The daemon was at it already. */
  readonly underWay: readonly string[];
  readonly done: readonly string[];
  /** What waits for `adopt`; applying a plan takes nothing over. */
  readonly held: number;
};

/** @throws HttpProblem 409 with a stable code, when the plan is not for here and now */
export function applyPlan(view: HostView, control: HostControl, actor: string, content: unknown): Applied {
  const saved = savedPlan(content, view.version);
  refuseForeign(saved, view);
  const judgement = control.applyPlan(actor, (present) => {
    const found = judgeSavedPlan(saved, present, { memory: view.memory(), documents: view.sights() });
    refuseMoved(found);
    return found;
  });
  const texts = (name: 'same' | 'underWay' | 'done'): string[] => judgement[name].map(describeAction);
  return {
    schemaVersion: SCHEMA_VERSION,
    begun: texts('same'),
    underWay: texts('underWay'),
    done: texts('done'),
    held: Object.values(view.memory().holds).filter(({ kind }) => kind === 'adoption').length,
  };
}

function savedPlan(content: unknown, version: string): ShownPlan {
  try {
    return unseal('plan', content, version);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    if (error.code === 'form') throw new HttpProblem(400, 'invalid', error.message);
    throw new HttpProblem(409, `plan.${error.code}`, `the plan is refused: ${error.message}`);
  }
}

function refuseForeign(saved: ShownPlan, view: HostView): void {
  if (saved.host !== view.hostName) {
    const message = `the plan is for ${saved.host}, and this is ${view.hostName}; make one here with \`revertd plan --out FILE\``;
    throw new HttpProblem(409, 'plan.host', message);
  }
  const inForce = view.desired()?.revision ?? null;
  if (saved.revision === inForce) return;
  const now = inForce === null ? 'none is' : `${shortRevision(inForce)} is`;
  const message = `the plan is for revision ${shortRevision(saved.revision)}, and ${now} in force; a revision comes into force by git alone`;
  throw new HttpProblem(409, 'plan.revision', message);
}

function refuseMoved({ moved }: Judgement): void {
  if (moved.length === 0) return;
  const lines = moved.map(({ action, why }) => `\n  ${describeAction(action)}: ${why}`);
  const message = `the ground has moved since the plan was made, and nothing was done:${lines.join('')}\nSee \`revertd plan\`, and save a new one`;
  throw new HttpProblem(409, 'plan.moved', message);
}
