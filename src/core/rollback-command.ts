import type { EventSpec } from './event.ts';
import { describeRoles } from './incidents/approval-slots.ts';
import { brakeOf, overrideCommand } from './incidents/brakes.ts';
import { conflictSet } from './incidents/conflict-set.ts';
import { estimateOf } from './incidents/duration-key.ts';
import { newIncident } from './incidents/open-incidents.ts';
import type { Brake, Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { isOpen } from './model/incident.ts';
import type { RollbackPolicy, Rung } from './model/policy.ts';
import { describeStep } from './model/step.ts';
import { nearestName } from './nearest-name.ts';
import { CommandError, notFound, refuseBeside, type Situation } from './operator-commands.ts';
import type { Millis } from './units.ts';

export type RollbackRequest = {
  readonly policy: string;
  /** The rung to begin with; without it the first. */
  readonly rung?: string;
  readonly reason: string;
  /** Against cooldown and limit; that is reported. */
  readonly force: boolean;
};

/** A person has a ladder walked, under the same brakes as the daemon. @throws CommandError */
export function beginRollback(situation: Situation, request: RollbackRequest): EventSpec[] {
  const { memory, now, actor } = situation;
  const { policy, index } = ladderOf(situation.desired, request);
  const touched = conflictSet(policy);
  refuseWhileStopped(memory, policy);
  refuseBeside(memory, touched);
  const { reason } = request;
  const brake = brakeOf(policy, touched, memory, now);
  if (brake !== null && !request.force) {
    throw new CommandError('refused', `${brake.reason}; \`${overrideCommand(policy.name)}\` acts all the same`);
  }
  const incident = newIncident(
    { policy, openedBy: [], delayMs: 0, byHand: { actor, reason }, rung: index },
    { revision: situation.desired?.revision ?? '', now, number: memory.nextIncident },
  );
  const overridden: EventSpec[] =
    brake === null ? [] : [{ type: 'brake.overridden', policy: policy.name, brake, actor, reason }];
  return [...overridden, { type: 'incident.opened', incident }];
}

/** What `beginRollback` would do now. */
export type RollbackPreview = {
  readonly policy: string;
  /** Why it would be refused; null if it would not. */
  readonly refused: string | null;
  readonly brake: Brake | null;
  readonly rungs: readonly RungPreview[];
};

export type RungPreview = {
  readonly rung: string;
  readonly steps: readonly string[];
  readonly conditional: boolean;
  readonly approval: string | null;
  readonly loses: boolean;
  readonly estimateMs: Millis | null;
};

/** @throws CommandError when there is no such policy or rung. */
export function previewRollback(
  situation: Omit<Situation, 'actor'>,
  request: Pick<RollbackRequest, 'policy' | 'rung' | 'force'>,
): RollbackPreview {
  const { memory, now, desired } = situation;
  const { policy, index } = ladderOf(desired, request);
  const whole = { ...situation, actor: 'nobody' };
  return {
    policy: policy.name,
    refused: refusalOf(() => beginRollback(whole, { ...request, reason: 'preview' })),
    brake: brakeOf(policy, conflictSet(policy), memory, now),
    rungs: policy.ladder.slice(index).map((rung) => previewRung(memory, policy, rung)),
  };
}

function refusalOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

function previewRung(memory: Memory, policy: RollbackPolicy, rung: Rung): RungPreview {
  return {
    rung: rung.name,
    steps: rung.do.map(describeStep),
    conditional: (rung.when ?? []).length > 0,
    approval: rung.approval === undefined ? null : describeRoles(rung.approval.roles),
    loses: rung.dataLoss !== undefined,
    estimateMs: estimateOf(memory, policy.name, rung.name)?.ms ?? null,
  };
}

function ladderOf(
  desired: Desired | null,
  request: Pick<RollbackRequest, 'policy' | 'rung'>,
): { readonly policy: RollbackPolicy; readonly index: number } {
  const policies = desired?.policies ?? {};
  const policy = policies[request.policy];
  if (policy === undefined) throw notFound('policy', request.policy, Object.keys(policies), 'revertd status');
  if (policy.ladder.length === 0) throw new CommandError('refused', `${policy.name} has no ladder; it only reports`);
  if (request.rung === undefined) return { policy, index: 0 };
  const names = policy.ladder.map(({ name }) => name);
  const index = names.indexOf(request.rung);
  if (index !== -1) return { policy, index };
  const nearest = nearestName(request.rung, names);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  throw new CommandError('notFound', `${policy.name} has no rung ${request.rung}, only ${names.join(', ')}.${hint}`);
}

function refuseWhileStopped(memory: Memory, policy: RollbackPolicy): void {
  if (memory.halt !== null) {
    throw new CommandError(
      'refused',
      `all automatic action is stopped by ${memory.halt.by}; \`revertd resume\` allows it`,
    );
  }
  if (policy.suspend)
    throw new CommandError('refused', `git suspends ${policy.name}; a commit without \`suspend\` allows it`);
  const own = Object.values(memory.incidents).find((one) => isOpen(one) && one.policy.name === policy.name);
  if (own === undefined) return;
  const way =
    own.phase.kind === 'fixing-forward' ? `; \`revertd incidents answer ${own.id} next\` rolls back at once` : '';
  throw new CommandError('refused', `${own.id} is open for ${policy.name} and is ${own.phase.kind}${way}`);
}
