/**
 * What revertd does for its triggers and nothing else: sample, commit, evaluate, decide. No git, no log, no server. Usage:
 * node evaluation.ts METRICS_URL; prints a line when it runs, and one about itself when it is stopped.
 */
import { decide } from '../../src/core/decide.ts';
import { EMPTY_MEMORY } from '../../src/core/memory.ts';
import { wantsOf } from '../../src/core/wants.ts';
import { hostSystemctl } from '../../src/drivers/systemctl.ts';
import { systemClock } from '../../src/metrics/clock.ts';
import { Evaluator } from '../../src/metrics/evaluator.ts';
import { Sampling } from '../../src/metrics/sampling.ts';
import { SampleStore } from '../../src/metrics/store/sample-store.ts';
import { loadWorkload } from './policies.ts';

const [url = ''] = process.argv.slice(2);
const desired = { ...loadWorkload(url), adopt: 'ask' as const };
const store = new SampleStore();
const evaluator = new Evaluator(store);
let memory = { ...EMPTY_MEMORY, startedAt: Date.now() };
evaluator.update(
  wantsOf(desired, memory, Date.now()).triggers,
  new Map(Object.values(desired.metricSources).map((source) => [source.name, source.intervalMs])),
);

let rounds = 0;
const sampling = new Sampling({
  store,
  means: {
    clock: systemClock,
    systemctl: hostSystemctl,
    secret: () => Promise.reject(new Error('there are no secrets')),
  },
  onCommit(commit) {
    const readings = evaluator.onCommit(commit);
    const plan = decide(desired, { readings, documents: {}, checks: {}, halt: null, targets: {} }, memory, commit.at);
    memory = { ...plan.memory, startedAt: memory.startedAt };
    rounds += 1;
  },
});
sampling.update(Object.values(desired.metricSources));
process.stdout.write('runs\n');

process.on('SIGTERM', () => {
  const states = Object.groupBy(Object.values(memory.triggers), ({ state }) => state);
  const counts = Object.entries(states).map(([state, all]) => `${all?.length ?? 0} ${state}`);
  const { series, samples } = store.stats();
  process.stderr.write(
    `revertd: ${rounds} rounds, ${series} series, ${samples} samples, triggers: ${counts.join(', ')}\n`,
  );
  void sampling.stop().then(() => process.exit(0));
});
