import { setTimeout as delay } from 'node:timers/promises';
import { type Client, connect, DaemonError } from './daemon-client.ts';

/** Where the daemon is, and until when it is waited for. */
export type Connection = {
  /** The daemon's UNIX socket; without it REVERTD_SERVER_SOCKET, or that of the installed service. */
  readonly socket?: string;
  /** Ends the waiting: a point that is still being taken is given up, a restore that has begun goes on. */
  readonly signal?: AbortSignal;
};

export type RollbackPointRequest = {
  /** A PointPolicy, whose targets are captured and by which the point lives; or else `targets`. */
  readonly policy?: string;
  readonly targets?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  /** What it belongs to for the caller: a session, a job, a deployment. */
  readonly session?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds from its completion; without it as the policy, or the host, says. */
  readonly ttl?: number;
};

export type RollbackPoint = {
  readonly id: string;
  readonly state: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly session: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly policy: string | null;
  readonly targets: readonly string[];
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly expiresAt: Date | null;
  /** Of plain content. */
  readonly bytes: number;
};

export type RollbackRequest = {
  /** It stands in the log. */
  readonly reason: string;
  /** Only this target of the point. */
  readonly target?: string;
  /** Only these paths within it. */
  readonly paths?: readonly string[];
};

export type RollbackResult = {
  readonly id: string;
  readonly point: string;
  readonly targets: readonly string[];
  /** What was overwritten; a rollback to this undoes it. */
  readonly safetyPoint: string;
  readonly detail: string;
};

const INSTALLED_SOCKET = '/run/revertd/control.sock';
const POLL_MS = 100;
const UNDER_WAY = new Set(['creating', 'capturing', 'stored', 'validating']);

/**
 * Takes a point, and resolves once its content was read again and found intact. Rejects with DaemonError, and with the
 * signal's reason.
 */
export async function createRollbackPoint(
  request: RollbackPointRequest,
  connection: Connection = {},
): Promise<RollbackPoint> {
  const client = await daemonAt(connection);
  const { ttl, ...rest } = request;
  const body = { ...rest, ...(ttl === undefined ? {} : { ttlMs: ttl }), by: 'library' };
  const { point } = await client.post<{ point: string }>('points', body);
  const path = `points/${encodeURIComponent(point)}`;
  try {
    const found = await until(
      connection,
      () => client.get<RawPoint>(path),
      ({ state }) => !UNDER_WAY.has(state),
    );
    if (found.state === 'valid') return pointOf(found);
    throw new DaemonError('failed', `${point} is ${found.state}: ${found.failure ?? 'nobody knows why'}`);
  } catch (error) {
    if (connection.signal?.aborted === true) await giveUp(client, path);
    throw error;
  }
}

/** A point as it is now. Rejects with DaemonError. */
export async function getRollbackPoint(id: string, connection: Connection = {}): Promise<RollbackPoint> {
  const client = await daemonAt(connection);
  return pointOf(await client.get<RawPoint>(`points/${encodeURIComponent(id)}`));
}

/**
 * Puts targets back as a point holds them, after a safety point of what they are now; resolves once that is done. Rejects
 * with DaemonError: `refused` where nothing was begun, `failed` where it was.
 */
export async function rollback(
  point: string,
  request: RollbackRequest,
  connection: Connection = {},
): Promise<RollbackResult> {
  const client = await daemonAt(connection);
  const path = `points/${encodeURIComponent(point)}/restore`;
  const { restore } = await client.post<{ restore: string }>(path, request);
  const ask = () => client.get<RawRestore>(`restores/${encodeURIComponent(restore)}`);
  const { state, targets, safety, detail } = await until(connection, ask, (found) => found.state !== 'running');
  if (state !== 'done') throw new DaemonError('failed', `${restore} ${state}: ${detail}`);
  return { id: restore, point, targets, safetyPoint: safety, detail };
}

/** Unless it is past that already; then it lives as any other. */
async function giveUp(client: Client, path: string): Promise<void> {
  try {
    await client.post(`${path}/cancel`, {});
  } catch (error) {
    if (!(error instanceof DaemonError && error.code === 'refused')) throw error;
  }
}

type RawPoint = Omit<RollbackPoint, 'id' | 'createdAt' | 'completedAt' | 'expiresAt'> & {
  readonly point: string;
  readonly createdAt: number;
  readonly completedAt: number | null;
  readonly expiresAt: number | null;
  readonly failure: string | null;
};

type RawRestore = {
  readonly state: string;
  readonly targets: readonly string[];
  readonly safety: string;
  readonly detail: string;
};

function pointOf(raw: RawPoint): RollbackPoint {
  const { point, state, name, description, session, metadata, policy, targets, bytes } = raw;
  const dated = (at: number | null): Date | null => (at === null ? null : new Date(at));
  return {
    id: point,
    state,
    name,
    description,
    session,
    metadata,
    policy,
    targets,
    bytes,
    createdAt: new Date(raw.createdAt),
    completedAt: dated(raw.completedAt),
    expiresAt: dated(raw.expiresAt),
  };
}

async function daemonAt({ socket, signal }: Connection): Promise<Client> {
  signal?.throwIfAborted();
  const place = socket ?? process.env['REVERTD_SERVER_SOCKET'] ?? INSTALLED_SOCKET;
  const client = await connect(place);
  if (client !== undefined) return client;
  throw new DaemonError('noDaemon', `no daemon listens on ${place}; start it, or name its socket`);
}

async function until<T>({ signal }: Connection, ask: () => Promise<T>, isOver: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (isOver(found)) return found;
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}
