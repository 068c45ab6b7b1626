import { type Incident, isOpen } from '../model/incident.ts';
import type { Turn } from '../turn.ts';
import { awaitApproval } from './await-approval.ts';
import { enterRung } from './enter-rung.ts';
import { executeRung } from './execute-rung.ts';
import { fixForward } from './fix-forward.ts';
import { isPaused } from './pause.ts';
import { resolveByItself, verifyRung } from './verify-rung.ts';

/** More moves than any ladder can make in one turn; a fault that moved in circles would end here. */
const MOVES_PER_TURN = 1_000;

/** Moves every open incident as far as it can go now. */
export function advanceIncidents(turn: Turn): void {
  for (const id of Object.keys(turn.memory.incidents)) {
    for (let moves = 0; moves < MOVES_PER_TURN; moves += 1) {
      const incident = turn.memory.incidents[id];
      if (incident === undefined || !isOpen(incident) || isPaused(turn, incident) || !move(turn, incident)) break;
    }
  }
}

/** One move; false when the incident has to wait. */
function move(turn: Turn, incident: Incident): boolean {
  const { phase } = incident;
  switch (phase.kind) {
    case 'fixing-forward':
      return fixForward(turn, incident, phase);
    case 'entering':
      return enterRung(turn, incident, phase);
    case 'awaiting-approval':
      return awaitApproval(turn, incident, phase);
    case 'executing':
      return executeRung(turn, incident, phase);
    case 'verifying':
      return verifyRung(turn, incident, phase);
    case 'asking':
      return phase.about.kind === 'verifying' && resolveByItself(turn, incident, phase.about);
    case 'closed':
      return false;
  }
}
