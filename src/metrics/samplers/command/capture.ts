import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { createBoundedText } from '../../../drivers/bounded-text.ts';

export type Capture = {
  /** The program and its arguments; there is no shell. */
  readonly argv: readonly string[];
  /** More than this on its standard output ends it. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

/** `complaint` is the beginning and the end of its standard error. */
export type CaptureEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly output: Buffer; readonly complaint: string }
  | { readonly kind: 'killed'; readonly by: string; readonly complaint: string }
  | { readonly kind: 'tooLong' }
  | { readonly kind: 'stopped'; readonly complaint: string }
  | { readonly kind: 'notStarted'; readonly message: string };

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const COMPLAINT_KEPT_EACH = 500;

/**
 * Runs a program for its output. Whatever way it ends, its whole process group is killed: it is asked for figures,
 * and has nothing to leave behind. Never rejects.
 */
export async function capture({ argv, maxBytes, signal }: Capture): Promise<CaptureEnd> {
  if (signal.aborted) return { kind: 'stopped', complaint: '' };
  const [program = '', ...rest] = argv;
  try {
    const env = { PATH, HOME: homedir(), LANG: 'C.UTF-8' };
    const child = spawn(program, rest, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    return await follow(child, maxBytes, signal);
  } catch (error) {
    return { kind: 'notStarted', message: `${program} cannot be run: ${explain(error)}` };
  }
}

async function follow(child: ChildProcess, maxBytes: number, signal: AbortSignal): Promise<CaptureEnd> {
  const { pid } = child;
  const kill = () => killGroup(pid);
  const output = collect(child, maxBytes, kill);
  const complaint = createBoundedText(COMPLAINT_KEPT_EACH);
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => complaint.push(piece));
  signal.addEventListener('abort', kill, { once: true });
  const closed = once(child, 'close');
  try {
    const [code, by] = (await Promise.race([once(child, 'exit'), closed])) as [number | null, string | null];
    // What it left in the background would hold its output open.
    kill();
    await closed;
    if (output.tooLong()) return { kind: 'tooLong' };
    if (signal.aborted) return { kind: 'stopped', complaint: complaint.text() };
    if (code === null) return { kind: 'killed', by: by ?? 'a signal', complaint: complaint.text() };
    return { kind: 'exited', code, output: output.bytes(), complaint: complaint.text() };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function collect(child: ChildProcess, maxBytes: number, kill: () => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else kill();
  });
  return { bytes: () => Buffer.concat(chunks), tooLong: () => size > maxBytes };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It is gone already; or it runs with more rights, and can only be left to itself.
    if (!['ESRCH', 'EPERM'].includes(codeOf(error))) throw error;
  }
}

function explain(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return `there is no such program on ${PATH}, or its interpreter is missing`;
    case 'EACCES':
      return 'revertd may not run it (is it executable?)';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
