import { type ApprovalSituation, approveRung, overrideApproval, rejectRung } from '../core/approval-commands.ts';
import { beginDrill } from '../core/drill-command.ts';
import { followedOn, type PolicySet } from '../core/model/desired.ts';
import {
  abortIncident,
  adopt,
  answerIncident,
  CommandError,
  liftHold,
  overrideFlag,
  type Situation,
} from '../core/operator-commands.ts';
import { beginRestore } from '../core/points/manual-restores.ts';
import {
  cancelPoint,
  pinPoint,
  prunePoint,
  prunePointsNow,
  takePoint,
  undeletePoint,
  unpinPoint,
  verifyPoints,
} from '../core/points/point-commands.ts';
import { beginRollback } from '../core/rollback-command.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { removeHalt, writeHalt } from '../daemon/halt-file.ts';
import { explore } from '../daemon/observe/explore.ts';
import { renderReport } from '../daemon/reports.ts';
import type { Caller } from './caller-proof.ts';
import type { HostControl, HostView } from './host-view.ts';
import { personOf } from './person-of.ts';

/** A running daemon, as the handlers see it. */
export function viewOf(daemon: Daemon): HostView {
  return {
    live: true,
    hostName: daemon.hostName,
    version: daemon.version,
    now: () => daemon.now(),
    startedAt: daemon.startedAt,
    desired: () => daemon.reconciler.desired,
    memory: () => daemon.reconciler.memory,
    sights: () => daemon.documents.sights,
    targetSights: () => daemon.reconciler.observed.targets,
    sources: () => daemon.sourceConditions(),
    feed: () => daemon.feed?.state ?? null,
    plan: (policies?: PolicySet) =>
      daemon.reconciler.preview(policies === undefined ? undefined : followedOn(daemon.rules, policies)),
    conditions: () => daemon.reconciler.present?.conditions ?? [],
    observe: () => daemon.observation(),
    windows: () => daemon.reconciler.observed.windows,
    drills: () => daemon.reconciler.observed.drills,
    schedules: () => daemon.reconciler.observed.schedules,
    storeBytes: () => daemon.storeBytes,
    copy: () => daemon.copy?.state ?? null,
    store: daemon.store,
    query: (request) => explore(daemon.samples, request),
    coverage: (query) => daemon.evaluator.coverage(query, daemon.now()),
    report: (incident) => renderReport(daemon.store, incident, daemon.hostName),
    mergePhase: (target) => daemon.mergePhases.get(target),
    pointProgress: (point) => daemon.pointProgress.get(point),
    diffPoint: (request) => daemon.diffPoint(request),
    backupProgress: () => daemon.backupProgress,
  };
}

