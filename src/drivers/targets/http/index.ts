import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diffJson, type JsonChange } from '../../../core/json/diff-json.ts';
import { describeMerge, type MergeReport } from '../../../core/merge/merge-report.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import type { HttpTarget, TargetOf } from '../../../core/model/target.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { ManifestLine } from '../../../store/content/content-reader.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import {
  type CaptureContext,
  type CapturedHost,
  type CaptureOutcome,
  type DiffItem,
  DiffTally,
  faultText,
  type PointContext,
  refuseOtherFormat,
  type TargetDiff,
} from '../captured-target.ts';
import { type CapturedContext, type CapturedOrder, capturedTargetDriver } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { type MergeOrder, type TargetDriver, TargetError } from '../target-driver.ts';
import { wholeContent } from '../whole-content.ts';
import {
  fingerprintOf,
  type JsonDocument,
  mergedDocument,
  parseDocument,
  refuseUnknownPlaces,
  withoutPlaces,
} from './json-document.ts';
import { mergeDocuments } from './merge-document.ts';
import { type ReadDocument, transferOf } from './transfer.ts';

const FORMAT = 'http/1';
/** Somebody who writes it at the same time gets the first word so often. */
const TURNS = 3;
const LONGEST_VALUE = 120;

/** A JSON document of a service, kept as it was served and put back by one request. */
export function httpTarget(host: CapturedHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'http',
    look: (target, signal) => look(host, target, signal),
    capture: (target, context) => capture(host, target, context),
    restore: (order, context) => restore(host, order, context),
    merge: (order, context) => merge(host, order, context),
    observe: (order, context) => observe(host, order, context),
    diff: (target, from, to, context) => diff(host, target, from, to, context),
    shownLine: ({ url }) => String(url),
    rehearse,
  });
}

async function look(
  host: CapturedHost,
  { type }: TargetOf<'http'>,
  signal: AbortSignal,
): ReturnType<TargetDriver['read']> {
  if (await transferOf(type, host).look(signal)) return { kind: 'captured' };
  return { kind: 'unreadable', code: 'http', message: `${type.url} does not exist` };
}

type Kept = { readonly content: BlobRef; readonly fingerprint: string; readonly etag: string | null };

async function capture(
  host: CapturedHost,
  { type }: TargetOf<'http'>,
  context: CaptureContext,
): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now } = context;
  const from = now();
  const options = { operation, signal, compression };
  const session = await store.begin(previous === undefined ? options : { ...options, previous: previous.manifest });
  const before = session.previous === undefined ? undefined : await keptBefore(type, session.previous, context);
  const isReusable = before !== undefined && (await session.reuse(before.content));
  const found = await transferOf(type, host).get(signal, isReusable ? before.etag : null);
  if (found === undefined) throw new TargetError('http', `${type.url} does not exist`);
  const kept = found === 'unchanged' ? before : { ...(await stored(found, type, session.put)), etag: found.etag };
  if (kept === undefined) throw new TargetError('http', `${type.url} did not change, and was never read`);
  const { manifest, storedBytes } = await session.commit([{ format: FORMAT, url: type.url, ...kept }]);
  const { fingerprint, content } = kept;
  const note = fingerprint === before?.fingerprint ? ', unchanged' : '';
  const sizes = { bytes: content.bytes, storedBytes, compression, encrypted: store.encrypts };
  const snapshot = { manifest, fingerprint, ...sizes, from, to: now() };
  return { outcome: 'done', snapshot, detail: `${content.bytes} bytes${note}` };
}

async function stored(
  found: ReadDocument,
  { ignore }: HttpTarget,
  put: (content: Buffer) => Promise<BlobRef>,
): Promise<Omit<Kept, 'etag'>> {
  return { content: await put(found.bytes), fingerprint: fingerprintOf(found, ignore) };
}

/** A snapshot that cannot be read, or is of another address, only means that the document is read whole. */
async function keptBefore(
  type: HttpTarget,
  manifest: string,
  { store, log }: CaptureContext,
): Promise<Kept | undefined> {
  try {
    const { url, ...kept } = await keptIn(store, { manifest });
    return url === type.url ? kept : undefined;
  } catch (error) {
    log(`it is read whole, since the snapshot before cannot be: ${faultText(error)}`);
    return undefined;
  }
}

