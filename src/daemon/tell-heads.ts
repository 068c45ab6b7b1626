import type { Store } from '../store/store.ts';
import type { Log } from './log.ts';

const EVERY_MS = 300_000;

/** Tells where the log stands: `say` does so now if it has grown, and so it is every five minutes until it is disposed of. */
export type HeadTelling = Disposable & { readonly say: () => void };

/**
 * Who may write the store can rewrite all of it, hashes and all; not what the journal was told. `audit verify --journal` holds
 * the one against the other. What is told is the log's last event and its hash.
 */
export function tellHeads(store: Pick<Store, 'head'>, log: Log): HeadTelling {
  let told = 0;
  const say = (): void => {
    const { seq, hash } = store.head;
    if (seq === told) return;
    told = seq;
    log.info({ logHead: `${seq}:${hash}` }, 'this is where the log stands');
  };
  const timer = setInterval(say, EVERY_MS);
  timer.unref();
  say();
  return { say, [Symbol.dispose]: () => clearInterval(timer) };
}
