import { canonicalJson } from '../../../core/json/canonical-json.ts';
import { valueAt, withValueAt } from '../../../core/json/json-part.ts';
import { parsePointer } from '../../../core/json-pointer.ts';
import { type JsonConflict, mergeJson } from '../../../core/merge/merge-json.ts';
import { MergeLog, type MergePhase, type MergeReport, type MergeSpec } from '../../../core/merge/merge-report.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import { conflictItem, shortened, type VersionWords } from '../conflict-item.ts';
import { TargetError } from '../target-driver.ts';
import type { JsonDocument } from './json-document.ts';

export type DocumentMerge = { readonly report: MergeReport; readonly document: JsonDocument };

type Documents = { readonly ancestor: JsonDocument; readonly live: JsonDocument; readonly snapshot: JsonDocument };

/**
 * The live document with what the snapshot has otherwise than the ancestor. What the service changes by itself stays as it is.
 * @throws {TargetError} `snapshot` where a number would be rounded
 */
export function mergeDocuments(
  { ancestor, live, snapshot }: Documents,
  ignore: readonly string[],
  spec: MergeSpec,
  onPhase?: (phase: MergePhase) => void,
): DocumentMerge {
  if (![ancestor, live, snapshot].every(({ isExact }) => isExact)) {
    const message = 'the document has numbers that would be rounded; it can only be restored as a whole';
    throw new TargetError('snapshot', message);
  }
  const versions = {
    ancestor: withLivePlaces(ancestor.value, live.value, ignore),
    live: live.value,
    snapshot: withLivePlaces(snapshot.value, live.value, ignore),
  };
  const log = new MergeLog(spec, onPhase);
  const { merged } = mergeJson(versions, { hasAncestor: true, choose: (conflict) => chosen(conflict, log) });
  const report = log.hindrance ?? log.done;
  const value = merged === undefined ? live.value : merged;
  return { report, document: { bytes: Buffer.from(JSON.stringify(value)), value, isExact: true } };
}

function chosen({ class: kind, pointer, versions }: JsonConflict, log: MergeLog): 'live' | 'snapshot' {
  const side = log.settle(conflictItem(pointer === '' ? '/' : pointer, kind, versions, WORDS));
  return side === 'snapshot' ? side : 'live';
}

const WORDS: VersionWords<JsonValue> = {
  text: canonicalJson,
  shown: (value) => {
    const text = JSON.stringify(value);
    const short = shortened(text);
    return short === text ? value : short;
  },
};

/** Places that are ignored are the same in all three, so that nothing comes of them. */
function withLivePlaces(value: JsonValue, live: JsonValue, ignore: readonly string[]): JsonValue {
  let aligned = value;
  for (const pointer of ignore) {
    const place = parsePointer(pointer) ?? [];
    if (place.length === 0) continue;
    const done = withValueAt(aligned, place, valueAt(live, place));
    if (done.ok) aligned = done.document;
  }
  return aligned;
}
