import { sep } from 'node:path';
import { watch } from 'chokidar';
import type { Millis } from '../../core/units.ts';

/** After the last of a burst of events a hint is given; editors and checkouts touch many files at once. */
export const QUIET_MS: Millis = 50;
/** A folder in which something changes all the time is still hinted at this often. */
export const LONGEST_QUIET_MS: Millis = 1000;

/**
 * Watches a folder, which may come and go, and calls back once the changes below it have settled, and once at the start for
 * what happened before the watching began. Hidden entries count, since links may lead to them; `.git` does not.
 * @param onFault told of what the operating system refuses, such as a limit on watches
 */
export function watchFolder(root: string, onHint: () => void, onFault: (error: unknown) => void): () => Promise<void> {
  const hint = debounce(onHint, QUIET_MS, LONGEST_QUIET_MS);
  const repository = `${root}${sep}.git`;
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) => path === repository || path.startsWith(repository + sep),
  });
  watcher.on('all', hint.trigger);
  watcher.on('ready', hint.trigger);
  watcher.on('error', onFault);
  return async () => {
    hint.cancel();
    await watcher.close();
  };
}

type Debounced = { readonly trigger: () => void; readonly cancel: () => void };

/** Calls back when `quietMs` passed without a trigger, or `longestMs` since the first one that was not answered. */
export function debounce(callback: () => void, quietMs: Millis, longestMs: Millis): Debounced {
  let quiet: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;
  const cancel = () => {
    clearTimeout(quiet);
    clearTimeout(longest);
    longest = undefined;
  };
  const fire = () => {
    cancel();
    callback();
  };
  const trigger = () => {
    clearTimeout(quiet);
    quiet = setTimeout(fire, quietMs);
    longest ??= setTimeout(fire, longestMs);
  };
  return { trigger, cancel };
}
