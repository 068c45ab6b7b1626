import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Examination } from '../../../core/model/drill.ts';
import { describeStep, type Step } from '../../../core/model/step.ts';
import { type CodeTarget, shortCommit } from '../../../core/model/target.ts';
import { obstacle, ready, unsure } from '../../steps/step-driver.ts';
import { checkRehearsed, type Relocation } from '../relocated-check.ts';
import type { RehearsalContext, TargetOrder } from '../target-driver.ts';
import { type Checkout, openCheckout, ownFolder } from './checkout.ts';
import { clearFolder, inOwnFolder, missingPaths, refuseObstacles } from './move.ts';
import { revisionOf } from './revisions.ts';

/** Within revertd's own folder of the checkout. */
const FOLDER = 'drill';

type CodeOrder = TargetOrder & { readonly target: CodeTarget };

/** Whether the revision is there, and nothing stands in its way. Rejects with TargetError. */
export async function examineMove({ target, to, paths }: CodeOrder, signal: AbortSignal): Promise<Examination> {
  const checkout = await openCheckout(target.type.path, signal);
  const wanted = await revisionOf(checkout, to, signal);
  const missing = await missingPaths(checkout, wanted, paths, signal);
  if (missing !== undefined) return obstacle(missing);
  if (paths.length === 0) await refuseObstacles(checkout, wanted, signal);
  const changed = await checkout.git(['diff', '--name-only', 'HEAD', wanted.commit], signal);
  const files = changed === '' ? 0 : changed.split('\n').length;
  return ready(`${shortCommit(wanted.commit)} is there and ${files} file(s) of it differ from what is in place`);
}

/**
 * The last good revision is checked out and built where builds are made, beside the checkout in use: same file system,
 * same owner, same rights. Nothing is moved, published, stopped or activated. Rejects with TargetError.
 */
export async function rehearseMove({ target, to }: CodeOrder, context: RehearsalContext): Promise<Examination> {
  const { signal } = context;
  const checkout = await openCheckout(target.type.path, signal);
  const wanted = await revisionOf(checkout, to, signal);
  return await inOwnFolder(checkout, { name: FOLDER, commit: wanted.commit, signal }, async (within) => {
    const built = await build(target, within, context);
    if (built !== undefined) return built;
    const places = await publish(target, checkout, within, context);
    const made = `${shortCommit(wanted.commit)} was checked out and built`;
    return await checkRehearsed(
      target.checks,
      [...places, { live: target.type.path, scratch: within }],
      made,
      context.ask,
    );
  });
}

/** What keeps the build from being rehearsed, or ends it; undefined if it was built. */
async function build(
  { type }: CodeTarget,
  within: string,
  context: RehearsalContext,
): Promise<Examination | undefined> {
  for (const step of type.build) {
    const placed = inPlace(step, context.operation);
    if (placed === undefined) return unsure(`not rehearsed: ${describeStep(step)} does not keep to the build's folder`);
    const done = await context.perform(placed, within);
    if (context.signal.aborted) return unsure(done.detail);
    if (done.outcome !== 'done') return obstacle(done.detail);
  }
  return undefined;
}

/** Only a program that runs in the build's folder is at home there; anything else would reach what is live. */
function inPlace(step: Step, operation: string): Step | undefined {
  if (step.kind === 'waitFor') return step;
  if (step.kind !== 'run' || step.cwd !== undefined) return undefined;
  return { ...step, env: { ...step.env, REVERTD_DRILL: operation } };
}

/** What would be published is copied as it would be then, and stands where checks find it. Rejects where it is not there. */
async function publish(
  { type }: CodeTarget,
  checkout: Checkout,
  within: string,
  { folder, log }: RehearsalContext,
): Promise<readonly Relocation[]> {
  if (type.publish === undefined) return [];
  const release = join(folder, basename(type.publish.to));
  await cp(join(within, type.publish.from), release, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  });
  log(`the release of ${checkout.top} was made in ${release}`);
  return [{ live: type.publish.to, scratch: release }];
}

/** What a build left of itself that a kill had ended. */
export async function tidyRehearsal({ type }: CodeTarget, signal: AbortSignal): Promise<Examination> {
  const checkout = await openCheckout(type.path, signal);
  await clearFolder(checkout, join(ownFolder(checkout), FOLDER), signal);
  return ready('nothing is left');
}
