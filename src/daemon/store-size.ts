import type { Event } from '../core/event.ts';
import { ContentError } from '../store/content/content-error.ts';

/** Only these operations change what is stored; ids begin with what is done. */
const CHANGES = /^(capture|collect)[:#]/;

/** What the content of points takes on the disk: measured once each time that something may have changed it. */
export class StoreSize {
  readonly #size: () => Promise<number>;
  readonly #onFault: (error: unknown) => void;
  #bytes: number | null = null;
  #isStale = false;
  #isMeasuring = false;

  constructor(size: () => Promise<number>, onFault: (error: unknown) => void) {
    this.#size = size;
    this.#onFault = onFault;
  }

  /** Null until it was measured, and while it cannot be. */
  get bytes(): number | null {
    return this.#bytes;
  }

  onEvents(events: readonly Event[]): void {
    if (events.some((event) => event.type === 'operation.finished' && CHANGES.test(event.id))) this.measure();
  }

  /** Ends by itself; a store that cannot be read now is measured when it changes next. */
  measure(): void {
    this.#isStale = true;
    if (!this.#isMeasuring) this.#measure().catch(this.#onFault);
  }

  async #measure(): Promise<void> {
    this.#isMeasuring = true;
    while (this.#isStale) {
      this.#isStale = false;
      this.#bytes = await this.#read();
    }
    this.#isMeasuring = false;
  }

  async #read(): Promise<number | null> {
    try {
      return await this.#size();
    } catch (error) {
      if (error instanceof ContentError || (error instanceof Error && 'syscall' in error)) return null;
      throw error;
    }
  }
}
