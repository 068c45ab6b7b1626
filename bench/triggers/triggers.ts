/**
 * A thousand triggers over five thousand series, every second: revertd beside Debian's Prometheus with the same rules as
 * alerts, both scraping the same exporter. Usage: npm run bench:triggers -- [WARM_SECONDS] [MEASURED_SECONDS]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unusedPort } from '../../test/support/loopback.ts';
import { findProgram, PeerProcess } from '../../test/support/peer-process.ts';
import { firstLine, type NodeChild, startNode } from '../support/node-child.ts';
import { type Usage, usageOf } from '../support/process-usage.ts';
import { report, table } from '../support/report.ts';
import { median } from '../support/statistics.ts';
import { ruleFile } from './alert-rules.ts';
import { policyFile } from './policies.ts';
import { SERIES, serviceRules } from './workload.ts';

/** Until the longest window of the rules is full. */
const WARM_SECONDS = 310;
const MEASURED_SECONDS = 60;
/** CPU time is taken in slices, of which the median is reported: others may use the machine too. */
const SLICE_SECONDS = 5;
const LIFETIME_SECONDS = 900;
/** Node lets garbage pile up while there is memory; with these it collects earlier. */
const SMALL_HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=20'];

const NAMES = ['prometheus', 'evaluation', 'daemon', 'small'] as const;

const HERE = import.meta.dirname;
const [warm = WARM_SECONDS, measured = MEASURED_SECONDS] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-'));
try {
  await run(findProgram('prometheus'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function run(program: string | undefined): Promise<void> {
  if (program === undefined) throw new Error('prometheus is not installed; on Debian: apt-get install prometheus');
  await using exporter = startNode(join(HERE, 'exporter.ts'), []);
  const url = await firstLine(exporter);
  await using prometheus = await startPrometheus(program, url);
  await using evaluation = startNode(join(HERE, 'evaluation.ts'), [url]);
  await firstLine(evaluation);
  await using daemon = startDaemon(url, 'daemon', []);
  await using small = startDaemon(url, 'small', SMALL_HEAP);
  process.stderr.write(`warming up for ${warm} s, measuring for ${measured} s\n`);
  await pause(warm * 1000);
  const pids = { prometheus: prometheus.pid, evaluation: evaluation.pid, daemon: daemon.pid, small: small.pid };
  present(await measure(pids));
}

async function startPrometheus(program: string, url: string): Promise<PeerProcess> {
  const { host, pathname } = new URL(url);
  const config = join(folder, 'prometheus.yml');
  const rules = join(folder, 'rules.json');
  writeFileSync(rules, ruleFile());
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'workload', metrics_path: pathname, static_configs: [{ targets: [host] }] }],
    }),
  );
  const address = `127.0.0.1:${await unusedPort()}`;
  const data = `--storage.tsdb.path=${join(folder, 'prometheus')}`;
  const args = [`--config.file=${config}`, data, `--web.listen-address=${address}`, '--log.level=warn'];
  const peer = new PeerProcess(program, args, LIFETIME_SECONDS);
  await peer.ready(`http://${address}/-/ready`);
  return peer;
}

/** The whole of revertd with the same policies, from a folder. */
function startDaemon(url: string, name: string, flags: readonly string[]): NodeChild {
  const policies = join(folder, name, 'policies');
  const config = join(folder, name, 'revertd.json');
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, 'workload.yaml'), policyFile(url));
  writeFileSync(
    config,
    JSON.stringify({
      source: { url: policies },
      dataDir: join(folder, name, 'data'),
      server: { listen: 'off' },
      log: { level: 'error' },
    }),
  );
  return startNode(join(HERE, '../../src/main.ts'), ['run', '--config', config], flags);
}

type Name = (typeof NAMES)[number];
type Pids = Readonly<Record<Name, number>>;
type Figures = { readonly cpuMsPerRound: number; readonly memoryMib: number };

async function measure(pids: Pids): Promise<Record<Name, Figures>> {
  const looks: Record<Name, Usage>[] = [look(pids)];
  for (let slice = 0; slice < measured / SLICE_SECONDS; slice += 1) {
    await pause(SLICE_SECONDS * 1000);
    looks.push(look(pids));
  }
  return each((name) => figuresOf(looks.map((usages) => usages[name])));
}

function look(pids: Pids): Record<Name, Usage> {
  return each((name) => usageOf(pids[name]));
}

function each<T>(make: (name: Name) => T): Record<Name, T> {
  const [prometheus, evaluation, daemon, small] = NAMES;
  return { prometheus: make(prometheus), evaluation: make(evaluation), daemon: make(daemon), small: make(small) };
}

function figuresOf(usages: readonly Usage[]): Figures {
  const slices = usages.slice(1).map((usage, i) => (usage.cpuMs - (usages[i]?.cpuMs ?? 0)) / SLICE_SECONDS);
  return { cpuMsPerRound: median(slices), memoryMib: median(usages.map(({ memoryMib }) => memoryMib)) };
}

function present(figures: Record<Name, Figures>): void {
  const { prometheus } = figures;
  const row = (name: string, { cpuMsPerRound, memoryMib }: Figures): string[] => [
    name,
    cpuMsPerRound.toFixed(1),
    (cpuMsPerRound / prometheus.cpuMsPerRound).toFixed(3),
    memoryMib.toFixed(0),
    (memoryMib / prometheus.memoryMib).toFixed(2),
  ];
  const rules = serviceRules().reduce((sum, service) => sum + service.rules.length, 0);
  const head = [`${rules} triggers, ${SERIES} series, 1 s`, 'CPU ms/round', 'ratio', 'RSS MiB', 'ratio'];
  const rows = [
    row('Prometheus', prometheus),
    row('revertd, scrape to decision', figures.evaluation),
    row('revertd, whole daemon', figures.daemon),
    row(`the same, ${SMALL_HEAP.join(' ')}`, figures.small),
  ];
  report(table(head, rows), { bench: 'triggers', series: SERIES, rules, warm, measured, ...figures });
}
