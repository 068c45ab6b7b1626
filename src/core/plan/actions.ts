import { rehearsalActions } from '../drills/settle-drills.ts';
import { withAgreedRows } from '../incidents/counted-rows.ts';
import { isPaused } from '../incidents/pause.ts';
import type { Action } from '../model/action.ts';
import type { Incident } from '../model/incident.ts';
import { describeStep, type Step } from '../model/step.ts';
import { sendings } from '../notifications/notify.ts';
import { deliveries, takeUps } from '../places/deliveries.ts';
import { restoreActions } from '../points/manual-restores.ts';
import { pointActions } from '../points/point-actions.ts';
import { activations, keeps, moves } from '../targets/moves.ts';
import { restoreAction } from '../targets/restore-step.ts';
import type { Turn } from '../turn.ts';

/** What is to be done now and is not being done already. While halted only messages and reports go on. */
export function dueActions(turn: Turn): Action[] {
  const effects = turn.memory.halt === null ? effectsOf(turn) : [];
  return notUnderWay(turn, [...effects, ...sendings(turn), ...reports(turn)]);
}

function effectsOf(turn: Turn): Action[] {
  const moving = [...moves(turn), ...steps(turn), ...restoreActions(turn)];
  return [
    ...deliveries(turn),
    ...takeUps(turn),
    ...moving,
    ...activations(turn, moving),
    ...keeps(turn),
    ...pointActions(turn, moving),
    ...rehearsalActions(turn),
  ];
}

/** What only the halt keeps from being due. Steps of a ladder are not among it: while halted no ladder moves. */
export function withheldActions(turn: Turn): Action[] {
  return turn.memory.halt === null ? [] : notUnderWay(turn, [...deliveries(turn), ...takeUps(turn)]);
}

function notUnderWay(turn: Turn, actions: readonly Action[]): Action[] {
  const running = new Set(Object.values(turn.memory.operations).map((operation) => operation.action.key));
  return actions.filter((action) => !running.has(action.key));
}

function steps(turn: Turn): Action[] {
  return Object.values(turn.memory.incidents).flatMap((incident) => {
    const action = isPaused(turn, incident) ? null : stepAction(turn, incident);
    return action === null ? [] : [action];
  });
}

function stepAction(turn: Turn, incident: Incident): Action | null {
  const { phase } = incident;
  if (phase.kind !== 'executing' || phase.startedAt === null || phase.outcome !== null) return null;
  const rung = incident.policy.ladder[phase.rung];
  const step = rung?.[phase.part][phase.step];
  if (rung === undefined || step === undefined || isDecided(step)) return null;
  if (step.kind === 'restore') return restoreAction(turn, incident, phase);
  return {
    kind: 'step',
    key: `step:${incident.id}/${rung.name}/${phase.part}/${phase.step}`,
    sign: '!',
    reason: `${incident.id} (${incident.policy.name}), rung "${rung.name}": ${describeStep(step)}`,
    origin: step.origin,
    losesData: rung.dataLoss !== undefined,
    preconditions: [`${incident.id} ${rung.name}/${phase.part}/${phase.step}`],
    incident: incident.id,
    rung: rung.name,
    step: withAgreedRows(step, incident),
  };
}

/** What is done by the decision itself, or by an operation of its own. */
function isDecided({ kind }: Step): boolean {
  return kind === 'setFlag' || kind === 'notify' || kind === 'createPoint';
}

function reports(turn: Turn): Action[] {
  return Object.entries(turn.memory.reportsOwed)
    .filter(([, retry]) => turn.now >= retry.retryAt)
    .map(([incident]) => ({
      kind: 'report',
      key: `report:${incident}`,
      sign: '>',
      reason: `${incident} is closed`,
      losesData: false,
      preconditions: [],
      incident,
    }));
}
