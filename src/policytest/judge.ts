import type { JsonValue } from '../core/model/step.ts';
import { isSame } from '../core/record.ts';
import { formatDuration, parseDuration } from '../core/units.ts';
import type { Path } from '../policy/path.ts';
import type { MessageView, PointView, RawExpectation } from './raw-test.ts';
import {
  actionsSince,
  effectiveVariants,
  happeningsSince,
  holdViews,
  incidentViews,
  type Mark,
  messagesSince,
  pointViews,
  rungsSince,
  triggerStates,
} from './view.ts';
import type { VirtualHost } from './virtual-host.ts';

/** One thing that is not as expected; `path` leads to it within the expectation. Undefined is what is not there. */
export type Difference = {
  readonly path: Path;
  readonly expected: JsonValue | undefined;
  readonly got: JsonValue | undefined;
};

/** What is not as the expectation has it, now; empty if all is. */
export function judge(host: VirtualHost, raw: RawExpectation, mark: Mark): readonly Difference[] {
  const differences: Difference[] = [];
  const compare = (key: string, expected: unknown, got: () => unknown): void => {
    if (expected !== undefined) differences.push(...differencesOf(expected as JsonValue, got() as JsonValue, [key]));
  };
  compare('triggers', raw.triggers, () => triggerStates(host, Object.keys(raw.triggers ?? {})));
  compare('incidents', raw.incidents, () => incidentViews(host));
  compare('rungs', raw.rungs, () => rungsSince(host, mark));
  compare('flags', raw.flags, () => effectiveVariants(host, Object.keys(raw.flags ?? {})));
  compare('holds', raw.holds, () => holdViews(host));
  compare('documents', raw.documents, () => documentsOf(host, raw));
  compare('targets', raw.targets, () => revisionsOf(host, raw));
  compare('actions', raw.actions, () => actionsSince(host, mark));
  compare('points', raw.points?.map(normalPoint), () => pointViews(host));
  compare('notifications', raw.notifications?.map(sorted), () => messagesSince(host, mark));
  if (raw.nothing === true) {
    const happened = happeningsSince(host, mark);
    if (happened.length > 0) differences.push({ path: ['nothing'], expected: 'nothing', got: happened });
  }
  return differences;
}

function revisionsOf(host: VirtualHost, { targets = {} }: RawExpectation): JsonValue {
  return Object.fromEntries(Object.keys(targets).map((name) => [name, host.targets.revision(name)]));
}

function documentsOf(host: VirtualHost, { documents = {} }: RawExpectation): JsonValue {
  return Object.fromEntries(
    Object.entries(documents).map(([path, entries]) => [
      path,
      Object.fromEntries(Object.keys(entries).map((entry) => [entry, host.documents.valueOf(path, entry)])),
    ]),
  );
}

/** A time can be written in several ways. */
function normalPoint(point: Partial<PointView>): Partial<PointView> {
  return point.at === undefined ? point : { ...point, at: formatDuration(parseDuration(point.at) ?? 0) };
}

/** Who is told has no order. */
function sorted(message: Partial<MessageView>): Partial<MessageView> {
  return message.to === undefined ? message : { ...message, to: message.to.toSorted() };
}

/** Of mappings only the expected keys count; lists must have the same length. */
function differencesOf(expected: JsonValue, got: JsonValue | undefined, path: Path): readonly Difference[] {
  if (isList(expected) && isList(got)) {
    const longest = Math.max(expected.length, got.length);
    return Array.from({ length: longest }, (_, index) => index).flatMap((index) => {
      const item = expected[index];
      const at = [...path, index];
      return item === undefined
        ? [{ path: at, expected: undefined, got: got[index] }]
        : differencesOf(item, got[index], at);
    });
  }
  if (isMapping(expected) && isMapping(got)) {
    return Object.entries(expected).flatMap(([key, value]) => differencesOf(value, got[key], [...path, key]));
  }
  return isSame(expected, got) ? [] : [{ path, expected, got }];
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isMapping(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !isList(value);
}
