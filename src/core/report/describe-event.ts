import { describeResult } from '../drills/drill-result.ts';
import type { Event } from '../event.ts';
import type { Action } from '../model/action.ts';
import type { Hold } from '../model/hold.ts';
import type { Incident } from '../model/incident.ts';
import { shortRevision } from '../model/revision.ts';
import { describeStep } from '../model/step.ts';
import { describePart, shortCommit } from '../model/target.ts';
import { describePointEvent } from '../points/describe-point-event.ts';
import { formatDuration, formatInstant } from '../units.ts';

/** An event in one line for people; null for those that only move memory. */
export function describeEvent(event: Event): string | null {
  switch (event.type) {
    case 'daemon.started':
      return `revertd ${event.version} started (process ${event.pid})`;
    case 'daemon.stopped':
      return `revertd stopped: ${event.reason}`;
    case 'clock.jumped':
      return `the clock was set by ${formatDuration(event.byMs)}`;
    case 'halt.began':
      return `halted by ${event.halt.by}: ${event.halt.reason}`;
    case 'halt.lifted':
      return 'a person allows automatic action again';
    case 'store.restored':
      return `the store is that of the backup ${event.file} of ${event.host}, taken at ${formatInstant(event.takenAt)} after event ${event.seq}`;
    case 'halt.ended':
      return `resumed after ${formatDuration(event.lastedMs)}`;
    case 'revision.accepted':
      return `revision ${shortRevision(event.revision)} in force${event.subject === null ? '' : `: ${event.subject}`}`;
    case 'revision.refused':
      return `revision ${shortRevision(event.revision ?? '')} refused (${event.code}): ${event.message}`;
    case 'source.unreachable':
      return `policies unreachable (${event.code}): ${event.message}`;
    case 'source.recovered':
      return 'policies reachable again';
    case 'source.consented':
      return `revision ${shortRevision(event.revision)} accepted by a person`;
    case 'trigger.changed': {
      const value = event.memory.value === null ? '' : ` at ${event.memory.value}`;
      return `trigger ${event.trigger}: ${event.from} → ${event.to}${value}`;
    }
    case 'incident.opened':
      return `${event.incident.id} opened for ${event.incident.policy.name}${openingText(event.incident)}`;
    case 'incident.joined':
      return `${event.joined.policy.name} joined: its ladder touches the same things`;
    case 'policy.braked':
      return `${event.policy} fires but may not act: ${event.brake.reason}`;
    case 'policy.unbraked':
      return `${event.policy} is no longer held back`;
    case 'brake.overridden':
      return `${event.actor} has ${event.policy} act although ${event.brake.reason}: ${event.reason}`;
    case 'sampling.troubled':
      return `the sampler ${event.sampler} was in trouble itself: ${event.reason}`;
    case 'incident.paused':
      return 'git suspends the policy: the incident stands still';
    case 'incident.unpaused':
      return `the policy is no longer suspended, after ${formatDuration(event.lastedMs)}`;
    case 'fixForward.worsened':
      return `it got worse: ${event.openedBy.map(({ trigger }) => trigger).join(', ')}; to be mended until ${formatInstant(event.deadlineAt)}`;
    case 'fixForward.ended':
      return `the ladder begins: ${event.reason}`;
    case 'approval.awaited':
      return `rung "${event.name}" waits for approval until ${formatInstant(event.deadlineAt)}`;
    case 'approval.requested':
      return `${event.previous === undefined ? 'approval is asked' : 'approval is asked anew, for what was asked has changed'}: would be lost: ${event.request.loss ?? 'nothing known'} (request ${event.request.digest})`;
    case 'approval.given':
      return `${event.approval.subject} approves${reasonText(event.approval.reason)}`;
    case 'approval.overridden':
      return `${event.approval.subject} decides alone${reasonText(event.approval.reason)}; allowed since ${event.because.join('; ')}`;
    case 'approval.rejected':
      return `${event.approval.subject} rejects rung "${event.name}"${reasonText(event.approval.reason)}`;
    case 'approval.expired':
      return `nobody approved rung "${event.name}" in time; missing: ${event.missing}`;
    case 'window.withheld':
      return `flag ${event.flag} does not become ${event.variant} yet: Window/${event.window}${event.until === null ? '' : ` until ${formatInstant(event.until)}`}`;
    case 'window.passed':
      return `flag ${event.flag} waits for no window any more`;
    case 'step.skipped':
      return `step skipped: ${event.summary}; ${event.reason}`;
    case 'rung.entered':
      return `rung "${event.name}" begins`;
    case 'rung.skipped':
      return `rung "${event.name}" skipped: ${event.reason}`;
    case 'rung.failed':
      return `rung "${event.name}" failed: ${event.reason}`;
    case 'step.started':
      return `step: ${event.summary}`;
    case 'restore.checking':
      return `${event.target} is put back; whether it is intact is asked of its checks`;
    case 'step.finished':
      return `step ${event.result.outcome}: ${event.summary}${event.result.detail === '' ? '' : ` (${event.result.detail})`}`;
    case 'verification.started':
      return `verification begins${event.afterStep === true ? ', for all triggers are clear although a step failed' : ''}; judged from ${formatInstant(event.settleAt).slice(11, 19)}, at the latest at ${formatInstant(event.deadlineAt).slice(11, 19)}`;
    case 'verification.turned':
      return event.good
        ? 'nothing speaks against success any more'
        : `success interrupted: ${event.reasons.join('; ')}`;
    case 'verification.ended':
      return `verification ${event.outcome}: ${event.reasons.join('; ')}`;
    case 'incident.asked':
      return `a person is asked: ${event.reason}`;
    case 'incident.answered':
      return `${event.actor} answers: ${event.answer}`;
    case 'incident.closed':
      return `${event.incident} ${event.outcome}: ${event.reason}`;
    case 'hold.placed':
      return `hold ${event.hold.id}${heldCommit(event.hold)}: ${event.hold.cause}`;
    case 'hold.lifted':
      return `hold ${event.id} lifted: ${event.reason}`;
    case 'place.adopted':
      return `${event.place} taken over${event.live === null ? '' : ` at ${event.live}`}`;
    case 'place.released':
      return `${event.place} released: ${event.reason}`;
    case 'drift.seen':
      return `${event.place} was changed by somebody: ${event.found ?? 'nothing'} instead of ${event.expected}; ${repairText(event)}`;
    case 'drift.gone':
      return `${event.place} is as it should be again`;
    case 'delivery.settled':
      return `${event.document} is as wanted without another write`;
    case 'takeUp.revised':
      return `what makes ${event.document} effective was changed in git: ${event.steps.map(describeStep).join(', ') || 'nothing'}`;
    case 'document.forgotten':
      return `${event.document} is let go: no flag is written there any more`;
    case 'target.moved': {
      const from = event.from === null ? '' : ` from ${shortCommit(event.from.commit)}`;
      return `${event.target} moved${from} to ${shortCommit(event.to.commit)}${event.by === 'others' && event.from !== null ? ', by somebody else' : ''}`;
    }
    case 'target.disturbed':
      return `${event.target} does not prove good: ${event.reason}`;
    case 'target.good':
      return `${event.target} at ${shortCommit(event.revision.commit)} has proved good`;
    case 'target.settled':
      return `${event.target} needs no further attempt`;
    case 'target.withheld':
      return `${event.target} does not go to ${shortCommit(event.commit)} yet: Window/${event.window}${event.until === null ? '' : ` until ${formatInstant(event.until)}`}`;
    case 'target.allowed':
      return `${event.target} waits for no window any more`;
    case 'target.released':
      return `${event.target} released: ${event.reason}`;
    case 'point.begun':
    case 'point.imported':
    case 'point.dropped':
    case 'point.cancelled':
    case 'points.verifyAsked':
    case 'point.pinned':
    case 'point.unpinned':
    case 'points.pruned':
    case 'point.undeleted':
    case 'points.deleted':
    case 'points.pruneRefused':
    case 'points.pruneSettled':
    case 'restore.begun':
    case 'restore.flagsSettled':
    case 'restore.ended':
    case 'schedule.met':
    case 'schedule.served':
    case 'schedule.forgotten':
      return describePointEvent(event);
    case 'drill.started': {
      const { run } = event;
      const by =
        run.cause.kind === 'person' ? `, asked for by ${run.cause.actor}` : `, due at ${formatInstant(run.cause.due)}`;
      return `drill ${event.drill} begins: ${run.rungs.map(({ rung }) => `rung "${rung}"`).join(', ')} of ${run.policy} (${run.mode})${by}`;
    }
    case 'drill.rehearsed':
      return `rehearsed, ${event.item.outcome}: rung "${event.rung}", ${event.item.summary}${event.item.detail === '' ? '' : ` (${event.item.detail})`}`;
    case 'drill.ended':
      return `drill ${event.drill} ${describeResult(event.result)}`;
    case 'drill.forgotten':
      return `drill ${event.drill} is let go: git no longer has it`;
    case 'operation.planned':
      return `planned: ${describeAction(event.operation.action)}`;
    case 'operation.finished':
      return `${event.outcome} in ${formatDuration(event.durationMs)}: ${event.id.slice(0, event.id.lastIndexOf('#'))}${event.detail === '' ? '' : ` (${event.detail})`}`;
    case 'notification.dropped':
      return `message ${event.key} dropped: ${event.reason}`;
    case 'incident.escalated':
      return `escalated to level ${event.level} after ${formatDuration(event.afterMs)}: ${event.notify.join(', ')}`;
    case 'report.written':
      return `report written: ${event.path}`;
    case 'drill.met':
    case 'target.met':
    case 'target.calmed':
    case 'incident.updated':
    case 'incident.realerted':
    case 'operation.running':
    case 'notification.queued':
    case 'triggers.recorded':
    case 'triggers.forgotten':
    case 'incident.forgotten':
      return null;
  }
}

