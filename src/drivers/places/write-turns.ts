const last = new Map<string, Promise<unknown>>();

/**
 * Writes to the same path wait for each other, so that one never takes the other's temporary file for a leftover. All
 * writers of this process stand in the same row: places, and steps that edit files.
 */
export async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(path) ?? Promise.resolve()).then(work, work);
  last.set(path, turn);
  try {
    return await turn;
  } finally {
    if (last.get(path) === turn) last.delete(path);
  }
}
