/**
 * Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2): a list of quoted tags, weak ones among them, or `*`.
 * A tag without its quotes, as clients of OFREP hand on from events, counts too.
 */
export function matchesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((one) => {
    const given = one.trim().replace(/^W\//, '');
    return given === '*' || given === `"${tag}"` || given === tag;
  });
}
