import { URL } from './storefront.ts';

/** Limits that the policies have too. */
const LIMITS = { storefront_order_seconds: 0.5, storefront_unpaid_ratio: 0.2 } as const;
const EVERY_MS = 50;

/** When the service's own figures turned bad, and when they were good again, as somebody else sees them. */
export class Gauge implements Disposable {
  brokenAt: number | null = null;
  mendedAt: number | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  /** While there is no figure nothing is known, and nothing changes. */
  async #look(): Promise<void> {
    const text = await fetch(`${URL}/figures`)
      .then(async (response) => await response.text())
      .catch(() => '');
    const figures = new Map(text.split('\n').map((line) => line.split(' ', 2) as [string, string]));
    if (!figures.has('storefront_order_seconds')) return;
    const isBad = Object.entries(LIMITS).some(([name, limit]) => Number(figures.get(name)) > limit);
    if (isBad) {
      this.brokenAt ??= Date.now();
      this.mendedAt = null;
    } else if (this.brokenAt !== null) {
      this.mendedAt ??= Date.now();
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
