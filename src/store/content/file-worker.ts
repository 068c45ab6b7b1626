import { parentPort } from 'node:worker_threads';
import { doFileJob, type FileJob } from './file-job.ts';

/** The program of a thread: jobs come in batches, and the replies go back together, in the same order. */
parentPort?.on('message', (jobs: readonly FileJob[]) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin, a window has
  parentPort?.postMessage(jobs.map(doFileJob));
});
