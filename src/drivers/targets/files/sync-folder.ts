import { syncFileSystem } from '../../../store/content/make-durable.ts';
import { TargetError } from '../target-driver.ts';
import type { OpenFolder } from './open-folder.ts';

const EARLY_BYTES = 32 * 1024 * 1024;

/** One call for all that was written, instead of one for each file. */
export async function makeDurable(folder: OpenFolder): Promise<void> {
  const why = await syncFileSystem(`/proc/${process.pid}/fd/${folder.handle.fd}/.`);
  if (why !== undefined) throw new TargetError('io', `what was written cannot be made durable: \`sync -f\`: ${why}`);
}

/**
 * Has the disk write while the next files are made ready: else it would be idle until the end, and all would wait for it
 * then. What it comes to does not matter, as everything is made durable once more when all is written.
 */
export class EarlySync {
  #waiting = 0;
  #running: Promise<void> | undefined;

  wrote(folder: OpenFolder, bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < EARLY_BYTES || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#running = makeDurable(folder)
      .catch(() => undefined)
      .finally(() => (this.#running = undefined));
  }

  /** The folders can be let go of then. */
  async end(): Promise<void> {
    await this.#running;
  }
}
