/** Raised when a field of any answer changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;
