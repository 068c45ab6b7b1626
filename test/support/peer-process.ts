import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

/** Nothing that is compared with runs for longer than this, not even when who started it was killed. */
const LIFETIME_SECONDS = 600;
const READY_WITHIN_MS = 20_000;

/** Where a program is, or undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a program within one that ends it after a time, whatever becomes of this process; signals are passed on to it. */
export function spawnBounded(
  program: string,
  args: readonly string[],
  lifetimeSeconds: number,
  stdio: StdioOptions,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const env = { ...process.env, ...environment };
  return spawn('timeout', ['--signal=KILL', String(lifetimeSeconds), program, ...args], { stdio, env });
}

/** The process id of the program itself, as soon as it runs. */
export function pidWithin({ pid = 0 }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

/** A server of another project, started to be compared with. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #log: Promise<string>;
  readonly #name: string;

  constructor(program: string, args: readonly string[], lifetimeSeconds: number = LIFETIME_SECONDS) {
    this.#name = program;
    this.#child = spawnBounded(program, args, lifetimeSeconds, ['ignore', 'ignore', 'pipe']);
    this.#log = this.#child.stderr === null ? Promise.resolve('') : text(this.#child.stderr);
  }

  get pid(): number {
    return pidWithin(this.#child);
  }

  /** Resolves when the URL answers with 200. */
  async ready(url: string): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await answers(url))) {
      if (this.#child.exitCode !== null) throw new Error(`${this.#name} ended:\n${await this.#log}`);
      if (Date.now() > deadline) throw new Error(`${this.#name} does not answer at ${url}`);
      await pause(50);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}
