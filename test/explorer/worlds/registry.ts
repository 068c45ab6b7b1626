import type { SmallWorld } from '../model/small-world.ts';
import { BRAKES } from './brakes.ts';
import { CLOCK } from './clock.ts';
import { DOCUMENTS } from './documents.ts';
import { KILLS } from './kills.ts';
import { MESSAGES } from './messages.ts';
import { PEOPLE } from './people.ts';
import { ROLLBACK } from './rollback.ts';
import { SIGNALS } from './signals.ts';

export const WORLDS: readonly SmallWorld[] = [ROLLBACK, KILLS, PEOPLE, CLOCK, SIGNALS, DOCUMENTS, MESSAGES, BRAKES];
