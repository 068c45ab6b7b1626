import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../../core/json/canonical-json.ts';
import type { Snapshot } from '../../../core/model/point.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import type { Target, TargetOf } from '../../../core/model/target.ts';
import { type FlagState, variantsIn } from '../../../core/points/flag-state.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import {
  type CaptureContext,
  type CapturedDriver,
  type CapturedHost,
  type CaptureOutcome,
  faultText,
  type PointContext,
  refuseOtherFormat,
  type TargetDiff,
  type VerifyOutcome,
} from '../captured-target.ts';
import { capturedTargetDriver } from '../captured-target-driver.ts';
import { type TargetDriver, TargetError } from '../target-driver.ts';
import { wholeContent } from '../whole-content.ts';
import { diffFlags } from './diff-flags.ts';
import { parseFlagState } from './parse-flag-state.ts';

const FORMAT = 'flags/1';

/** What flags effectively are. The decision knows it and sets it; here it is only kept, compared and read again. */
export function flagsTarget(host: CapturedHost): TargetDriver {
  const driver = capturedTargetDriver(host, {
    kind: 'flags',
    look: () => Promise.resolve({ kind: 'captured' }),
    capture: (_target, context) => capture(context),
    restore: ({ target }) => Promise.reject(new TargetError('snapshot', whoSets(target))),
    observe: () => Promise.resolve('unknown'),
    diff: (target, from, to, context) => diff(target, from, to, context),
    shownLine: () => 'the flags',
    rehearse,
  });
  const { verify } = driver.points;
  const both: CapturedDriver['verify'] = async (target, snapshot, context) => {
    const verdict = await verify(target, snapshot, context);
    return verdict.outcome === 'valid' ? ((await contradiction(snapshot, context)) ?? verdict) : verdict;
  };
  return { ...driver, points: { ...driver.points, verify: both } };
}

/** A restore goes by what the log says of the point: of one that was brought from elsewhere, that may be something else. */
async function contradiction(
  snapshot: Snapshot,
  { store }: Pick<PointContext, 'store'>,
): Promise<Extract<VerifyOutcome, { readonly outcome: 'invalid' }> | undefined> {
  try {
    const held = variantsIn(await stateIn(store, snapshot));
    if (snapshot.flags !== undefined && canonicalJson(held) === canonicalJson(snapshot.flags)) return undefined;
    return { outcome: 'invalid', detail: 'its content has other variants than what is known of it', faults: [] };
  } catch (error) {
    return { outcome: 'invalid', detail: faultText(error), faults: [] };
  }
}

function whoSets({ name }: Target): string {
  return `the flags of ${name} are set by holds, and by no operation; it was of another type when this restore began`;
}

async function capture(context: CaptureContext): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now, flags } = context;
  if (flags === undefined) throw new TargetError('missing', 'what the flags are was not decided');
  const from = now();
  const session = await store.begin({ operation, signal, compression });
  const content = await session.put(Buffer.from(canonicalJson(flags)));
  const variants = variantsIn(flags);
  const fingerprint = digestOf(variants);
  const { manifest, storedBytes } = await session.commit([{ format: FORMAT, fingerprint, content }]);
  const count = Object.keys(variants).length;
  const note = fingerprint === previous?.fingerprint ? ', unchanged' : '';
  const sizes = { bytes: content.bytes, storedBytes, compression, encrypted: store.encrypts };
  const snapshot = { manifest, fingerprint, flags: variants, ...sizes, from, to: now() };
  return { outcome: 'done', snapshot, detail: `${count} flag(s)${note}` };
}

/** Of the variants alone: why a flag is what it is makes no other state. */
function digestOf(variants: JsonValue): string {
  return createHash('sha256').update(canonicalJson(variants)).digest('hex');
}

/** Rejects with TargetError `snapshot` or `format`, and with ContentError. */
async function stateIn(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<FlagState> {
  for await (const { format, content } of store.manifest(manifest)) {
    refuseOtherFormat(format, FORMAT);
    if (content !== undefined) return parseFlagState(await wholeContent(store, content));
  }
  throw new TargetError('snapshot', 'the snapshot of the flags is empty');
}

async function diff(
  { type }: TargetOf<'flags'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, flags }: PointContext,
): Promise<TargetDiff> {
  const before = await stateIn(store, from);
  const after = to === 'live' ? flags : await stateIn(store, to);
  if (after === undefined) throw new TargetError('missing', 'what the flags are now is not known here');
  return { groups: [await diffFlags(before, after, type.only)] };
}

async function rehearse(
  _target: TargetOf<'flags'>,
  snapshot: Snapshot,
  folder: string,
  { store }: PointContext,
): Promise<{ path: string; detail: string }> {
  const state = await stateIn(store, snapshot);
  const path = join(folder, 'flags.json');
  await writeFile(path, `${JSON.stringify(state, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  return { path, detail: `${Object.keys(state.flags).length} flag(s), of which none was set` };
}
