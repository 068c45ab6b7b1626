/**
 * Visits every state that small worlds can come to, and checks the invariants in each.
 *
 * Usage: node test/explorer/explore.ts [--world NAME]… [--depth N] [--max-states N] [--disturbances N] [--workers N]
 *   [--at-least N]
 * Prints a line for each world and the shortest path to the first violation. Exits 1 on a violation, when a world was
 * not explored to its end although no limit was given, and when fewer states than `--at-least` were visited.
 */
import { parseArgs } from 'node:util';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { INVARIANTS } from './invariants/registry.ts';
import type { SmallWorld } from './model/small-world.ts';
import type { Job, Report } from './search/worker.ts';
import { WORLDS } from './worlds/registry.ts';

/** All of the workers together stay below four gigabytes. */
const MEMORY_MB = 3_600;
/** Most of what a decision makes is gone after it: a large nursery spares half of the garbage collector's work. */
const YOUNG_MB = 96;
const OWN_CHECKS = ['decide-is-total', 'comes-to-rest'];

const options = readOptions();
const begun = performance.now();
const reports = await exploreAll(options.worlds);
process.exitCode = conclude(reports) ? 0 : 1;

type Options = {
  readonly worlds: readonly SmallWorld[];
  readonly limits: Job['limits'];
  readonly workers: number;
  readonly atLeast: number;
};

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      world: { type: 'string', multiple: true },
      depth: { type: 'string' },
      'max-states': { type: 'string' },
      disturbances: { type: 'string' },
      workers: { type: 'string', default: '2' },
      'at-least': { type: 'string', default: '0' },
    },
  });
  return {
    worlds: values.world === undefined ? WORLDS : values.world.map(worldNamed),
    limits: {
      ...(values.depth === undefined ? {} : { depth: wholeNumber('depth', values.depth) }),
      ...(values['max-states'] === undefined ? {} : { states: wholeNumber('max-states', values['max-states']) }),
      ...(values.disturbances === undefined ? {} : { disturbances: wholeNumber('disturbances', values.disturbances) }),
    },
    workers: wholeNumber('workers', values.workers),
    atLeast: wholeNumber('at-least', values['at-least']),
  };
}

function worldNamed(name: string): SmallWorld {
  const world = WORLDS.find((one) => one.name === name);
  if (world !== undefined) return world;
  throw new RangeError(`there is no world "${name}"; there are ${WORLDS.map((one) => one.name).join(', ')}`);
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`--${option} is a whole number, not "${text}"`);
  return Number(text);
}

/** A world is one worker's; the next free one takes the next world. */
async function exploreAll(worlds: readonly SmallWorld[]): Promise<Report[]> {
  const waiting = [...worlds];
  const reports: Report[] = [];
  const work = async (): Promise<void> => {
    for (let world = waiting.shift(); world !== undefined; world = waiting.shift()) {
      const report = await exploreOne(world);
      reports.push(report);
      process.stdout.write(`${describe(report)}\n`);
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  return reports;
}

function exploreOne(world: SmallWorld): Promise<Report> {
  const job: Job = { world: world.name, limits: options.limits };
  const share = Math.floor(MEMORY_MB / options.workers);
  const settings: WorkerOptions = {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: share, maxYoungGenerationSizeMb: YOUNG_MB },
  };
  const worker = new Worker(new URL('./search/worker.ts', import.meta.url), settings);
  const { promise, resolve, reject } = Promise.withResolvers<Report>();
  worker.once('message', (report: Report) => resolve(report));
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`the worker of world ${world.name} ended with ${code}`)));
  return promise;
}

function describe({ world, findings, seconds }: Report): string {
  const { states, transitions, depth, complete, violation } = findings;
  const end = violation !== null ? `BROKEN: ${violation.invariant}` : complete ? 'complete' : 'stopped at a limit';
  const rate = Math.round(states / seconds);
  return `${world.padEnd(10)} ${count(states)} states, ${count(transitions)} transitions, depth ${depth}, ${seconds.toFixed(1)} s, ${count(rate)} states/s, ${end}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function conclude(done: readonly Report[]): boolean {
  const seconds = (performance.now() - begun) / 1000;
  const states = done.reduce((sum, { findings }) => sum + findings.states, 0);
  const transitions = done.reduce((sum, { findings }) => sum + findings.transitions, 0);
  const names = [...INVARIANTS.map(({ name }) => name), ...OWN_CHECKS];
  process.stdout.write(
    `${'together'.padEnd(10)} ${count(states)} states, ${count(transitions)} transitions, ${seconds.toFixed(1)} s, ${count(Math.round(states / seconds))} states/s\n`,
  );
  process.stdout.write(`${names.length} invariants: ${names.join(', ')}\n`);
  for (const { story } of done) if (story !== null) process.stdout.write(`\n${story}`);
  const bad = done.filter((report) => !isGood(report)).length + (states < options.atLeast ? 1 : 0);
  if (states < options.atLeast) process.stdout.write(`fewer than ${count(options.atLeast)} states were visited\n`);
  process.stdout.write(`${done.length - done.filter((report) => !isGood(report)).length} passed, ${bad} failed\n`);
  return bad === 0;
}

function isGood({ findings }: Report): boolean {
  const { depth, states } = options.limits;
  const isLimited = depth !== undefined || states !== undefined;
  return findings.violation === null && (findings.complete || isLimited);
}
