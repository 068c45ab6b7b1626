import { compileFlag } from '../../src/core/flags/evaluate-flag.ts';
import { EMPTY_MEMORY } from '../../src/core/memory.ts';
import type { Desired } from '../../src/core/model/desired.ts';
import { evaluationText } from '../../src/server/ofrep/answers.ts';
import { FLAGS_PER_TURN } from '../../src/server/ofrep/handler.ts';
import { servedBy } from '../../src/server/ofrep/served-flags.ts';
import { aFlag } from '../../test/support/policies.ts';
import { median, percentile } from '../support/statistics.ts';

const FRACTIONAL = {
  fractional: [
    ['on', 10],
    ['off', 90],
  ],
};
const CONTEXTS = Array.from({ length: 1_000 }, (_, user) => ({
  targetingKey: `user-${user}`,
  email: `${user}@example.com`,
}));

/** Millions of evaluations a second of a flag for a share of users. */
export function evaluationsPerSecond(): number {
  const base = {
    key: 'checkout',
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
  } as const;
  return rateOf({ ...base, targeting: FRACTIONAL });
}

function rateOf(definition: Parameters<typeof compileFlag>[0]): number {
  const flag = compileFlag(definition);
  const rounds = Array.from({ length: 7 }, () => {
    const started = performance.now();
    let served = 0;
    for (let turn = 0; turn < 1_000; turn += 1) {
      for (const context of CONTEXTS) if (flag.evaluate(context, 0).kind === 'value') served += 1;
    }
    return served / (performance.now() - started) / 1_000;
  });
  return median(rounds);
}

/** How long the loop is kept from anything else, in ms of CPU time, the collection of garbage among it. */
export type Blocks = {
  /** A set is replaced, and the first flag of it is asked for: the longest of all. */
  readonly replaced: number;
  /** Then all are asked for at once, in the turns that the server takes: 99 of 100 are shorter, and the longest. */
  readonly turnP99: number;
  readonly turnMax: number;
};

export function blocksOf(flags: number, replacements: number): Blocks {
  let desired = setOf(flags, 0);
  const now = servedBy({ desired: () => desired, memory: () => EMPTY_MEMORY });
  const ask = (key: string): void => {
    const flag = now()?.find(key);
    if (flag !== undefined) evaluationText(flag, flag.evaluate(CONTEXTS[0] ?? {}, 0));
  };
  const [replaced, turns]: [number[], number[]] = [[], []];
  for (let turn = 0; turn <= replacements; turn += 1) {
    // Making the policies is the loader's work, and is not measured here; neither is the first turn, which warms up.
    desired = setOf(flags, turn);
    if (turn === 1) [replaced.length, turns.length] = [0, 0];
    timed(replaced, () => ask('flag-0'));
    const keys = now()?.keys ?? [];
    for (let at = 0; at < keys.length; at += FLAGS_PER_TURN) {
      timed(turns, () => keys.slice(at, at + FLAGS_PER_TURN).forEach(ask));
    }
  }
  return { replaced: Math.max(...replaced), turnP99: percentile(turns, 0.99), turnMax: Math.max(...turns) };
}

function timed(blocks: number[], work: () => void): void {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  blocks.push((user + system) / 1_000);
}

function setOf(count: number, turn: number): Desired {
  const all = Array.from({ length: count }, (_, index) =>
    aFlag({
      name: `flag-${index}`,
      metadata: { turn },
      targeting: { if: [{ in: [{ var: 'plan' }, ['a', 'b']] }, 'on', FRACTIONAL] },
    }),
  );
  const flags = Object.fromEntries(all.map((flag) => [flag.name, flag]));
  return { revision: `r${turn}`, flags, adopt: 'git', metricSources: {}, targets: {}, policies: {}, notifiers: {} };
}
