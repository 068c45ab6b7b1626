import { createHash } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeRecovered, type Recovered } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { CaptureSession, Fill } from '../../../store/content/capture-session.ts';
import { errnoOf } from '../../../store/content/content-error.ts';
import type { CaptureContext, CaptureOutcome } from '../captured-target.ts';
import { explained, type OpenRoot } from '../files/walk.ts';
import { TargetError } from '../target-driver.ts';
import { askDatabase } from './ask-database.ts';
import {
  type DatabaseRecord,
  hasUnsettled,
  lookAtDatabase,
  refuseWithoutSpace,
  sourceOf,
  withDatabase,
} from './database-file.ts';
import { recordLine, recordOf } from './database-manifest.ts';
import { describeOpeners } from './openers.ts';
import { recoverCopy } from './recover-copy.ts';

/** How long a lock of somebody else's is waited for. */
const LOCK_MS = 10_000;

type Taken = { readonly record: DatabaseRecord; readonly note: string; readonly recovered?: Recovered };
/** What of it goes into the store. */
type Content = Pick<Taken, 'note' | 'recovered'> & { readonly content: BlobRef };

/** Stores a copy that SQLite made and that is intact, or where it may, what could be read of a damaged one. Rejects with TargetError and ContentError. */
export async function captureDatabase(target: TargetOf<'sqlite'>, context: CaptureContext): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now } = context;
  const from = now();
  const { path } = target.type;
  return await withDatabase(path, async (root) => {
    const options = { operation, signal, compression };
    const session = await store.begin(previous === undefined ? options : { ...options, previous: previous.manifest });
    const taken = (await unchanged(root, session, context)) ?? (await copied(path, root, session, context));
    const { manifest, storedBytes } = await session.commit([recordLine(taken.record)]);
    const bytes = taken.record.content.bytes;
    const fingerprint = fingerprintOf(taken.record);
    const encrypted = store.encrypts;
    const recovered = taken.recovered === undefined ? {} : { recovered: taken.recovered };
    const snapshot = {
      manifest,
      storedBytes,
      bytes,
      fingerprint,
      compression,
      encrypted,
      from,
      to: now(),
      ...recovered,
    };
    return { outcome: 'done', snapshot, detail: `${bytes} bytes${taken.note}` };
  });
}

export function fingerprintOf({ content, mode, uid, gid }: Omit<DatabaseRecord, 'source' | 'path'>): string {
  return createHash('sha256')
    .update(JSON.stringify([content.sha256, mode, uid, gid]))
    .digest('hex');
}

