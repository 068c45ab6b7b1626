import { isUtf8 } from 'node:buffer';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import type { BlobRef } from '../../../store/content/blob-ref.ts';
import type { Fill } from '../../../store/content/capture-session.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { fillFromPieces } from '../../../store/content/fill-from-pieces.ts';
import { DEFAULT_PATH } from '../../process.ts';
import { findProgram } from '../../steps/run/examine.ts';
import {
  type CaptureContext,
  type CapturedHost,
  type CaptureOutcome,
  DiffTally,
  type PointContext,
  refuseOtherFormat,
  type TargetDiff,
} from '../captured-target.ts';
import { type CapturedContext, type CapturedOrder, capturedTargetDriver } from '../captured-target-driver.ts';
import { mustQuiesce } from '../quiesce.ts';
import { type TargetDriver, TargetError } from '../target-driver.ts';
import { wholeContent } from '../whole-content.ts';
import { refuseLonger, runProgram, sumOfOutput } from './run-program.ts';

const FORMAT = 'command/1';
/** Text up to here is shown line by line. */
const SMALL_BYTES = 64 * 1024;

/** What programs of the host write, and take back. */
export function commandTarget(host: CapturedHost): TargetDriver {
  return capturedTargetDriver(host, {
    kind: 'command',
    look: (target) => look(host, target),
    capture: (target, context) => capture(host, target, context),
    restore: (order, context) => restore(host, order, context),
    observe: (order, context) => observe(host, order, context),
    diff: (target, from, to, context) => diff(host, target, from, to, context),
    shownLine: ({ program }) => `what ${String(program)} wrote`,
    rehearse,
  });
}

/** A look runs nothing: that a program is there is all that can be told. */
async function look({ allow }: CapturedHost, { type }: TargetOf<'command'>): ReturnType<TargetDriver['read']> {
  const { PATH = DEFAULT_PATH } = type.env;
  for (const [program = ''] of [type.capture, type.restore]) {
    const refused = allow.mayRun(program);
    if (refused !== undefined) return { kind: 'unreadable', code: 'notAllowed', message: refused };
    if (typeof PATH === 'string' && (await findProgram(program, PATH)) === undefined) {
      return { kind: 'unreadable', code: 'program', message: `${program} is not there, or cannot be executed` };
    }
  }
  return { kind: 'captured' };
}

async function capture(
  host: CapturedHost,
  target: TargetOf<'command'>,
  context: CaptureContext,
): Promise<CaptureOutcome> {
  const { store, operation, signal, compression = store.compression, previous, now, progress } = context;
  const from = now();
  const options = { operation, signal, compression };
  const session = await store.begin(previous === undefined ? options : { ...options, previous: previous.manifest });
  const stored: { content?: BlobRef } = {};
  const take = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    stored.content = await session.put(watched(target, fillFromPieces(stdout), progress));
  };
  const { capture: argv } = target.type;
  await runProgram(host, target, { argv, signal, take, told: { REVERTD_OPERATION: operation } });
  const { content } = stored;
  // An empty one would empty the target when it is put back; more likely the program failed without saying so.
  if (content === undefined || content.bytes === 0) throw new TargetError('format', `${argv[0]} wrote nothing`);
  const { manifest, storedBytes } = await session.commit([{ format: FORMAT, program: argv[0], content }]);
  const { sha256: fingerprint, bytes } = content;
  const note = fingerprint === previous?.fingerprint ? ', unchanged' : '';
  const sizes = { bytes, storedBytes, compression, encrypted: store.encrypts };
  return {
    outcome: 'done',
    snapshot: { manifest, fingerprint, ...sizes, from, to: now() },
    detail: `${bytes} bytes${note}`,
  };
}

function watched(target: TargetOf<'command'>, fill: Fill, progress: CaptureContext['progress']): Fill {
  let bytes = 0;
  return async (buffer) => {
    const filled = await fill(buffer);
    bytes += filled;
    refuseLonger(target, bytes);
    progress({ bytes });
    return filled;
  };
}

/** Rejects with TargetError `snapshot`, and with ContentError. */
async function contentIn(store: ContentStore, { manifest }: Pick<Snapshot, 'manifest'>): Promise<BlobRef> {
  for await (const { format, content } of store.manifest(manifest)) {
    refuseOtherFormat(format, FORMAT);
    if (content !== undefined) return content;
  }
  throw new TargetError('snapshot', 'the snapshot makes no sense; it was written by something else');
}

type Order = CapturedOrder<TargetOf<'command'>>;

/**
 * The program reads the content from a file, not from a pipe: all of it has been held against its sums before anything is
 * touched, and if revertd is killed meanwhile the program does not take the end of a pipe for the end of the content.
 */
