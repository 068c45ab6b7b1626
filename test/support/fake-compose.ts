import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, dirname } from 'node:path';
import { parse } from 'yaml';

/** How the fake of the compose program is run. It does what it is told through the fake engine. */
export const FAKE_COMPOSE = [process.execPath, import.meta.filename] as const;

if (process.argv[1] === import.meta.filename) main(process.argv.slice(2));

function main(given: readonly string[]): void {
  const words = [...given];
  const file = valueOf(words, '--file') ?? '';
  const project = valueOf(words, '--project-name') ?? basename(dirname(file));
  valueOf(words, '--timeout');
  const force = words.includes('--force-recreate');
  const [verb = '', ...services] = words.filter((word) => !word.startsWith('--'));
  const commands = readCommands(file);
  const body = JSON.stringify({ verb, file, project, services, commands, force });
  const socketPath = (process.env['DOCKER_HOST'] ?? '').replace(/^unix:\/\//, '');
  request({ socketPath, method: 'POST', path: '/fake/compose' }, (response) => response.resume()).end(body);
}

/** Takes an option and its value out of the words. */
function valueOf(words: string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at === -1 ? undefined : words.splice(at, 2)[1];
}

function readCommands(file: string): Record<string, readonly string[]> {
  try {
    const { services = {} } = parse(readFileSync(file, 'utf8')) as {
      services?: Record<string, { readonly command?: readonly string[] }>;
    };
    return Object.fromEntries(Object.entries(services).map(([name, { command = [] }]) => [name, command]));
  } catch (error) {
    process.stderr.write(`yaml: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(15);
  }
}
