import { listAt, numberAt, objectAt, textAt, textsAt } from './decode.ts';

/** One line of the engine's list. */
export type ContainerSummary = {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** A container as the engine describes it (`GET /containers/{id}/json`). */
export type ContainerState = {
  readonly id: string;
  readonly name: string;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`. */
  readonly status: string;
  /** Also while it is paused, and while the engine waits to start it again. */
  readonly running: boolean;
  readonly paused: boolean;
  /** The engine starts it again by itself. */
  readonly restarting: boolean;
  readonly exitCode: number;
  /** Another with each start. */
  readonly startedAt: string;
  /** Why the engine could not start it; empty if it could. */
  readonly error: string;
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  /** What its health check said last. */
  readonly healthOutput: string;
  readonly restarts: number;
  /** The image's own digest, `sha256:…`. */
  readonly image: string;
  readonly tty: boolean;
  readonly mounts: readonly Mount[];
  /** Its user ids are not those of the host. */
  readonly userNamespace: boolean;
};

export type Mount = { readonly type: string; readonly source: string; readonly destination: string };

export function decodeSummary(value: unknown): ContainerSummary {
  const found = objectAt(value);
  const names = listAt(found, 'Names').filter((name) => typeof name === 'string');
  // Of a container that others are linked to, there are names with a second slash too.
  const own = names.find((name) => name.lastIndexOf('/') <= 0) ?? '';
  return { id: textAt(found, 'Id'), name: own.replace(/^\//, ''), labels: textsAt(found, 'Labels') };
}

export function decodeState(value: unknown): ContainerState {
  const found = objectAt(value);
  const state = objectAt(found, 'State');
  const health = objectAt(state, 'Health');
  const mode = textAt(objectAt(found, 'HostConfig'), 'UsernsMode');
  return {
    id: textAt(found, 'Id'),
    name: textAt(found, 'Name').replace(/^\//, ''),
    status: decodeStatus(textAt(state, 'Status')),
    running: state['Running'] === true,
    paused: state['Paused'] === true,
    restarting: state['Restarting'] === true,
    exitCode: numberAt(state, 'ExitCode'),
    startedAt: textAt(state, 'StartedAt'),
    error: textAt(state, 'Error'),
    health: decodeHealth(textAt(health, 'Status')),
    healthOutput: textAt(objectAt(listAt(health, 'Log').at(-1)), 'Output').trim(),
    restarts: numberAt(found, 'RestartCount'),
    image: asDigest(textAt(found, 'Image')),
    tty: objectAt(found, 'Config')['Tty'] === true,
    mounts: listAt(found, 'Mounts').map(decodeMount),
    userNamespace: mode !== '' && mode !== 'host',
  };
}

/** podman says `stopped` for one that has ended and is not tidied up yet, where Docker has one word for both. */
function decodeStatus(status: string): string {
  return status === 'stopped' ? 'exited' : status;
}

/** Without a health check Docker has no such object, or says `none`; podman has one with an empty status. */
function decodeHealth(status: string): ContainerState['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : undefined;
}

/** Some versions of podman leave the algorithm out. */
function asDigest(text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
}

function decodeMount(value: unknown): Mount {
  const found = objectAt(value);
  return { type: textAt(found, 'Type'), source: textAt(found, 'Source'), destination: textAt(found, 'Destination') };
}

/** For people: `running (healthy)`, `exited with 137`. */
export function describeState({ status, running, exitCode, health }: ContainerState): string {
  if (running) return health === undefined ? status : `${status} (${health})`;
  return status === 'created' ? 'created and never started' : `${status} with ${exitCode}`;
}