async function restore(host: CapturedHost, order: Order, context: CapturedContext): Promise<string> {
  const { target, snapshot, paths } = order;
  const { store, signal, operation } = context;
  const { restore: argv } = target.type;
  if (paths.length > 0) throw new TargetError('snapshot', `${target.name} has no parts; it is restored as a whole`);
  const refused = host.allow.mayRun(argv[0] ?? '');
  if (refused !== undefined) throw new TargetError('notAllowed', refused);
  const content = await contentIn(store, snapshot);
  return await store.withScratch(async (folder) => {
    const path = join(folder, 'content');
    await writeContent(store, content, path, signal);
    const handle = await open(path, 'r');
    try {
      await unlink(path);
      await mustQuiesce(target, context);
      const told = {
        REVERTD_OPERATION: operation,
        REVERTD_BYTES: String(content.bytes),
        REVERTD_SHA256: content.sha256,
      };
      const said = await runProgram(host, target, { argv, signal, stdin: { fd: handle.fd }, told });
      await mustShow(host, target, content, signal);
      return `${argv[0]} took ${content.bytes} bytes${said === '' ? '' : `: ${said}`}`;
    } finally {
      await handle.close();
    }
  });
}

async function writeContent(store: ContentStore, content: BlobRef, path: string, signal: AbortSignal): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const piece of store.read(content)) {
      if (signal.aborted) throw new TargetError('aborted', 'the restore was ended before anything was changed');
      await handle.writeFile(piece);
    }
  } finally {
    await handle.close();
  }
}

async function mustShow(
  host: CapturedHost,
  target: TargetOf<'command'>,
  content: BlobRef,
  signal: AbortSignal,
): Promise<void> {
  const { observe: argv, restore: restored } = target.type;
  if (argv === undefined) return;
  const { sha256, bytes } = await sumOfOutput(host, target, { argv, signal });
  if (sha256 === content.sha256) return;
  const shown = `${argv[0]} shows ${bytes} bytes that differ from the ${content.bytes} of the point`;
  throw new TargetError('program', `${restored[0]} ended well, but ${shown}`);
}

/** Without a program that shows it nobody knows. */
async function observe(
  host: CapturedHost,
  { target, snapshot }: Order,
  { signal, store }: Pick<PointContext, 'signal' | 'store'>,
): Promise<'done' | 'notDone' | 'unknown'> {
  const { observe: argv } = target.type;
  if (argv === undefined) return 'unknown';
  const { sha256 } = await contentIn(store, snapshot);
  return (await sumOfOutput(host, target, { argv, signal })).sha256 === sha256 ? 'done' : 'notDone';
}

async function diff(
  host: CapturedHost,
  target: TargetOf<'command'>,
  from: Snapshot,
  to: Snapshot | 'live',
  { store, signal }: PointContext,
): Promise<TargetDiff> {
  const { capture: captured, observe: observed = captured } = target.type;
  const tally = new DiffTally('content');
  const before = await contentIn(store, from);
  const after =
    to === 'live' ? await sumOfOutput(host, target, { argv: observed, signal }) : await contentIn(store, to);
  if (before.sha256 !== after.sha256) {
    const isSmall = before.bytes <= SMALL_BYTES && after.bytes <= SMALL_BYTES;
    const newer = async () =>
      to === 'live' ? await outputOf(host, target, observed, signal) : await wholeContent(store, after);
    const lines = isSmall ? linesOf(await wholeContent(store, before), await newer()) : undefined;
    const detail = `${before.bytes} → ${after.bytes} bytes`;
    await tally.add('changed', () => ({ what: 'content', detail, ...(lines === undefined ? {} : { lines }) }));
  }
  return { groups: [tally.group()] };
}

async function outputOf(
  host: CapturedHost,
  target: TargetOf<'command'>,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const take = async (stdout: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of stdout) {
      bytes += piece.length;
      if (bytes <= SMALL_BYTES) pieces.push(piece);
    }
  };
  await runProgram(host, target, { argv, signal, take });
  return Buffer.concat(pieces);
}

function linesOf(before: Buffer, after: Buffer): string | undefined {
  const isText = [before, after].every((bytes) => isUtf8(bytes) && !bytes.includes(0));
  if (!isText) return undefined;
  const [older, newer] = [before.toString('utf8'), after.toString('utf8')];
  return createTwoFilesPatch('content', 'content', older, newer, undefined, undefined, { context: 3 });
}

async function rehearse(
  _target: TargetOf<'command'>,
  snapshot: Snapshot,
  folder: string,
  { store, signal }: PointContext,
): Promise<{ path: string; detail: string }> {
  const content = await contentIn(store, snapshot);
  const path = join(folder, 'content');
  await writeContent(store, content, path, signal);
  return { path, detail: `${content.bytes} bytes; the program that takes them was not run` };
}
