import type { Step } from '../../core/model/step.ts';

/** Programs, and what in their arguments ends data for good, as far as an argument vector shows it. */
const DESTROYERS: readonly (readonly [RegExp, RegExp])[] = [
  [/^(dropdb|pg_restore|mongorestore|shred|mkfs(\.\w+)?|wipefs|truncate)$/, /^/],
  [/^rm$/, /(^| )-\w*[rRf]/],
  [/^(psql|mysql|mariadb|sqlite3|clickhouse-client)$/, /\b(drop|truncate|delete\s+from)\b|\.restore\b/i],
  [/^(redis-cli|valkey-cli)$/, /(^| )(flushall|flushdb|del|unlink)\b/i],
  [/^git$/, /--hard\b|(^| )clean\b/],
  [/^(zfs|btrfs)$/, /(^| )(rollback|destroy|delete)\b/],
  [/^(docker|podman|docker-compose)$/, /\bdown\b.* (-v|--volumes)\b|\bvolume (rm|prune)\b|\bsystem prune\b/],
  [/^(kubectl|oc)$/, /(^| )delete\b/],
  [/^restic$/, /(^| )(restore|forget|prune)\b/],
];

/** Why a step loses data, in a few words; undefined if nothing shows that it does. */
export function losesData(step: Step): string | undefined {
  if (step.kind === 'http') return step.method === 'DELETE' ? 'it sends DELETE' : undefined;
  if (step.kind !== 'run') return undefined;
  const [path = '', ...rest] = step.argv;
  const program = path.slice(path.lastIndexOf('/') + 1);
  const args = rest.join(' ');
  const isFound = DESTROYERS.some(([names, argument]) => names.test(program) && argument.test(args));
  return isFound ? `it runs \`${`${program} ${args}`.trim().slice(0, 60)}\`` : undefined;
}
