/** What stands at a path below the policy folder. */
export type Place = { readonly kind: 'file' | 'folder' | 'other' } | { readonly kind: 'link'; readonly target: string };

/** Looks a path up without following a link in its last part; undefined if nothing is there. */
export type Look = (path: string) => Promise<Place | undefined>;

export type LinkEnd =
  | { readonly end: 'file'; readonly path: string }
  | { readonly end: 'folder' | 'nowhere' | 'outside' | 'loop' };

/** As many links as Linux follows in one path (path_resolution(7)). */
const MOST_HOPS = 40;

/**
 * Follows a symbolic link within the policy folder. A link that leaves the folder ends `outside`, also if its target would
 * come back in, and so does every absolute one: where such links lead depends on the machine, not on the revision.
 */
export async function followLink(path: string, look: Look): Promise<LinkEnd> {
  const ahead = path.split('/');
  const behind: string[] = [];
  let hops = 0;
  let here: Place = { kind: 'folder' };
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === '' || part === '.') continue;
    if (here.kind !== 'folder') return { end: 'nowhere' };
    if (part === '..') {
      if (behind.pop() === undefined) return { end: 'outside' };
      continue;
    }
    behind.push(part);
    const found = await look(behind.join('/'));
    if (found === undefined) return { end: 'nowhere' };
    if (found.kind !== 'link') {
      here = found;
      continue;
    }
    hops += 1;
    if (hops > MOST_HOPS) return { end: 'loop' };
    if (found.target.startsWith('/')) return { end: 'outside' };
    behind.pop();
    ahead.unshift(...found.target.split('/'));
  }
  return endAt(here, behind.join('/'));
}

function endAt(here: Place, path: string): LinkEnd {
  if (here.kind === 'file') return { end: 'file', path };
  return { end: here.kind === 'folder' ? 'folder' : 'nowhere' };
}
