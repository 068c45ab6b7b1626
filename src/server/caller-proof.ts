import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HttpProblem } from './problem.ts';

/** Who asks. `uid` is null for somebody who has not proved it. */
export type Caller = { readonly name: string; readonly uid: number | null; readonly groups: readonly string[] };

export const ANONYMOUS: Caller = { name: 'anonymous', uid: null, groups: [] };

/** How long a caller has to create the file that it was told to. */
const CHALLENGE_LIFE_MS = 10_000;
const MOST_CHALLENGES = 1_000;

/**
 * Proves who a local caller is: it is told the name of a file, creates it in a sticky folder, and the owner of the file
 * is the caller. (Node cannot ask a UNIX socket for its peer's credentials.)
 */
export class CallerProof {
  readonly #folder: string;
  readonly #open = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    // Everybody may add files, nobody may remove or rename another's.
    chmodSync(folder, 0o1777);
  }

  challenge(): { readonly file: string } {
    const now = Date.now();
    for (const [name, until] of this.#open)
      if (until < now || this.#open.size > MOST_CHALLENGES) this.#open.delete(name);
    const name = randomBytes(16).toString('hex');
    this.#open.set(name, now + CHALLENGE_LIFE_MS);
    return { file: join(this.#folder, name) };
  }

  /** Whose name is the user's, or `uid N`. @throws HttpProblem 403 when the proof does not hold. */
  async verify(name: string): Promise<Caller> {
    const until = this.#open.get(name);
    this.#open.delete(name);
    if (until === undefined || until < Date.now())
      throw refused('the proof of who you are is too old or was used before');
    const file = join(this.#folder, name);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile() || found.nlink !== 1) throw refused(`the proof ${file} was not created`);
    rmSync(file, { force: true });
    return { name: userName(found.uid), uid: found.uid, groups: await groupsOf(found.uid) };
  }
}

/** The header by which a caller shows which file it created. */
export const PROOF_HEADER = 'x-revertd-proof';

/** Reading needs no proof: who can open the socket may read. Acting always does. */
export function identifyBy(proof: CallerProof): (request: IncomingMessage) => Promise<Caller> {
  return async (request) => {
    const given = request.headers[PROOF_HEADER];
    if (typeof given === 'string') return await proof.verify(given);
    if (request.method === 'GET' || request.url === '/api/v1/plan') return ANONYMOUS;
    throw refused(`acting needs a proof of who you are in ${PROOF_HEADER}; the \`revertd\` command sends it`);
  };
}

function refused(detail: string): HttpProblem {
  return new HttpProblem(403, 'proof', detail);
}

function userName(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `uid ${uid}`;
}

const ID_DEADLINE_MS = 5_000;

/** The groups of a user as the system knows them, wherever it has them from; none for a user that it does not know. */
async function groupsOf(uid: number): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)('id', ['-Gn', '--', String(uid)], { timeout: ID_DEADLINE_MS });
    return stdout.trim().split(/\s+/);
  } catch {
    // Without groups a caller has fewer roles, never more.
    return [];
  }
}