/** Each command becomes events of the person who gave it. */
export function controlOf(daemon: Daemon): HostControl {
  const situation = (actor: string): Situation => ({
    desired: daemon.reconciler.desired,
    memory: daemon.reconciler.memory,
    now: daemon.now(),
    actor,
  });
  const asked = (caller: Caller): ApprovalSituation => ({
    memory: daemon.reconciler.memory,
    checks: daemon.reconciler.observed.checks,
    now: daemon.now(),
    person: personOf(caller, daemon.roles),
  });
  return {
    liftHold: (actor, id, reason) => daemon.record(actor, ...liftHold(situation(actor), id, reason)),
    adopt(actor, object) {
      const events = adopt(situation(actor), object);
      if (events.length > 0) daemon.record(actor, ...events);
      return events.filter((event) => event.type === 'hold.lifted').length;
    },
    acceptRevision(actor, revision) {
      if (daemon.feed === null) throw new CommandError('refused', 'this daemon follows no source');
      if (!/^[0-9a-f]{40}([0-9a-f]{24})?$|^folder:[0-9a-f]{64}$/.test(revision)) {
        throw new CommandError(
          'invalid',
          `${revision} is no full revision; \`revertd status\` shows the one that waits`,
        );
      }
      daemon.feed.consent(actor, revision);
    },
    answerIncident: (actor, id, answer) => daemon.record(actor, ...answerIncident(situation(actor), id, answer)),
    abortIncident: (actor, id, reason) => daemon.record(actor, ...abortIncident(situation(actor), id, reason)),
    overrideFlag: (actor, request) => daemon.record(actor, ...overrideFlag(situation(actor), request)),
    applyPlan(actor, judge) {
      if (daemon.isDryRun) throw neverActs('apply');
      return daemon.reconciler.applyJudged(actor, judge);
    },
    approveRung: (caller, id, answer) => daemon.record(caller.name, ...approveRung(asked(caller), id, answer)),
    overrideApproval: (caller, id, answer) =>
      daemon.record(caller.name, ...overrideApproval(asked(caller), id, answer)),
    rejectRung: (caller, id, answer) => daemon.record(caller.name, ...rejectRung(asked(caller), id, answer)),
    rollBack(actor, request) {
      if (daemon.isDryRun) throw neverActs('roll back');
      const events = beginRollback(situation(actor), request);
      daemon.record(actor, ...events);
      return events.flatMap((event) => (event.type === 'incident.opened' ? [event.incident.id] : []))[0] ?? '';
    },
    takePoint(actor, request) {
      if (daemon.isDryRun) throw neverActs('take the point');
      const events = takePoint(situation(actor), request);
      daemon.record(actor, ...events);
      return events.flatMap((event) => (event.type === 'point.begun' ? [event.point.id] : []))[0] ?? '';
    },
    cancelPoint(actor, point) {
      daemon.record(actor, ...cancelPoint(situation(actor), point));
      daemon.cancelCapture(point, actor);
    },
    pinPoint: (actor, point, reason) => daemon.record(actor, ...pinPoint(situation(actor), point, reason)),
    unpinPoint: (actor, point) => daemon.record(actor, ...unpinPoint(situation(actor), point)),
    undeletePoint: (actor, point) => daemon.record(actor, ...undeletePoint(situation(actor), point)),
    verifyPoints(actor, request) {
      const events = verifyPoints(situation(actor), request);
      daemon.record(actor, ...events);
      return events.reduce((sum, event) => sum + (event.type === 'points.verifyAsked' ? event.points.length : 0), 0);
    },
    prunePoints(actor, request) {
      const events = prunePointsNow(situation(actor), request);
      daemon.record(actor, ...events);
      return events.flatMap((event) => (event.type === 'points.pruned' ? event.points.map(({ id }) => id) : []));
    },
    restorePoint(actor, request) {
      if (daemon.isDryRun) throw neverActs('restore');
      const events = beginRestore(situation(actor), request);
      daemon.record(actor, ...events);
      return events.flatMap((event) => (event.type === 'restore.begun' ? [event.restore.id] : []))[0] ?? '';
    },
    exportPoint: (point, path) => daemon.exportPoint(point, path),
    importPoint: async (actor, path) => await daemon.importPoint(actor, path),
    backUp: (request) => daemon.backUp(request),
    prunePoint: (actor, point) => daemon.record(actor, ...prunePoint(situation(actor), point)),
    drill(actor, name) {
      if (daemon.isDryRun) throw neverActs('rehearse');
      const { desired, memory, observed } = daemon.reconciler;
      if (desired === null) throw new CommandError('refused', 'no revision of the policies is in force yet');
      const { run, events } = beginDrill({ desired, memory, observed, now: daemon.now() }, name, actor);
      daemon.record(actor, ...events);
      return run;
    },
    halt(actor, reason, now) {
      writeHalt(daemon.dataDir, { since: daemon.now(), by: actor, reason });
      daemon.reconciler.cycle();
      if (now) daemon.killSteps(`${actor} halted everything at once: ${reason}`);
    },
    resume(actor) {
      const wasHalted = removeHalt(daemon.dataDir);
      if (wasHalted) daemon.record(actor, { type: 'halt.lifted' });
      daemon.reconciler.cycle();
      return wasHalted;
    },
  };
}

function neverActs(what: string): CommandError {
  return new CommandError(
    'refused',
    `this daemon runs with --dry-run and never acts; start it without, and ${what} then`,
  );
}
