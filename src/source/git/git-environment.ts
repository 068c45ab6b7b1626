import type { Credentials, GitLocation } from './git-location.ts';

export type SshOptions = { readonly identityFile?: string; readonly knownHostsFile?: string };

const CONNECT_TIMEOUT_SECONDS = 10;
const STALLED_SECONDS = 30;

/** What git may see of the daemon's environment. No `GIT_*`: they could redirect anything. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const;

/** Marks the processes that a daemon started, so that a later one finds those that outlived it. */
export const OWNER_VARIABLE = 'REVERTD_GIT_OWNER';

export type EnvironmentOptions = {
  readonly inherited: NodeJS.ProcessEnv;
  readonly repository: string;
  readonly settingsFile: string;
  readonly ssh: SshOptions;
  readonly credentials: Credentials | undefined;
};

/** The environment of every git command: no prompts, no configuration but ours, English, nothing inherited by accident. */
export function gitEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { inherited, repository, settingsFile, ssh, credentials } = options;
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  return {
    ...environment,
    LC_ALL: 'C',
    LANGUAGE: 'C',
    GIT_DIR: repository,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: settingsFile,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: sshCommand(ssh),
    GIT_SSH_VARIANT: 'ssh',
    [OWNER_VARIABLE]: String(process.pid),
    ...(credentials === undefined
      ? {}
      : { REVERTD_GIT_USERNAME: credentials.username, REVERTD_GIT_PASSWORD: credentials.password }),
  };
}

/** What simple-git is told to let through: the variables above that it guards. */
export const ALLOWED_ENVIRONMENT = [
  'GIT_DIR',
  'GIT_CONFIG_NOSYSTEM',
  'GIT_CONFIG_GLOBAL',
  'GIT_ATTR_NOSYSTEM',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_OPTIONAL_LOCKS',
  'GIT_TERMINAL_PROMPT',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'GIT_SSH_COMMAND',
  'GIT_SSH_VARIANT',
];

function sshCommand({ identityFile, knownHostsFile }: SshOptions): string {
  const options = [
    'BatchMode=yes',
    `ConnectTimeout=${CONNECT_TIMEOUT_SECONDS}`,
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
    // A master connection would outlive the command and keep its pipes open.
    'ControlMaster=no',
    'ControlPath=none',
    ...(identityFile === undefined ? [] : ['IdentitiesOnly=yes', `IdentityFile="${identityFile}"`]),
    ...(knownHostsFile === undefined ? [] : [`UserKnownHostsFile="${knownHostsFile}"`]),
  ];
  return ['ssh', ...options.flatMap((option) => ['-o', quoteForShell(option)])].join(' ');
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$REVERTD_GIT_USERNAME" "$REVERTD_GIT_PASSWORD"; }; f`;

/**
 * The only configuration that git reads beside the mirror's own. Credentials are given for the configured server alone, so
 * that a redirect elsewhere does not get them, and by the environment, so that no file and no command line has them.
 */
export function gitSettings({ transport, origin }: GitLocation): string {
  const lines = [
    '[protocol]\n\tallow = never',
    ...['file', 'https', 'ssh'].map((name) => `[protocol "${name}"]\n\tallow = always`),
    ...(transport === 'http' ? ['[protocol "http"]\n\tallow = always', '[http]\n\tfollowRedirects = false'] : []),
    '[protocol]\n\tversion = 2',
    // The two repositories that are touched are named by the host's owner; the policies' one may belong to anybody.
    '[safe]\n\tdirectory = *',
    '[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tattributesFile = /dev/null\n\texcludesFile = /dev/null',
    '[init]\n\tdefaultBranch = main',
    '[submodule]\n\trecurse = false',
    '[fetch]\n\trecurseSubmodules = false',
    // Cleaning up in the background would hold locks that no command of ours knows of.
    '[gc]\n\tautoDetach = false',
    '[maintenance]\n\tautoDetach = false',
    `[http]\n\tlowSpeedLimit = 1\n\tlowSpeedTime = ${STALLED_SECONDS}`,
    '[credential]\n\thelper =',
    ...(origin === undefined ? [] : [`[credential "${origin}"]\n\thelper = ${quoteForSettings(HELPER)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function quoteForSettings(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