/** A database that nobody wrote to since the snapshot before is not read again. */
async function unchanged(
  root: OpenRoot,
  session: CaptureSession,
  { store, log }: CaptureContext,
): Promise<Taken | undefined> {
  if (session.previous === undefined) return undefined;
  try {
    const record = await recordOf(store, { manifest: session.previous });
    if (record.source === null || (await currentSource(root)) !== record.source) return undefined;
    return (await session.reuse(record.content)) ? { record, note: ', unchanged' } : undefined;
  } catch (error) {
    log(`it is copied anew, since the snapshot before cannot be read: ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
}

/** Null while something is beside the file that is not in it yet. */
async function currentSource(root: OpenRoot): Promise<string | null> {
  return (await hasUnsettled(root)) ? null : sourceOf(await lookAtDatabase(root));
}

async function copied(path: string, root: OpenRoot, session: CaptureSession, context: CaptureContext): Promise<Taken> {
  const { store, signal } = context;
  const stats = await lookAtDatabase(root);
  const before = await currentSource(root);
  return await store.withScratch(async (folder) => {
    const { content, ...rest } = await contentIn(folder, root, session, context);
    if (signal.aborted) throw new TargetError('aborted', 'the capture was ended');
    const [mode, uid, gid] = [Number(stats.mode & 0o7777n), Number(stats.uid), Number(stats.gid)];
    // If it was written to meanwhile, the file as it stands now is not what was copied; nor is what was recovered.
    const isAsCopied = rest.recovered === undefined && before === (await currentSource(root));
    return { record: { path, mode, uid, gid, content, source: isAsCopied ? before : null }, ...rest };
  });
}

async function contentIn(
  folder: string,
  root: OpenRoot,
  session: CaptureSession,
  context: CaptureContext,
): Promise<Content> {
  const copy = join(folder, 'copy.db');
  try {
    return await wholeContent(copy, root, session, context);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'damaged') throw error;
    if (context.recover !== true) {
      const mend = 'it is not captured; `revertd points take --recover --target NAME` keeps what can be read of it';
      throw new TargetError('damaged', `${error.message}; ${mend}`, error);
    }
    context.log(error.message);
    const to = join(folder, 'recovered.db');
    const found = await recoverCopy(root, { copy, to, signal: context.signal });
    const note = `, ${describeRecovered(found)}${await checkCopy(root, to, context)}`;
    return {
      content: await storeFile(to, session, progressIn(context, (await stat(to)).size)),
      note,
      recovered: found,
    };
  }
}

async function wholeContent(
  copy: string,
  root: OpenRoot,
  session: CaptureSession,
  context: CaptureContext,
): Promise<Content> {
  const { size } = await lookAtDatabase(root);
  await refuseWithoutSpace(dirname(copy), Number(size), 'the copy');
  await makeCopy(root, copy, context).catch(async (error: unknown) => {
    await rm(copy, { force: true });
    throw error;
  });
  // Each takes a core; what turns out to be damaged is not committed.
  const checking = checkCopy(root, copy, context);
  checking.catch(() => undefined);
  const content = await storeFile(copy, session, progressIn(context, Number(size)));
  return { content, note: await checking };
}

function progressIn({ progress }: CaptureContext, total: number): (bytes: number) => void {
  return (bytes) => progress({ bytes, total });
}

/** Has SQLite copy what is committed. Rejects with TargetError. */
export async function makeCopy(root: OpenRoot, to: string, { signal }: Pick<CaptureContext, 'signal'>): Promise<void> {
  const { dev, ino } = await lookAtDatabase(root);
  const from = { path: root.path, dev: String(dev), ino: String(ino) };
  try {
    await askDatabase({ ask: 'copy', from, to, lockMs: LOCK_MS }, root.path, signal);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'locked') throw error;
    const who = await describeOpeners(root);
    throw new TargetError('locked', `${root.path} was locked for ${LOCK_MS / 1000} s by somebody else${who}`, error);
  }
}

/** What is worth saying of a copy that is intact. Rejects with TargetError `damaged`. */
async function checkCopy(root: OpenRoot, copy: string, { signal }: Pick<CaptureContext, 'signal'>): Promise<string> {
  const answer = await askDatabase({ ask: 'check', path: copy }, root.path, signal);
  if (answer.kind === 'damaged') {
    throw new TargetError('damaged', `${root.path} is damaged: ${answer.findings.join('; ')}`);
  }
  const faults = answer.kind === 'intact' ? answer.foreignKeyFaults : 0;
  return faults === 0 ? '' : `; ${faults} rows refer to rows that are not there`;
}

async function storeFile(path: string, session: CaptureSession, onBytes: (bytes: number) => void): Promise<BlobRef> {
  const { size } = await stat(path);
  const taken = await session.takeOwnFile(Buffer.from(path), size, onBytes);
  if (taken !== undefined) return taken;
  const handle = await open(path, 'r');
  let position = 0;
  const fill: Fill = async (buffer) => {
    let filled = 0;
    for (let more = 1; more > 0 && filled < buffer.length; filled += more) {
      ({ bytesRead: more } = await handle.read(buffer, filled, buffer.length - filled, position + filled));
    }
    position += filled;
    onBytes(position);
    return filled;
  };
  try {
    return await session.put(fill);
  } catch (error) {
    throw errnoOf(error) === undefined ? error : explained(error, path);
  } finally {
    await handle.close();
  }
}
