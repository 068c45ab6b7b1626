import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const GUIDE = join(import.meta.dirname, '../../docs/install.md');
/** Where the repository of the guide is, and where it is in tests. */
const GUIDE_URL = /https:\/\/(?:revertd:TOKEN@)?git\.example\.com\/ops\/policies\.git/g;

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What these tests do to a machine is only right for one that is thrown away. */
export function refuseOutsideOfTheSandbox(): void {
  if (!readFileSync('/proc/1/environ', 'utf8').split('\0').includes('container=sandbox')) {
    throw new Error('this suite installs and removes services; run it as `npm run test:root`, which boots a sandbox');
  }
}

/** Runs a shell script, which ends at the first command that fails. Never rejects. */
export async function shell(script: string, user = 'root'): Promise<Ended> {
  const argv = ['-u', user, '--', 'bash', '--norc', '-euo', 'pipefail', '-c', script];
  try {
    const { stdout, stderr } = await run('runuser', argv, { cwd: '/', timeout: 60_000 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object(error) as Partial<Record<string, unknown>>;
    return { code: typeof code === 'number' ? code : -1, stdout: String(stdout), stderr: String(stderr) };
  }
}

/** The same, for what has to succeed; the result is its output. */
export async function done(script: string, user?: string): Promise<string> {
  const { code, stdout, stderr } = await shell(script, user);
  if (code !== 0) throw new Error(`exit ${code} of\n${script}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** The commands of a section of docs/install.md, but for those that need a registry. */
export function commandsOf(section: string, policies: string): string {
  const text = readFileSync(GUIDE, 'utf8').split(/^## /m);
  const body = text.find((part) => part.startsWith(`${section}\n`));
  if (body === undefined) throw new Error(`docs/install.md has no section "${section}"`);
  const blocks = [...body.matchAll(/(?<skip><!-- needs the registry -->\n)?```sh\n(?<commands>[^]*?)```/g)];
  const commands = blocks.flatMap(({ groups }) => (groups?.['skip'] === undefined ? [groups?.['commands'] ?? ''] : []));
  return commands.join('\n').replaceAll(GUIDE_URL, policies);
}

/** The headings of docs/install.md whose commands are to be run, in their order. */
export function sectionsWithCommands(): string[] {
  const headings = [...readFileSync(GUIDE, 'utf8').matchAll(/^## (?<heading>.+)$/gm)];
  return headings.map(({ groups }) => groups?.['heading'] ?? '').filter((heading) => commandsOf(heading, '') !== '');
}

export async function property(unit: string, name: string): Promise<string> {
  return await done(`systemctl show --value --property=${name} ${unit}`);
}

/** Looks again and again until there is an answer; the deadline only ends a test that would never end. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 40_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) {
      const { stdout } = await shell('journalctl --no-pager --unit revertd --lines 30 --output cat');
      throw new Error(`${what}: not within ${withinMs / 1000} s; the journal ends\n${stdout}`);
    }
    await pause(50);
  }
}
