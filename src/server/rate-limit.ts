import type { Millis } from '../core/units.ts';
import type { Principal } from './access.ts';

/** So many requests a second on average, and so many at once, of each who asks. */
export type RateLimitSettings = { readonly perSecond: number; readonly burst: number };

/** Takes one request of somebody, who is an address or a token; the time until there may be one more, 0 if it may be now. */
export type RateLimit = (who: string | Principal, now: Millis) => Millis;

type Bucket = { tokens: number; at: Millis };

/** Of those who ask only the latest are known: who has not asked for long has a full bucket anyway. */
const MOST_BUCKETS = 10_000;

/** A token bucket for each who asks. `now` must not run backwards. */
export function rateLimitBy({ perSecond, burst }: RateLimitSettings): RateLimit {
  const buckets = new Map<string | Principal, Bucket>();
  const begin = (who: string | Principal, now: Millis): Bucket => {
    const bucket = { tokens: burst, at: now };
    buckets.set(who, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > MOST_BUCKETS && oldest !== undefined) buckets.delete(oldest);
    return bucket;
  };
  return (who, now) => {
    const bucket = buckets.get(who) ?? begin(who, now);
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return ((1 - bucket.tokens) / perSecond) * 1000;
    bucket.tokens -= 1;
    return 0;
  };
}
