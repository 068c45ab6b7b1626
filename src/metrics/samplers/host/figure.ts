import { readFile } from 'node:fs/promises';

/** One sample before it has the labels of its source. */
export type Figure = {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

/** Where the kernel's files are; a test gives folders of its own. */
export type Roots = { readonly proc: string; readonly sys: string };

/** The kernel counts CPU time for user space in hundredths of a second, whatever its own tick is: see proc(5), sysconf(3). */
export const TICKS_PER_SECOND = 100;

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Undefined if there is no such file, or the kernel does not support what it stands for. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EOPNOTSUPP', 'ENODEV', 'ESRCH'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}
