import type { EventSpec } from './event.ts';
import { describeRoles, isComplete, slotsOf } from './incidents/approval-slots.ts';
import { checkFinding } from './incidents/check-finding.ts';
import type { Memory } from './memory.ts';
import type { ApprovalRequest, ApprovalRule, GivenApproval, Person } from './model/approval.ts';
import type { AwaitingPhase, Incident } from './model/incident.ts';
import type { Observed } from './observed.ts';
import { CommandError, openIncident } from './operator-commands.ts';
import { formatInstant, type Millis } from './units.ts';

export type ApprovalSituation = {
  readonly memory: Memory;
  readonly checks: Observed['checks'];
  readonly now: Millis;
  readonly person: Person;
};

export type ApprovalAnswer = {
  /** The rung that is meant, so that nobody agrees to another one by mistake. */
  readonly rung?: string;
  /** The request that was read; one that has changed since is refused. */
  readonly digest?: string;
  readonly reason?: string;
};

/** A person agrees to the rung that the incident waits with. @throws CommandError */
export function approveRung(situation: ApprovalSituation, id: string, answer: ApprovalAnswer): EventSpec[] {
  const asked = askedOf(situation, id, answer);
  const { phase, request, rule } = asked;
  refuseLate(situation, asked);
  const { person } = situation;
  if (phase.given.some(({ subject }) => subject === person.name)) {
    throw refused(`${person.name} has approved already; several slots are for several people`);
  }
  const roles = Object.keys(rule.roles).filter((role) => person.roles.includes(role));
  const approval = approvalBy(situation, roles, answer.reason);
  const before = slotsOf(rule, phase.given);
  const after = slotsOf(rule, [...phase.given, approval]);
  if (after.filled.length === before.filled.length) {
    throw refused(
      `${person.name} ${rolesText(person)}; missing is ${describeRoles(before.missing)}${overrideHint(person, rule)}`,
    );
  }
  return [{ type: 'approval.given', incident: id, digest: request.digest, approval }];
}

/** One person decides alone, where the policy allows it and its checks are true now. @throws CommandError */
export function overrideApproval(situation: ApprovalSituation, id: string, answer: ApprovalAnswer): EventSpec[] {
  const { phase, request, rule } = askedOf(situation, id, answer);
  const { override } = rule;
  const { person } = situation;
  if (override === undefined)
    throw refused(
      `the policy lets nobody decide alone; missing is ${describeRoles(slotsOf(rule, phase.given).missing)}`,
    );
  if (!person.roles.includes(override.role)) {
    throw refused(`only a person with the role ${override.role} may decide alone; ${person.name} ${rolesText(person)}`);
  }
  if (answer.reason === undefined) throw new CommandError('invalid', 'who decides alone says why: --reason TEXT');
  const findings = override.when.map((check) => checkFinding(situation.checks, check, phase.since));
  const against = findings.filter(({ verdict }) => verdict !== 'good');
  if (against.length > 0) {
    throw refused(`nobody may decide alone now, for this is not so: ${against.map(({ text }) => text).join('; ')}`);
  }
  const because = findings.map(({ text }) => text);
  const approval = approvalBy(situation, [override.role], answer.reason);
  const { notify } = override;
  return [{ type: 'approval.overridden', incident: id, digest: request.digest, approval, because, notify }];
}

/** Whoever may agree to a rung may also refuse it: the ladder goes on with the next one. @throws CommandError */
export function rejectRung(situation: ApprovalSituation, id: string, answer: ApprovalAnswer): EventSpec[] {
  const { phase, name, rule } = askedOf(situation, id, answer);
  const { person } = situation;
  const named = [...Object.keys(rule.roles), ...(rule.override === undefined ? [] : [rule.override.role])];
  const roles = named.filter((role) => person.roles.includes(role));
  if (roles.length === 0)
    throw refused(`${person.name} ${rolesText(person)}; to reject it needs one of ${named.join(', ')}`);
  const approval = approvalBy(situation, roles, answer.reason);
  return [{ type: 'approval.rejected', incident: id, rung: phase.rung, name, approval }];
}

type Asked = {
  readonly incident: Incident;
  readonly phase: AwaitingPhase;
  readonly name: string;
  readonly rule: ApprovalRule;
  readonly request: ApprovalRequest;
};

function askedOf({ memory, person }: ApprovalSituation, id: string, answer: ApprovalAnswer): Asked {
  if (!person.isPerson) {
    throw refused(`${person.name} is no person: whoever may use that account can be anybody; use your own`);
  }
  const incident = openIncident(memory, id);
  const { phase } = incident;
  if (phase.kind !== 'awaiting-approval') throw refused(whyNotAwaiting(incident));
  const rung = incident.policy.ladder[phase.rung];
  if (rung?.approval === undefined || phase.request === null) {
    throw refused(`${id} has asked nothing yet: what would be lost is still being counted; try again in some seconds`);
  }
  if (answer.rung !== undefined && answer.rung !== rung.name) {
    throw refused(`${id} waits for the approval of rung "${rung.name}", not of "${answer.rung}"`);
  }
  if (answer.digest !== undefined && answer.digest !== phase.request.digest) {
    throw refused(
      `what ${id} asks has changed since (request ${phase.request.digest}): read it again with \`revertd incidents show ${id}\``,
    );
  }
  return { incident, phase, name: rung.name, rule: rung.approval, request: phase.request };
}

function whyNotAwaiting({ id, phase }: Incident): string {
  if (phase.kind !== 'asking' || phase.about.kind !== 'awaiting-approval') {
    return `${id} waits for no approval: it is ${phase.kind}`;
  }
  return `too late: ${phase.reason}; \`revertd incidents answer ${id} retry\` asks for approval once more`;
}

/** The deadline stands still while everything is halted, or the policy suspended. */
function refuseLate({ memory, now }: ApprovalSituation, { incident, phase, name, rule }: Asked): void {
  const stood = Math.min(memory.halt?.noticedAt ?? now, incident.pausedAt ?? now);
  if (Math.min(now, stood) < phase.deadlineAt || isComplete(slotsOf(rule, phase.given))) return;
  throw refused(`too late: rung "${name}" was to be approved until ${formatInstant(phase.deadlineAt)}`);
}

function approvalBy(
  { person, now }: ApprovalSituation,
  roles: readonly string[],
  reason: string | undefined,
): GivenApproval {
  return { subject: person.name, roles, at: now, reason: reason ?? null };
}

function rolesText({ roles }: Person): string {
  return roles.length === 0
    ? 'has no role on this host (`roles` of its configuration)'
    : `has the roles ${roles.join(', ')}`;
}

function overrideHint(person: Person, { override }: ApprovalRule): string {
  return override !== undefined && person.roles.includes(override.role)
    ? '; in an emergency `--override` lets one person decide alone'
    : '';
}

function refused(message: string): CommandError {
  return new CommandError('refused', message);
}