function openingText({ byHand, phase }: Incident): string {
  if (byHand !== undefined) return ` by ${byHand.actor}: ${byHand.reason}`;
  return phase.kind === 'fixing-forward' ? `; to be mended until ${formatInstant(phase.deadlineAt)}` : '';
}

function reasonText(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}

/** What becomes of a drift. */
export function repairText({ repair, repairAt }: { readonly repair: boolean; readonly repairAt?: number }): string {
  if (!repair) return 'it is left alone';
  return repairAt === undefined
    ? 'it is set back'
    : `somebody goes on changing it, so it is set back at ${formatInstant(repairAt)} only`;
}

/** What an action does, in one line for plans and logs. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'deliver':
      return `write ${action.changes
        .map(
          (change) =>
            `${change.entry}: ${change.before === undefined ? '(absent)' : JSON.stringify(change.before)} → ${JSON.stringify(change.after)}`,
        )
        .join(', ')} in ${action.document.path}`;
    case 'takeUp':
    case 'step':
    case 'activate':
      return describeStep(action.step);
    case 'restore': {
      const part = describePart(action.paths, action.rows);
      const to = action.snapshot === undefined ? shortCommit(action.to) : action.to;
      return `move ${part}${action.target.name} to ${to}`;
    }
    case 'capture':
      return `capture ${action.targets.map(({ name }) => name).join(', ')} into ${action.point}`;
    case 'validate':
      return `read ${action.point} again`;
    case 'copy':
      return `copy ${action.point.id} to "${action.copy.name}"`;
    case 'collect':
      return 'delete content that no point needs';
    case 'keep':
      return `keep ${action.commits.length} good revision(s) of ${action.target.name}`;
    case 'rehearse':
      return `rehearse ${action.rungs.map(({ rung }) => `rung "${rung}"`).join(', ')} (${action.mode})`;
    case 'notify':
      return `tell ${action.notifier}: ${action.notification.title}`;
    case 'report':
      return `write the report of ${action.incident}`;
  }
}

/** The content in a quarantine's name is nothing that people could find in git. */
function heldCommit(hold: Hold): string {
  return hold.kind === 'quarantine' ? ` (commit ${shortCommit(hold.commit)})` : '';
}