/** Rejects with TargetError `snapshot`, and with ContentError. */
async function keptIn(
  store: ContentStore,
  { manifest }: Pick<Snapshot, 'manifest'>,
): Promise<Kept & { readonly url: string }> {
  for await (const line of store.manifest(manifest)) return toKept(line);
  throw new TargetError('snapshot', 'the snapshot of the document is empty');
}

function toKept({ format, url, etag, fingerprint, content }: ManifestLine): Kept & { readonly url: string } {
  refuseOtherFormat(format, FORMAT);
  if (typeof url !== 'string' || typeof fingerprint !== 'string' || content === undefined) {
    throw new TargetError('snapshot', 'the snapshot of the document makes no sense; it was written by something else');
  }
  return { url, fingerprint, content, etag: typeof etag === 'string' ? etag : null };
}

async function documentIn(store: ContentStore, snapshot: Snapshot): Promise<JsonDocument> {
  const { content } = await keptIn(store, snapshot);
  return parseDocument(await wholeContent(store, content), 'the document of the point');
}

type Order = CapturedOrder<TargetOf<'http'>>;

async function restore(host: CapturedHost, order: Order, context: CapturedContext): Promise<string> {
  const { target, snapshot, paths } = order;
  const { type } = target;
  const { store, signal, log } = context;
  const { url } = await keptIn(store, snapshot);
  if (url !== type.url) throw new TargetError('snapshot', `the point has ${url}, which ${target.name} is no longer`);
  const refused = host.allow.mayCall(url);
  if (refused !== undefined) throw new TargetError('notAllowed', refused);
  const point = await documentIn(store, snapshot);
  const transfer = transferOf(type, host);
  // What cannot be done is found out before anything stands still for it.
  const before = await liveOf(transfer, signal);
  wantedOf(before, point, paths);
  if (before !== undefined) refuseUnknownPlaces(before, point, paths);
  if (signal.aborted) throw new TargetError('aborted', 'the restore was ended before anything was changed');
  await mustQuiesce(target, context);
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const live = await liveOf(transfer, signal);
    const wanted = wantedOf(live, point, paths);
    if (live !== undefined && isSameDocument(live, wanted, type)) return `${url} is so already`;
    if ((await transfer.put(wanted.bytes, live?.etag ?? null, signal)) === 'changed') {
      log(`${url} changed just before it was written; it is read again`);
      continue;
    }
    const after = await liveOf(transfer, signal);
    if (after !== undefined && isSameDocument(after, wanted, type))
      return `${wanted.bytes.length} bytes written to ${url}`;
    throw new TargetError(
      'http',
      `${url} took what was written, but is something else now${differs(after, wanted, type)}`,
    );
  }
  throw new TargetError('changing', `${url} was changed by somebody else each of ${TURNS} times before it was written`);
}

async function merge(
  host: CapturedHost,
  { target, snapshot, paths, merge: { ancestor, ...spec } }: Order & { readonly merge: MergeOrder },
  context: CapturedContext,
): Promise<{ readonly detail: string; readonly report: MergeReport }> {
  const { type } = target;
  const { store, signal, log, onPhase } = context;
  const { url } = await keptIn(store, snapshot);
  if (url !== type.url) throw new TargetError('snapshot', `the point has ${url}, which ${target.name} is no longer`);
  if (paths.length > 0) throw new TargetError('snapshot', 'a merge is of the whole document; leave the paths out');
  const [point, before] = [await documentIn(store, snapshot), await documentIn(store, ancestor)];
  const transfer = transferOf(type, host);
  const found = async () => {
    const live = await liveOf(transfer, signal);
    if (live === undefined) throw new TargetError('http', `${url} does not exist, so there is nothing to merge into`);
    return { live, ...mergeDocuments({ ancestor: before, live, snapshot: point }, type.ignore, spec, onPhase) };
  };
  // What cannot be done is found out before anything stands still for it.
  const first = await found();
  if (isHindered(first.report)) return { report: first.report, detail: describeMerge(first.report) };
  if (signal.aborted) throw new TargetError('aborted', 'the restore was ended before anything was changed');
  await mustQuiesce(target, context);
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const { live, report, document } = await found();
    const detail = describeMerge(report);
    if (isHindered(report)) return { report, detail };
    if (isSameDocument(live, document, type)) return { report, detail: `${url} is so already; ${detail}` };
    onPhase?.('executing');
    if ((await transfer.put(document.bytes, live.etag, signal)) === 'changed') {
      log(`${url} changed just before it was written; it is read again`);
      continue;
    }
    const after = await liveOf(transfer, signal);
    if (after !== undefined && isSameDocument(after, document, type)) return { report, detail };
    const text = `${url} took what was written, but is something else now${differs(after, document, type)}`;
    throw new TargetError('http', text);
  }
  throw new TargetError('changing', `${url} was changed by somebody else each of ${TURNS} times before it was written`);
}

