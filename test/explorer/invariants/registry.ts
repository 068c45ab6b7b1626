import { CAPTURE_RETRIES_END } from './capture-retries-end.ts';
import { CAPTURES_APART } from './captures-apart.ts';
import { CLOCK_CHANGES_NOTHING } from './clock-changes-nothing.ts';
import { CONSENT_TO_DATA_LOSS } from './consent-to-data-loss.ts';
import { COOLDOWN_AND_LIMIT } from './cooldown-and-limit.ts';
import { EFFECTIVE_VALUE } from './effective-value.ts';
import { EQUAL_PLANS } from './equal-plans.ts';
import { GOOD_IS_PROVEN } from './good-is-proven.ts';
import { HALTED } from './halted.ts';
import { HOLDS_END_AS_AGREED } from './holds-end-as-agreed.ts';
import type { Invariant } from './invariant.ts';
import { MEMORY_IS_THE_FOLD } from './memory-is-the-fold.ts';
import { NEWEST_POINT_STAYS } from './newest-point-stays.ts';
import { NO_ACTION_ON_ABSENCE } from './no-action-on-absence.ts';
import { NO_OPERATION_IS_LOST } from './no-operation-is-lost.ts';
import { NO_UNSAFE_EFFECT_TWICE } from './no-unsafe-effect-twice.ts';
import { ONE_LADDER } from './one-ladder.ts';
import { PROTECTED_POINTS_SURVIVE } from './protected-points-survive.ts';
import { PRUNED_IN_MEASURE } from './pruned-in-measure.ts';
import { QUARANTINE_HOLDS } from './quarantine-holds.ts';
import { SETTLED } from './settled.ts';
import { SOUND_SOURCE } from './sound-source.ts';

/** What is checked of every move. Two more are the search's own: `decide-is-total` and `comes-to-rest`. */
export const INVARIANTS: readonly Invariant[] = [
  NO_UNSAFE_EFFECT_TWICE,
  NO_ACTION_ON_ABSENCE,
  ONE_LADDER,
  COOLDOWN_AND_LIMIT,
  CONSENT_TO_DATA_LOSS,
  HOLDS_END_AS_AGREED,
  HALTED,
  EFFECTIVE_VALUE,
  QUARANTINE_HOLDS,
  GOOD_IS_PROVEN,
  NEWEST_POINT_STAYS,
  PROTECTED_POINTS_SURVIVE,
  PRUNED_IN_MEASURE,
  SOUND_SOURCE,
  CAPTURES_APART,
  CAPTURE_RETRIES_END,
  NO_OPERATION_IS_LOST,
  CLOCK_CHANGES_NOTHING,
  EQUAL_PLANS,
  SETTLED,
  MEMORY_IS_THE_FOLD,
];
