import type { Halt } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import { explainSchemaError } from '../../policy/explain-schema-error.ts';
import { validatorOfFile } from '../../policy/schema-files.ts';
import { BackupError } from './backup-error.ts';

export const BACKUP_NOTE = 'revertd-backup.json';

/** What a backup says of itself; the first file in it. */
export type BackupNote = {
  readonly schemaVersion: 1;
  /** The version that wrote it. */
  readonly revertd: string;
  readonly host: string;
  readonly takenAt: Millis;
  /** `schema`: of the database. `seq` and `hash`: the head of the log. `sha256`: of the database's file. */
  readonly store: { readonly schema: number; readonly seq: number; readonly hash: string; readonly sha256: string };
  /** The halt is a file beside the store. */
  readonly halt: Halt | null;
  /** Whose content is in it; null if content was left out, or is in memory only. */
  readonly manifests: readonly string[] | null;
};

/** @throws {BackupError} `format` */
export function readBackupNote(text: string, file: string): BackupNote {
  const validate = validatorOfFile<BackupNote>('backup-note.schema.json');
  const note = parsed(text, file);
  if (validate(note)) return note;
  const [first] = validate.errors ?? [];
  const why = first === undefined ? '' : `: ${explainSchemaError(first).message}`;
  throw new BackupError(
    'format',
    `${file}: what its ${BACKUP_NOTE} says makes no sense${why}; is it of a newer revertd?`,
  );
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackupError('format', `${file}: its ${BACKUP_NOTE} is no JSON`, { cause });
  }
}
