import type { LintRule } from './lint-rule.ts';
import { cannotClear } from './rules/cannot-clear.ts';
import { capturedWithoutChecks } from './rules/captured-without-checks.ts';
import { counterWithoutRate } from './rules/counter-without-rate.ts';
import { emptyRatio } from './rules/empty-ratio.ts';
import { envFileNotReread } from './rules/env-file-not-reread.ts';
import { firstRungLosesData } from './rules/first-rung-loses-data.ts';
import { floatEquality } from './rules/float-equality.ts';
import { goodPointsAreGone } from './rules/good-points-are-gone.ts';
import { inconclusiveCounts } from './rules/inconclusive-counts.ts';
import { keepsOnePoint } from './rules/keeps-one-point.ts';
import { noLimit } from './rules/no-limit.ts';
import { nobodyHears } from './rules/nobody-hears.ts';
import { nothingToGoBackTo } from './rules/nothing-to-go-back-to.ts';
import { nothingVerified } from './rules/nothing-verified.ts';
import { nothingWatchesDown } from './rules/nothing-watches-down.ts';
import { oneSampleDecides } from './rules/one-sample-decides.ts';
import { percentMixUp } from './rules/percent-mix-up.ts';
import { pointsNeverRead } from './rules/points-never-read.ts';
import { policiesDisagree } from './rules/policies-disagree.ts';
import { quantileWithoutLe } from './rules/quantile-without-le.ts';
import { quiescedWithoutSteps } from './rules/quiesced-without-steps.ts';
import { rateOfGauge } from './rules/rate-of-gauge.ts';
import { rateOfSum } from './rules/rate-of-sum.ts';
import { releasedTooSoon } from './rules/released-too-soon.ts';
import { repeatedLoss } from './rules/repeated-loss.ts';
import { restoreNeverTried } from './rules/restore-never-tried.ts';
import { rtoOutOfReach } from './rules/rto-out-of-reach.ts';
import { safeIsDefault } from './rules/safe-is-default.ts';
import { secretInTheClear } from './rules/secret-in-the-clear.ts';
import { shortFor } from './rules/short-for.ts';
import { shortRange } from './rules/short-range.ts';
import { sidesNeverMatch } from './rules/sides-never-match.ts';
import { startAtOfWarning } from './rules/start-at-of-warning.ts';
import { suspended } from './rules/suspended.ts';
import { tellsNobody } from './rules/tells-nobody.ts';
import { thresholdOutOfRange } from './rules/threshold-out-of-range.ts';
import { unencryptedWebhook } from './rules/unencrypted-webhook.ts';
import { unreachedRung } from './rules/unreached-rung.ts';
import { unrehearsedLoss } from './rules/unrehearsed-loss.ts';
import { unusedNotifier } from './rules/unused-notifier.ts';
import { unusedSource } from './rules/unused-source.ts';

/** Every rule, by its id, which is the name of its file. */
export const LINT_RULES: readonly LintRule[] = [
  cannotClear,
  capturedWithoutChecks,
  counterWithoutRate,
  emptyRatio,
  envFileNotReread,
  firstRungLosesData,
  floatEquality,
  goodPointsAreGone,
  inconclusiveCounts,
  keepsOnePoint,
  noLimit,
  nobodyHears,
  nothingToGoBackTo,
  nothingVerified,
  nothingWatchesDown,
  oneSampleDecides,
  percentMixUp,
  pointsNeverRead,
  policiesDisagree,
  quantileWithoutLe,
  quiescedWithoutSteps,
  rateOfGauge,
  rateOfSum,
  releasedTooSoon,
  repeatedLoss,
  restoreNeverTried,
  rtoOutOfReach,
  safeIsDefault,
  secretInTheClear,
  shortFor,
  shortRange,
  sidesNeverMatch,
  startAtOfWarning,
  suspended,
  tellsNobody,
  thresholdOutOfRange,
  unencryptedWebhook,
  unreachedRung,
  unrehearsedLoss,
  unusedNotifier,
  unusedSource,
];
