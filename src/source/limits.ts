const MIB = 1024 * 1024;

/** What one revision may hold. People write these files, so more is a mistake, and must not cost memory. */
export const LIMITS = { fileBytes: MIB, files: 5000, totalBytes: 32 * MIB } as const;

/** What is over the limits, in words; undefined if nothing is. */
export function overLimits(
  files: readonly { readonly path: string; readonly sizeBytes: number }[],
): string | undefined {
  const crowd = tooMany(files.length);
  if (crowd !== undefined) return crowd;
  const large = files.find((file) => file.sizeBytes > LIMITS.fileBytes);
  if (large !== undefined) {
    return `${large.path} has ${large.sizeBytes} bytes; a policy file may have ${LIMITS.fileBytes} (1 MiB). Split it, or move it out of the policy folder`;
  }
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (total <= LIMITS.totalBytes) return undefined;
  return `the policy files have ${total} bytes together; they may have ${LIMITS.totalBytes} (32 MiB). Move what is no policy out of the folder`;
}

/** The same for the mere number of files, which is known before their sizes. */
export function tooMany(count: number): string | undefined {
  if (count <= LIMITS.files) return undefined;
  return `there are ${count} policy files; a revision may have ${LIMITS.files}. Name a smaller folder, or move what is no policy out of it`;
}
