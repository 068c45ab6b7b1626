import { formatDuration, type Millis } from '../units.ts';

/** Whether a file is there, and is what it should be. Everything that is named must hold. */
export type FileCheckSpec = {
  readonly kind: 'file';
  readonly path: string;
  readonly is: 'present' | 'absent';
  readonly contains?: string;
  /** Of the content, in hex. */
  readonly sha256?: string;
  /** Changed at most so long ago. */
  readonly newerThanMs?: Millis;
  readonly timeoutMs: Millis;
};

export function describeFileCheck(check: Omit<FileCheckSpec, 'kind' | 'timeoutMs'>): string {
  const parts = [
    ...(check.contains === undefined ? [] : [`contains ${JSON.stringify(check.contains)}`]),
    ...(check.sha256 === undefined ? [] : [`has the SHA-256 ${check.sha256}`]),
    ...(check.newerThanMs === undefined ? [] : [`is newer than ${formatDuration(check.newerThanMs)}`]),
  ];
  return `${check.path} ${parts.length === 0 ? `is ${check.is}` : parts.join(' and ')}`;
}
