/** A URL, so that a file that is not there is not made: sqlite.org/uri.html. */
export function sqliteUrl(path: string, options: Readonly<Record<string, string>>): URL {
  const url = new URL(`file://${encodeURI(path).replaceAll('?', '%3f').replaceAll('#', '%23')}`);
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, value);
  return url;
}
