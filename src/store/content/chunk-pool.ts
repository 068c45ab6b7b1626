import { CHUNK_BYTES } from './blob-ref.ts';

/**
 * A few buffers that all work of a capture takes turns with. They bound its memory, and with it how much is under way
 * at once. Who holds one must not wait for another.
 */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #unmade: number;

  constructor(size: number) {
    this.#unmade = size;
  }

  async acquire(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#unmade > 0) {
      this.#unmade -= 1;
      return Buffer.allocUnsafeSlow(CHUNK_BYTES);
    }
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
