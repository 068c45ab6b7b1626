import type { Examination } from '../../../core/model/drill.ts';
import { type CodeTarget, isCodeTarget, revisionOfPrint, type Target } from '../../../core/model/target.ts';
import { ContentError } from '../../../store/content/content-error.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import type { AllowList } from '../../allow-list.ts';
import { obstacle, unsure } from '../../steps/step-driver.ts';
import { type CapturedHost, faultText } from '../captured-target.ts';
import { type RestoreOutcome, type TargetDriver, TargetError, type TargetOrder } from '../target-driver.ts';
import { openCheckout } from './checkout.ts';
import { isMoved, moveCheckout } from './move.ts';
import { captureRevision, diffRevisions, rehearseRevision, revisionIn, verifyRevision } from './points.ts';
import { examineMove, rehearseMove, tidyRehearsal } from './rehearse.ts';
import { fetchTracked, keepRevisions, readCheckout, revisionOf } from './revisions.ts';

/** A checkout, moved between revisions. */
export function gitTarget({ allow }: Pick<CapturedHost, 'allow'>): TargetDriver {
  return {
    read: (target, signal) => readCheckout(codeOf(target).type, signal),
    refresh: async (target, signal) => await explained(() => fetchTracked(codeOf(target).type, signal)),
    examine: async (order, signal) => {
      const target = codeOf(order.target);
      const refused = refusal(allow, target);
      if (refused !== undefined) return obstacle(refused);
      return await found(() => examineMove({ ...order, to: nameOf(order), target }, signal), signal);
    },
    rehearse: async (order, context) =>
      await found(
        () => rehearseMove({ ...order, to: nameOf(order), target: codeOf(order.target) }, context),
        context.signal,
      ),
    tidy: async (target, signal) => void (await found(() => tidyRehearsal(codeOf(target), signal), signal)),
    prepare: async ({ target }, signal) => await headBefore(codeOf(target), signal),
    restore: async ({ paths, ...order }, context) => {
      const target = codeOf(order.target);
      const refused = refusal(allow, target);
      if (refused !== undefined) return { outcome: 'failed', detail: refused };
      return await outcomeOf(async () => {
        const to = await notedName(order, context.store);
        return await moveCheckout({ target, to, paths }, context);
      });
    },
    observe: async ({ paths, ...order }, signal) => {
      const [target, to] = [codeOf(order.target), nameOf(order)];
      try {
        return (await isMoved({ target, to, paths }, signal)) ? 'done' : 'notDone';
      } catch (error) {
        if (error instanceof TargetError) return error.code === 'noRevision' ? 'notDone' : 'unknown';
        throw error;
      }
    },
    keep: (target, states, signal) => keepRevisions(codeOf(target).type, states, signal),
    points: {
      capture: async (target, context) => {
        try {
          return await captureRevision(codeOf(target), context);
        } catch (error) {
          context.store.release(context.operation);
          return { outcome: 'failed', detail: faultText(error) };
        }
      },
      diff: (target, from, to, context) => diffRevisions(codeOf(target), from, to, context),
      verify: (target, snapshot, context) => verifyRevision(codeOf(target), snapshot, context),
      rehearse: (target, snapshot, _folder, context) => rehearseRevision(codeOf(target), snapshot, context),
    },
  };
}

/** What git calls the state that an order goes to. */
function nameOf({ to, snapshot }: Pick<TargetOrder, 'to' | 'snapshot'>): string {
  return snapshot === undefined ? to : revisionOfPrint(snapshot.fingerprint).commit;
}

/** The same, held against what the point has of it. Rejects with TargetError `snapshot`, and with ContentError. */
async function notedName(
  order: Pick<TargetOrder, 'to' | 'snapshot'>,
  store: ContentStore | undefined,
): Promise<string> {
  const { to, snapshot } = order;
  if (snapshot === undefined) return to;
  if (store === undefined) throw new TargetError('snapshot', `the content of ${to} is not at hand`);
  const { commit } = await revisionIn(store, snapshot);
  if (commit === nameOf(order)) return commit;
  throw new TargetError('snapshot', `${to} holds revision ${commit}, and is said to hold ${nameOf(order)}`);
}

function codeOf(target: Target): CodeTarget {
  if (isCodeTarget(target)) return target;
  throw new TypeError(`${target.name} is of type ${target.type.kind}, not git`);
}

async function headBefore({ type }: CodeTarget, signal: AbortSignal): Promise<{ readonly head: string | null }> {
  try {
    const checkout = await openCheckout(type.path, signal);
    return { head: (await revisionOf(checkout, 'HEAD', signal)).commit };
  } catch (error) {
    if (error instanceof TargetError) return { head: null };
    throw error;
  }
}

function refusal(allow: AllowList, { type }: CodeTarget): string | undefined {
  return allow.mayWrite(type.path) ?? (type.publish === undefined ? undefined : allow.mayWrite(type.publish.to));
}

async function outcomeOf(restore: () => Promise<RestoreOutcome>): Promise<RestoreOutcome> {
  try {
    return await restore();
  } catch (error) {
    if (error instanceof TargetError || error instanceof ContentError || isErrno(error)) {
      return { outcome: 'failed', detail: error.message };
    }
    throw error;
  }
}

/** Whatever cannot be done in a rehearsal could not be done in a rollback, unless the rehearsal was stopped. */
async function found(look: () => Promise<Examination>, signal: AbortSignal): Promise<Examination> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof TargetError) && !isErrno(error)) throw error;
    return signal.aborted ? unsure(error.message) : obstacle(error.message);
  }
}

async function explained(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof TargetError) return error.message;
    throw error;
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
