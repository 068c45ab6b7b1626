import { NameSet } from './name-set.ts';

/**
 * Who needs what, and what is being removed: between the two there must be no gap. A capture claims a name before it
 * looks whether it is there; a collection asks right before it removes. Whoever claims what is just being removed waits
 * until it is gone, and then stores it anew. A piece and a manifest of the same name are claimed together: that keeps at worst
 * one of them for longer.
 */
export class Claims {
  readonly #holders = new Map<string, Set<NameSet>>();
  readonly #removing = new Map<string, Promise<unknown>>();

  /** A row of claims that ends as a whole. */
  open(operation: string): ClaimSet {
    const names = new NameSet();
    const sets = this.#holders.get(operation) ?? new Set();
    this.#holders.set(operation, sets.add(names));
    return {
      claim: async (name) => {
        names.add(name);
        await this.#removing.get(name);
      },
    };
  }

  release(operation: string): void {
    this.#holders.delete(operation);
  }

  /** Removes it unless somebody claims it; says whether it did. */
  async removeUnclaimed(name: string, remove: () => Promise<unknown>): Promise<boolean> {
    for (const sets of this.#holders.values()) {
      for (const names of sets) if (names.has(name)) return false;
    }
    const removing = remove();
    this.#removing.set(
      name,
      removing.catch(() => undefined),
    );
    try {
      await removing;
      return true;
    } finally {
      this.#removing.delete(name);
    }
  }
}

export type ClaimSet = {
  /** From the call on nobody removes it; resolves once nobody is removing it any more. */
  readonly claim: (name: string) => Promise<void>;
};
