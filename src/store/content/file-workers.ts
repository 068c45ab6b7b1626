import { Worker } from 'node:worker_threads';
import type { FileJob, FileReply } from './file-job.ts';

const IS_COMPILED = !import.meta.url.endsWith('.ts');
const PROGRAM = new URL(IS_COMPILED ? './file-worker.js' : './file-worker.ts', import.meta.url);

/** As many as there are cores on a small host; more would only wait for the disk. */
const THREADS = 2;
/** A thread has one batch in hand and one before it, so that it never waits for the main thread. */
const BATCHES = 2;
const JOBS_IN_BATCH = 8;
const IDLE_MS = 1_000;
/** After a thread was lost, so long none is asked for: what it wanted for may be short for a while. */
const PAUSE_AFTER_LOSS_MS = 60_000;

/**
 * Little JavaScript runs there, and 8 MB are enough for it; content is in buffers outside of the heap, which V8 lets grow to
 * its limit before it looks. A thread that begins from TypeScript has to read that first, which takes several times as much.
 */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: IS_COMPILED ? 12 : 96, stackSizeMb: 1 };

type Waiting = { readonly job: FileJob; readonly resolve: (reply: FileReply) => void };
type Lane = { readonly worker: Worker; readonly batches: (readonly Waiting[])[] };

/**
 * Threads for jobs on files. They begin with the first job, and end when there was none for a while, or with the
 * process. While they cannot be had, each job is to be done the long way.
 */
export class FileWorkers {
  readonly #lanes: Lane[] = [];
  readonly #queue: Waiting[] = [];
  #lostAt = -Infinity;
  #ending: NodeJS.Timeout | undefined;

  /** Never rejects. */
  async run(job: FileJob): Promise<FileReply> {
    if (performance.now() - this.#lostAt < PAUSE_AFTER_LOSS_MS) return { kind: 'again' };
    return await new Promise((resolve) => {
      this.#queue.push({ job, resolve });
      try {
        this.#send();
      } catch {
        // No thread can be had: the host has no memory, or no more processes, to give.
        this.#giveUp(this.#queue.splice(0));
      }
    });
  }

  #giveUp(jobs: readonly Waiting[]): void {
    this.#lostAt = performance.now();
    for (const { resolve } of jobs) resolve({ kind: 'again' });
  }

  #send(): void {
    clearTimeout(this.#ending);
    for (let [next] = this.#queue; next !== undefined; [next] = this.#queue) {
      const lane = this.#freeLane(isLong(next) ? 1 : BATCHES);
      if (lane === undefined) return;
      const batch = this.#queue.splice(0, this.#nextBatch());
      lane.batches.push(batch);
      lane.worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin, a window has
      lane.worker.postMessage(batch.map(({ job }) => job));
    }
  }

  #nextBatch(): number {
    const firstLong = this.#queue.findIndex(isLong);
    return firstLong < 0 ? JOBS_IN_BATCH : Math.min(JOBS_IN_BATCH, Math.max(1, firstLong));
  }

  #freeLane(most: number): Lane | undefined {
    const [idlest] = this.#lanes.toSorted((a, b) => a.batches.length - b.batches.length);
    if (idlest?.batches.length === 0) return idlest;
    if (this.#lanes.length < THREADS) return this.#begin();
    return idlest !== undefined && idlest.batches.length < most ? idlest : undefined;
  }

  #begin(): Lane {
    const lane: Lane = { worker: new Worker(PROGRAM, { resourceLimits: LIMITS, env: {} }), batches: [] };
    lane.worker.on('message', (replies: readonly FileReply[]) => this.#receive(lane, replies));
    // It is told of by its exit, too, which comes after an error.
    lane.worker.on('error', () => this.#lose(lane));
    lane.worker.on('exit', () => this.#lose(lane));
    this.#lanes.push(lane);
    return lane;
  }

  #receive(lane: Lane, replies: readonly FileReply[]): void {
    const batch = lane.batches.shift() ?? [];
    for (const [index, { resolve }] of batch.entries()) resolve(replies[index] ?? { kind: 'again' });
    if (lane.batches.length === 0) lane.worker.unref();
    this.#send();
    if (this.#lanes.every(({ batches }) => batches.length === 0)) this.#endLater();
  }

  /** A thread that ended by itself ran out of memory, or could not begin. */
  #lose(lane: Lane): void {
    const at = this.#lanes.indexOf(lane);
    if (at < 0) return;
    this.#lanes.splice(at, 1);
    this.#giveUp([...lane.batches.flat(), ...(this.#lanes.length === 0 ? this.#queue.splice(0) : [])]);
  }

  #endLater(): void {
    this.#ending = setTimeout(() => {
      for (const { worker } of this.#lanes.splice(0)) void worker.terminate();
    }, IDLE_MS).unref();
  }
}

/** It takes a thread for itself: what stands behind it would wait while another is idle. */
function isLong({ job }: Waiting): boolean {
  return job.kind === 'piece' || job.kind === 'givePiece' || job.kind === 'sum';
}
