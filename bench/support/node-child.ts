import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];

export type NodeChild = AsyncDisposable & { readonly pid: number; readonly child: ChildProcess };

/** Runs a script of the project with its own Node; what it says on stderr is shown. */
export function startNode(script: string, args: readonly string[], flags: readonly string[] = []): NodeChild {
  const child = spawn(process.execPath, [...NODE_FLAGS, ...flags, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    pid: child.pid ?? 0,
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
