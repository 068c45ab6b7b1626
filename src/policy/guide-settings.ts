import type { JsonValue } from '../core/model/step.ts';
import { settingValue } from './setting-value.ts';

/** A name of the operator guide in the environment; what it means in terms of the configuration. */
type GuideSetting = { readonly name: string; readonly read: (text: string) => JsonValue };

/**
 * By the configuration's path. The guide counts time in milliseconds and memory in bytes. What is no number is left as it
 * is, and refused by the schema.
 */
export const guideSettings: Readonly<Record<string, GuideSetting>> = {
  'points.maxPoints': { name: 'ROLLBACK_MAX_POINTS', read: (text) => settingValue('number', text) },
  'points.defaultTtl': { name: 'ROLLBACK_DEFAULT_TTL', read: (text) => withUnit(text, 'ms') },
  'points.autoCleanup': { name: 'ROLLBACK_AUTO_CLEANUP', read: (text) => settingValue('truth', text) },
  'points.cleanupInterval': { name: 'ROLLBACK_CLEANUP_INTERVAL', read: (text) => withUnit(text, 'ms') },
  'points.compression': {
    name: 'ROLLBACK_ENABLE_COMPRESSION',
    read: (text) => (text === 'true' ? 'zstd' : text === 'false' ? 'none' : text),
  },
  'points.persistence': { name: 'ROLLBACK_ENABLE_PERSISTENCE', read: (text) => settingValue('truth', text) },
  'points.memoryLimit': { name: 'ROLLBACK_MEMORY_LIMIT', read: (text) => withUnit(text, 'B') },
  'postgres.host': { name: 'POSTGRESQL_HOST', read: (text) => text },
  'postgres.port': { name: 'POSTGRESQL_PORT', read: (text) => settingValue('number', text) },
  'postgres.database': { name: 'POSTGRESQL_DATABASE', read: (text) => text },
  'postgres.user': { name: 'POSTGRESQL_USER', read: (text) => text },
  'postgres.poolSize': { name: 'POSTGRESQL_POOL_SIZE', read: (text) => settingValue('number', text) },
};

function withUnit(text: string, unit: string): string {
  return /^\d+$/.test(text) ? `${text}${unit}` : text;
}
