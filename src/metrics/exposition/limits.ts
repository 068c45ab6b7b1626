/** How long an exposition may be, after unpacking, where a source says nothing else. */
export const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** How many samples it may have. */
export const DEFAULT_MAX_SAMPLES = 50_000;
