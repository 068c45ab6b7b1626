import { constants, type Stats } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { constants as osConstants, uptime } from 'node:os';
import type { Millis } from '../../../core/units.ts';
import { failed, type StepFault, type StepOutcome } from '../step-driver.ts';

/** The kernel counts process times in these for every program (USER_HZ, time(7)); 100 on all supported platforms. */
const TICKS_PER_SECOND = 100;
/** Between a process's start and its writing of the file the two clocks may differ so much. */
const TOLERANCE_MS: Millis = 2000;
const LONGEST_PID_FILE_BYTES = 64;

class PidFileError extends Error {
  override readonly name = 'PidFileError';
}

/** Sends the signal if the file really speaks of the process that now has the number. Never rejects. */
export async function signalByPidFile(path: string, signal: string): Promise<StepOutcome> {
  const found = await findByPidFile(path, signal);
  if (found.kind === 'fault') return failed(found.code, found.detail);
  const { pid, program, name } = found;
  try {
    process.kill(pid, name);
    return { outcome: 'done', detail: `sent ${name} to process ${pid} (${program})` };
  } catch (error) {
    const { code, detail } = blame(path, error);
    return failed(code, detail);
  }
}

type Fault = { readonly kind: 'fault'; readonly code: StepFault; readonly detail: string };
type Found = {
  readonly kind: 'found';
  readonly pid: number;
  readonly program: string;
  readonly name: NodeJS.Signals;
};

/** The process that the file really speaks of, and may be signalled. Sends nothing, and never rejects. */
export async function findByPidFile(path: string, signal: string): Promise<Found | Fault> {
  const name = signalName(signal);
  if (name === undefined) {
    const detail =
      signal === ''
        ? 'a process known by its pidFile can only be signalled; name a unit'
        : `${signal} is not a signal of this system`;
    return { kind: 'fault', code: 'notSupported', detail };
  }
  try {
    const { pid, stats } = await readPidFile(path);
    const program = await proveSame(path, pid, stats);
    // Signal 0 is delivered to nobody: kill(2) only says whether another one could be sent.
    process.kill(pid, 0);
    return { kind: 'found', pid, program, name };
  } catch (error) {
    return blame(path, error);
  }
}

function blame(path: string, error: unknown): Fault {
  return { kind: 'fault', ...faultOf(path, error) };
}

function faultOf(path: string, error: unknown): Omit<Fault, 'kind'> {
  if (error instanceof PidFileError) return { code: 'pidFile', detail: error.message };
  const errno = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (errno === 'EPERM') {
    return { code: 'notPermitted', detail: `revertd may not signal the process in ${path} (EPERM)` };
  }
  if (errno === 'ESRCH') return { code: 'pidFile', detail: `the process in ${path} has just ended` };
  return { code: 'pidFile', detail: `${path} cannot be read (${errno}); is its service running?` };
}

function signalName(signal: string): NodeJS.Signals | undefined {
  return Object.keys(osConstants.signals).find((name): name is NodeJS.Signals => name === signal);
}

async function readPidFile(path: string): Promise<{ readonly pid: number; readonly stats: Stats }> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!stats.isFile()) throw new PidFileError(`${path} is not a regular file`);
  const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(LONGEST_PID_FILE_BYTES), position: 0 });
  const text = buffer.toString('latin1', 0, bytesRead).trim();
  if (!/^\d{1,10}$/.test(text))
    throw new PidFileError(`${path} holds ${JSON.stringify(text)}, expected a process number`);
  const pid = Number(text);
  if (pid <= 1) throw new PidFileError(`${path} holds ${pid}, which is no service's process`);
  if (pid === process.pid) throw new PidFileError(`${path} holds the number of revertd itself`);
  return { pid, stats };
}

/**
 * The name of the process's program. Refused if it started after the file was written, for then the number was given to
 * somebody else; and if the file belongs neither to root nor to the process's user, who could otherwise have revertd
 * signal any process.
 */
async function proveSame(path: string, pid: number, file: Stats): Promise<string> {
  const found = await readProcess(pid);
  if (found === undefined) throw new PidFileError(`process ${pid}, named in ${path}, does not exist any more`);
  if (found.startedAt > file.mtimeMs + TOLERANCE_MS) {
    const text = `process ${pid} (${found.program}) started after ${path} was written: the number was given to another`;
    throw new PidFileError(`${text}; the service is not running, or does not write its pidFile`);
  }
  if (file.uid !== 0 && file.uid !== found.uid) {
    const text = `${path} belongs to user ${file.uid}, but process ${pid} (${found.program}) to user ${found.uid}`;
    throw new PidFileError(`${text}; it has to belong to root or to the process's user`);
  }
  return found.program;
}

type FoundProcess = { readonly program: string; readonly startedAt: Millis; readonly uid: number };

/** Undefined if there is none, or only what is left of it until its parent asks for its exit (a zombie). See proc(5). */
async function readProcess(pid: number): Promise<FoundProcess | undefined> {
  try {
    const [line, { uid }] = await Promise.all([readFile(`/proc/${pid}/stat`, 'latin1'), stat(`/proc/${pid}`)]);
    const nameEnd = line.lastIndexOf(')');
    const fields = line.slice(nameEnd + 2).split(' ');
    const [state] = fields;
    if (state === 'Z' || state === 'X') return undefined;
    const program = line.slice(line.indexOf('(') + 1, nameEnd);
    const bootedAt = Date.now() - uptime() * 1000;
    const startedAt = bootedAt + (Number(fields[19]) * 1000) / TICKS_PER_SECOND;
    return { program, startedAt, uid };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}
