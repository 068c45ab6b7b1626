import type { SmallWorld } from '../model/small-world.ts';
import { APPROVAL } from './approval.ts';
import { BRAKES } from './brakes.ts';
import { CLOCK } from './clock.ts';
import { CODE } from './code.ts';
import { DOCUMENTS } from './documents.ts';
import { KILLS } from './kills.ts';
import { MESSAGES } from './messages.ts';
import { PEOPLE } from './people.ts';
import { POINTS } from './points.ts';
import { ROLLBACK } from './rollback.ts';
import { SIGNALS } from './signals.ts';

/** The largest first, so that several workers end at about the same time. */
export const WORLDS: readonly SmallWorld[] = [
  CODE,
  ROLLBACK,
  BRAKES,
  APPROVAL,
  DOCUMENTS,
  CLOCK,
  PEOPLE,
  POINTS,
  KILLS,
  SIGNALS,
  MESSAGES,
];