function isHindered({ end }: MergeReport): boolean {
  return end === 'pending' || end === 'aborted';
}

async function liveOf(transfer: ReturnType<typeof transferOf>, signal: AbortSignal): Promise<ReadDocument | undefined> {
  const found = await transfer.get(signal);
  return found === 'unchanged' ? undefined : found;
}

function wantedOf(live: ReadDocument | undefined, point: JsonDocument, paths: readonly string[]): JsonDocument {
  if (paths.length === 0) return point;
  if (live !== undefined) return mergedDocument(live, point, paths);
  throw new TargetError('snapshot', 'there is no live document to put a part into; restore it as a whole');
}

function isSameDocument(a: JsonDocument, b: JsonDocument, { ignore }: HttpTarget): boolean {
  return fingerprintOf(a, ignore) === fingerprintOf(b, ignore);
}

function differs(after: JsonDocument | undefined, wanted: JsonDocument, { ignore }: HttpTarget): string {
  if (after === undefined) return ': it does not exist';
  const [first] = diffJson(withoutPlaces(wanted.value, ignore), withoutPlaces(after.value, ignore));
  return first === undefined ? '' : `: ${first.pointer || 'all of it'} (${detailOf(first)})`;
}

async function observe(
  host: CapturedHost,
  { target, snapshot, paths }: Order,
  { signal, store }: Pick<PointContext, 'signal' | 'store'>,
): Promise<'done' | 'notDone'> {
  const point = await documentIn(store, snapshot);
  const live = await liveOf(transferOf(target.type, host), signal);
  if (live === undefined) return 'notDone';
  return isSameDocument(live, wantedOf(live, point, paths), target.type) ? 'done' : 'notDone';
}

async function diff(
  host: CapturedHost,
  { type }: TargetOf<'http'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal }: PointContext,
): Promise<TargetDiff> {
  const before = await documentIn(store, from);
  const after = to === 'live' ? await liveOf(transferOf(type, host), signal) : await documentIn(store, to);
  if (after === undefined) throw new TargetError('http', `${type.url} does not exist`);
  const tally = new DiffTally(type.url);
  const [older, newer] = [withoutPlaces(before.value, type.ignore), withoutPlaces(after.value, type.ignore)];
  for (const change of diffJson(older, newer)) await tally.add(change.kind, () => shownChange(change));
  const isRounded = !before.isExact || !after.isExact;
  return { groups: [tally.group(isRounded ? 'it has numbers that are rounded here' : undefined)] };
}

function shownChange(change: JsonChange): Omit<DiffItem, 'kind'> {
  return { what: change.pointer === '' ? 'all of it' : change.pointer, detail: detailOf(change) };
}

function detailOf(change: JsonChange): string {
  switch (change.kind) {
    case 'added':
      return shownValue(change.after);
    case 'removed':
      return shownValue(change.before);
    case 'changed':
      return `${shownValue(change.before)} → ${shownValue(change.after)}`;
  }
}

function shownValue(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters)`;
}

async function rehearse(
  _target: TargetOf<'http'>,
  snapshot: Snapshot,
  folder: string,
  { store }: PointContext,
): Promise<{ path: string; detail: string }> {
  const { bytes } = await documentIn(store, snapshot);
  const path = join(folder, 'document.json');
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  return { path, detail: `a JSON document of ${bytes.length} bytes` };
}
