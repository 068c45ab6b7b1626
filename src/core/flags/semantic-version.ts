/** A version as Semantic Versioning 2.0.0 has it; what stands after `+` does not count in comparisons. */
export type SemanticVersion = {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  readonly prerelease: readonly string[];
};

const NUMBER = '(0|[1-9]\\d{0,15})';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const FULL = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`);
const PARTIAL = /^(\d{1,16})(?:\.(\d{1,16}))?$/;
const LONGEST = 256;

/** As flagd is lenient: a leading `v` is dropped, `1` and `1.2` are 1.0.0 and 1.2.0. Undefined for everything else. */
export function parseVersion(text: string): SemanticVersion | undefined {
  if (text.length > LONGEST) return undefined;
  const bare = /^[vV]/.test(text) ? text.slice(1) : text;
  const full = FULL.exec(bare);
  if (full !== null) {
    const [, major, minor, patch, prerelease] = full;
    const identifiers = prerelease?.split('.') ?? [];
    if (identifiers.some((identifier) => /^0\d+$/.test(identifier))) return undefined;
    return { numbers: [Number(major), Number(minor), Number(patch)], prerelease: identifiers };
  }
  const partial = PARTIAL.exec(bare);
  return partial === null ? undefined : { numbers: [Number(partial[1]), Number(partial[2] ?? 0), 0], prerelease: [] };
}

/** Negative if the first is older, positive if it is newer, 0 if they are of the same precedence (semver.org, section 11). */
export function compareVersions(one: SemanticVersion, other: SemanticVersion): number {
  for (const [index, number] of one.numbers.entries()) {
    const difference = number - (other.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(one.prerelease, other.prerelease);
}

/** A version with one is older than the same without. */
function comparePrereleases(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return other.length - one.length;
  for (const [index, identifier] of one.entries()) {
    const opposite = other[index];
    if (opposite === undefined) return 1;
    const difference = compareIdentifiers(identifier, opposite);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function compareIdentifiers(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
  if (isNumber && isOtherNumber) return Number(one) - Number(other);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return one === other ? 0 : one < other ? -1 : 1;
}
