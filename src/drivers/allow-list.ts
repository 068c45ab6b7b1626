/**
 * What policies may touch on this host. It stands in the host's own configuration, never in the policies, and is applied
 * twice: when policies are loaded, and again by the driver right before the effect, on the path that links led to.
 *
 * A list that is absent allows everything but the built-in refusals; an empty list allows nothing. `*` in a pattern
 * stands for any characters but `/`, `**` for any characters at all.
 */
export type AllowRules = {
  /** Absolute paths or patterns; a path also stands for everything below it. */
  readonly paths?: readonly string[];
  /** Unit names or patterns: `memory-*.service`. */
  readonly units?: readonly string[];
  /** Names of containers or patterns: `mem0*`; compose files by their absolute paths or patterns. */
  readonly containers?: readonly string[];
  /** Programs as policies write them: `/usr/bin/npm`, `npm`. */
  readonly commands?: readonly string[];
  /** `example.com`, `*.example.com`, `127.0.0.1:8080`; without a port any port. */
  readonly hosts?: readonly string[];
  /** revertd's own folders (data, configuration): never written for a policy, whatever `paths` says. */
  readonly ownFolders?: readonly string[];
};

/** Each function returns why it is refused, for people, or undefined if it is allowed. */
export type AllowList = {
  readonly mayWrite: (path: string) => string | undefined;
  readonly mayRun: (program: string) => string | undefined;
  readonly mayTouchUnit: (unit: string) => string | undefined;
  /** A container by its name, or a compose project by the absolute path of its file. */
  readonly mayTouchContainer: (container: string) => string | undefined;
  readonly mayCall: (url: string) => string | undefined;
  readonly mayConnect: (host: string, port: number) => string | undefined;
};

/** Kernel interfaces, and files with which a policy could make itself root or lock people out. */
const NEVER_WRITTEN = [
  '/proc',
  '/sys',
  '/dev',
  '/boot',
  '/etc/passwd*',
  '/etc/shadow*',
  '/etc/group*',
  '/etc/gshadow*',
  '/etc/sudoers*',
  '/etc/doas.conf',
  '/etc/pam.*',
  '/etc/ssh',
  '/etc/security',
  '/etc/ld.so.*',
  '/etc/cron*',
  '/etc/revertd',
  '**/.ssh',
];

/** revertd would not be there any more to finish what it began. */
const OWN_UNITS = ['revertd', 'revertd.service'];

const UNIT_NAME = /^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$/;

/** What Docker and podman take for a name. */
const CONTAINER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

export function createAllowList(rules: AllowRules): AllowList {
  return {
    mayWrite: (path) => refusePath(rules, path),
    mayRun: (program) => refuseProgram(rules, program),
    mayTouchUnit: (unit) => refuseUnit(rules, unit),
    mayTouchContainer: (container) => refuseContainer(rules, container),
    mayCall: (url) => refuseUrl(rules, url),
    mayConnect: (host, port) => refuseHost(rules, host, port),
  };
}

function refusePath(rules: AllowRules, path: string): string | undefined {
  if (!isPlainAbsolute(path)) return `${path} is not an absolute path without empty, "." and ".." parts`;
  const denied = [...NEVER_WRITTEN, ...(rules.ownFolders ?? [])].find((pattern) => isAtOrBelow(pattern, path));
  if (denied !== undefined) return `${path} is never written for a policy (${denied})`;
  if (rules.paths === undefined || rules.paths.some((pattern) => isAtOrBelow(pattern, path))) return undefined;
  return notAllowed(path, 'paths', rules.paths);
}

function refuseProgram(rules: AllowRules, program: string): string | undefined {
  if (program === '' || program.includes('\0')) return 'the program has no name';
  if (program.includes('/') && !isPlainAbsolute(program)) {
    return `${program} is neither an absolute path nor a plain name`;
  }
  if (rules.commands === undefined || rules.commands.some((pattern) => matches(pattern, program))) return undefined;
  return notAllowed(program, 'commands', rules.commands);
}

function refuseUnit(rules: AllowRules, unit: string): string | undefined {
  if (!UNIT_NAME.test(unit)) return `${JSON.stringify(unit)} is not the name of a systemd unit`;
  if (OWN_UNITS.includes(unit)) return `${unit} is revertd itself, which would not be there to finish the step`;
  if (rules.units === undefined || rules.units.some((pattern) => matches(pattern, unit))) return undefined;
  return notAllowed(unit, 'units', rules.units);
}

function refuseContainer(rules: AllowRules, container: string): string | undefined {
  if (!(CONTAINER_NAME.test(container) || isPlainAbsolute(container))) {
    return `${JSON.stringify(container)} is neither the name of a container nor the absolute path of a compose file`;
  }
  if (rules.containers === undefined || rules.containers.some((pattern) => matches(pattern, container)))
    return undefined;
  return notAllowed(container, 'containers', rules.containers);
}

function refuseUrl(rules: AllowRules, text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return `${text} is not an absolute URL`;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `${url.protocol} is not http: or https:`;
  if (url.username !== '' || url.password !== '') {
    return `the URL of ${url.host} holds a user name or password; name them in headers as a credential instead`;
  }
  return refuseHost(rules, url.hostname, url.port || (url.protocol === 'https:' ? 443 : 80), url.host);
}

function refuseHost(
  { hosts }: AllowRules,
  host: string,
  port: number | string,
  shown = `${host}:${port}`,
): string | undefined {
  const names = [host, `${host}:${port}`].map((name) => name.toLowerCase());
  if (hosts === undefined) return undefined;
  if (hosts.some((pattern) => names.some((name) => matches(pattern.toLowerCase(), name)))) return undefined;
  return notAllowed(shown, 'hosts', hosts);
}

function notAllowed(what: string, list: string, patterns: readonly string[]): string {
  const allowed = patterns.length === 0 ? 'none' : patterns.join(', ');
  return `${what} is not among the ${list} that this host allows to policies (${allowed})`;
}

function isPlainAbsolute(path: string): boolean {
  const [first, ...parts] = path.split('/');
  return (
    first === '' &&
    parts.length > 0 &&
    !path.includes('\0') &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

/** `/etc/app` covers itself and what is below it; so does a pattern. */
function isAtOrBelow(pattern: string, path: string): boolean {
  const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : '';
  return matches(trimmed, path) || matches(`${trimmed}/**`, path);
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, 's').test(text);
}
