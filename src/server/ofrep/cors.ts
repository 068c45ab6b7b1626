/** The origins whose pages may ask for flags; `*` for all. */
export type Origins = readonly string[];

const NONE: Readonly<Record<string, string>> = {};

/** Pages of these origins may read answers, and the headers of them that OFREP needs (fetch.spec.whatwg.org). */
export function corsHeaders(origins: Origins, origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined || origins.length === 0) return NONE;
  const isAny = origins.includes('*');
  if (!isAny && !origins.includes(origin)) return NONE;
  return {
    'access-control-allow-origin': isAny ? '*' : origin,
    'access-control-expose-headers': 'ETag, Retry-After',
    ...(isAny ? {} : { vary: 'Origin' }),
  };
}

export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'POST, GET, OPTIONS',
  'access-control-allow-headers': 'Authorization, X-API-Key, Content-Type, If-None-Match, Cache-Control, Last-Event-ID',
  'access-control-max-age': '600',
};
