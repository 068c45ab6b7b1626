import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pidWithin, spawnBounded } from '../../test/support/peer-process.ts';
import type { Installed } from './as-installed.ts';

const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

export type NodeChild = AsyncDisposable & { readonly pid: number; readonly child: ChildProcess };

/** Nothing that is measured runs for longer, not even when the benchmark itself was killed. */
const LIFETIME_SECONDS = 3_600;

/** Runs a script of the project with its own Node; what it says on stderr is shown. */
export function startNode(
  script: string,
  args: readonly string[],
  { flags = [], environment = {} }: Partial<Pick<Installed, 'flags' | 'environment'>> = {},
): NodeChild {
  const command = [...NODE_FLAGS, ...flags, script, ...args];
  const child = spawnBounded(process.execPath, command, LIFETIME_SECONDS, ['ignore', 'pipe', 'inherit'], environment);
  return {
    get pid() {
      return pidWithin(child);
    },
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export async function firstLine({ child }: NodeChild): Promise<string> {
  if (child.stdout === null) throw new Error('the script has no output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
}
