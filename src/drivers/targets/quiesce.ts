import type { Target } from '../../core/model/target.ts';
import { type RestoreContext, TargetError } from './target-driver.ts';

/** Does what must be done before a target is touched. Rejects with TargetError `step` when one of it fails. */
export async function mustQuiesce({ quiesce }: Pick<Target, 'quiesce'>, { perform }: RestoreContext): Promise<void> {
  for (const step of quiesce) {
    const done = await perform(step);
    if (done.outcome !== 'done') throw new TargetError('step', done.detail);
  }
}
