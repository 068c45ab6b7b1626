/** As much of a browser's EventSource as OFREP's provider for pages needs: Node has none by default. */
export class SimpleEventSource {
  static readonly CLOSED = 2;
  readyState = 0;
  onmessage: ((event: { readonly data: string; readonly lastEventId: string }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  onopen: ((event: object) => void) | null = null;
  readonly #ending = new AbortController();
  readonly #listeners = new Map<string, (event: object) => void>();

  constructor(url: string) {
    this.#read(url).catch((error: unknown) => this.#fail(error));
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, listener);
  }

  removeEventListener(type: string): void {
    this.#listeners.delete(type);
  }

  close(): void {
    this.readyState = SimpleEventSource.CLOSED;
    this.#ending.abort();
  }

  #tell(type: 'open' | 'message' | 'error', event: { readonly data: string; readonly lastEventId: string }): void {
    if (type === 'message') this.onmessage?.(event);
    else this[`on${type}`]?.(event);
    this.#listeners.get(type)?.(event);
  }

  #fail(error: unknown): void {
    if (this.readyState === SimpleEventSource.CLOSED) return;
    this.readyState = SimpleEventSource.CLOSED;
    this.#tell('error', { data: String(error), lastEventId: '' });
  }

  async #read(url: string): Promise<void> {
    const answer = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: this.#ending.signal });
    if (!answer.ok || answer.body === null) throw new Error(`${answer.status} of ${url}`);
    this.readyState = 1;
    this.#tell('open', { data: '', lastEventId: '' });
    let text = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        const { data, id: lastEventId = '' } = fields as { data?: string; id?: string };
        if (data !== undefined) this.#tell('message', { data, lastEventId });
      }
    }
  }
}
