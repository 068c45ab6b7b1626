/**
 * Runs the evaluator's scenarios of flagd's test bed (github.com/open-feature/flagd-testbed) against `serve-flags`, through
 * OpenFeature's own client for OFREP: `npm run -s testbed -- DIR`, with DIR a checkout of it. Exits 1 if one does not hold.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { readFeature } from './gherkin.ts';
import { runScenario } from './steps.ts';

/** The way of bucketing of former versions of flagd. */
const SUPERSEDED = '@fractional-v1';
const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name a checkout of flagd-testbed: npm run -s testbed -- DIR');
process.exitCode = (await run(join(folder, 'evaluator'))) ? 0 : 1;

async function run(evaluator: string): Promise<boolean> {
  const flags = join(evaluator, 'flags/testkit-flags.json');
  const server = spawn(process.execPath, [MAIN, 'serve-flags', flags, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(server.stdout), 'line');
    const [baseUrl = ''] = /http:\S+/.exec(String(line)) ?? [];
    return await runAll(join(evaluator, 'gherkin'), baseUrl);
  } finally {
    server.kill();
  }
}

async function runAll(folder: string, baseUrl: string): Promise<boolean> {
  let [held, all] = [0, 0];
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.feature'))
    .sort()) {
    for (const scenario of readFeature(readFileSync(join(folder, name), 'utf8'))) {
      if (scenario.tags.includes(SUPERSEDED)) continue;
      all += 1;
      const wrong = await runScenario(scenario, baseUrl);
      if (wrong === undefined) held += 1;
      else process.stdout.write(`${name}: ${scenario.name}\n  ${wrong}\n`);
    }
  }
  process.stdout.write(`${held} of ${all} scenarios hold\n`);
  return held === all && all > 0;
}
