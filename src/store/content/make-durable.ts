import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';

/** Below this many files, asking for each is quicker than starting a program. */
const FEW = 16;

/**
 * Makes files durable that were written in a folder: with syncfs(2), which Node does not have and coreutils' `sync -f`
 * does, by one request to the disk instead of one for each file. Rejects with the error of a system call.
 */
export async function makeDurable(folder: string, files: readonly string[]): Promise<void> {
  if (files.length >= FEW && (await syncFileSystem(folder)) === undefined) return;
  for (const file of files) {
    const handle = await open(file, 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}

/** The same for the names in folders, which all are in the first one. */
export async function makeNamesDurable(folder: string, folders: readonly string[]): Promise<void> {
  if (folders.length >= FEW && (await syncFileSystem(folder)) === undefined) return;
  for (const path of [...folders, folder]) await syncFolder(path);
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Undefined once it is done; else why not: that there is no such program, or how it ended. */
export async function syncFileSystem(folder: string): Promise<string | undefined> {
  const child = spawn('sync', ['-f', folder], { stdio: 'ignore' });
  const [ended]: unknown[] = await once(child, 'exit').catch((error: unknown) => [error]);
  if (ended === 0) return undefined;
  return ended instanceof Error ? ended.message : `it ended with ${String(ended)}`;
}
