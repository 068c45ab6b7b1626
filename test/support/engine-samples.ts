import type { Compose } from '../../src/drivers/containers/compose.ts';
import type { ContainerEngine } from '../../src/drivers/containers/engine.ts';

/** The image of the suites: a static busybox, and these files. */
export const TEST_IMAGE = 'localhost/revertd-test:1';

export type ImageFile =
  | { readonly kind: 'file'; readonly mode: number; readonly uid: number; readonly gid: number; readonly text: string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder' | 'pipe' };

/** Beside the programs of busybox in /bin. */
export const IMAGE_FILES: Readonly<Record<string, ImageFile>> = {
  '/app': { kind: 'folder' },
  '/app/.env': { kind: 'file', mode: 0o600, uid: 1234, gid: 77, text: '# keep\nFEATURE=true\nOTHER="x"' },
  '/app/app.json': { kind: 'file', mode: 0o644, uid: 0, gid: 0, text: '{"flags": {"FEATURE": true}, "other": "x"}\n' },
  '/app/link': { kind: 'link', target: '.env' },
  '/app/pipe': { kind: 'pipe' },
  '/linked': { kind: 'link', target: '/app' },
  '/mnt': { kind: 'folder' },
  '/tmp': { kind: 'folder' },
  '/usr': { kind: 'folder' },
  '/usr/src': { kind: 'folder' },
  '/usr/src/openmemory': { kind: 'folder' },
  '/usr/src/openmemory/.env': {
    kind: 'file',
    mode: 0o640,
    uid: 0,
    gid: 77,
    text: 'ENABLE_CACHING=true\nAUTONOMOUS_MODE=true\nWORKERS=8\n',
  },
};

const WAIT = 'while :; do sleep 1000 & wait $!; done';

/** What the containers of the suites run. The fake engine knows by these what becomes of them. */
export const COMMANDS = {
  works: ['sh', '-c', `trap "exit 0" TERM; trap : HUP; echo hello out; echo hello err >&2; ${WAIT}`],
  ignoresTerm: ['sh', '-c', `trap "" TERM; ${WAIT}`],
  fails: ['sh', '-c', 'echo this is why; exit 3'],
  ends: ['sh', '-c', 'exit 0'],
  /** Thirty lines of 200 kB. */
  chats: ['sh', '-c', 'for i in $(seq 30); do head -c 200000 /dev/zero | tr "\\0" x; echo " $i"; done; exit 4'],
  /** The same, and then goes on. */
  isLoud: ['sh', '-c', `for i in $(seq 30); do head -c 200000 /dev/zero | tr "\\0" x; echo " $i"; done; ${WAIT}`],
  /** An image without it; the engine cannot even start it. */
  isMissing: ['no-such-program'],
} as const;

type Sample = {
  readonly command: readonly string[];
  readonly health?: readonly string[];
  readonly tty?: boolean;
  /** Mounts a folder of the host at /mnt. */
  readonly mounts?: boolean;
};

export const SAMPLES = {
  good: { command: COMMANDS.works },
  stubborn: { command: COMMANDS.ignoresTerm },
  failing: { command: COMMANDS.fails },
  oneshot: { command: COMMANDS.ends },
  chatty: { command: COMMANDS.chats },
  broken: { command: COMMANDS.isMissing },
  checked: { command: COMMANDS.works, health: ['CMD', 'true'] },
  sick: { command: COMMANDS.works, health: ['CMD-SHELL', 'echo no pulse; exit 1'] },
  loud: { command: COMMANDS.isLoud, health: ['CMD-SHELL', 'echo no pulse; exit 1'] },
  terminal: { command: COMMANDS.works, tty: true },
  mounted: { command: COMMANDS.works, mounts: true },
} as const satisfies Readonly<Record<string, Sample>>;

export type SampleName = keyof typeof SAMPLES;

/** A program inside of the containers, and how it ends. */
export const EXEC_SAMPLE = ['sh', '-c', 'echo out; echo err >&2; exit 3'] as const;
export const EXEC_MISSING = ['no-such-program'] as const;

/** An engine that a suite runs against: the real ones and the fake. */
export type EngineHarness = AsyncDisposable & {
  readonly engine: ContainerEngine;
  readonly compose: Compose;
  readonly socket: string;
  /** A folder of the host, for compose files; the mounted containers have it at /mnt. */
  readonly folder: string;
  /** Makes a container that was never started, and answers its name. */
  readonly create: (sample: SampleName) => Promise<string>;
  /** Without control groups there is no freezer. */
  readonly canPause: boolean;
  /** How long a container has to run, and how long a step waits for health that never comes. */
  readonly steadyMs: number;
  readonly patienceMs: number;
};
