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
import { aimsTable } from '../support/aims.ts';
import { asInstalled, type Installed } from '../support/as-installed.ts';
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
const LIFETIME_SECONDS = 3_600;

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
  const installed = asInstalled();
  await using exporter = startNode(join(HERE, 'exporter.ts'), []);
  const url = await firstLine(exporter);
  await using prometheus = await startPrometheus(program, url);
  await using evaluation = startNode(join(HERE, 'evaluation.ts'), [url]);
  await firstLine(evaluation);
  await using daemon = startDaemon(url, installed);
  process.stderr.write(`warming up for ${warm} s, measuring for ${measured} s\n`);
  await pause(warm * 1000);
  const pids = { prometheus: prometheus.pid, evaluation: evaluation.pid, daemon: daemon.pid };
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
function startDaemon(url: string, installed: Installed): NodeChild {
  const policies = join(folder, 'policies');
  const config = join(folder, 'revertd.json');
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, 'workload.yaml'), policyFile(url));
  writeFileSync(
    config,
    JSON.stringify({
      source: { url: policies },
      dataDir: join(folder, 'data'),
      server: { listen: 'off' },
      log: { level: 'error' },
    }),
  );
  return startNode(installed.main, ['run', '--config', config], installed);
}

type Name = 'prometheus' | 'evaluation' | 'daemon';
type Pids = Readonly<Record<Name, number>>;
type Figures = Usage & { readonly cpuMsPerRound: number };

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
  return { prometheus: make('prometheus'), evaluation: make('evaluation'), daemon: make('daemon') };
}

function figuresOf(usages: readonly Usage[]): Figures {
  const slices = usages.slice(1).map((usage, i) => (usage.cpuMs - (usages[i]?.cpuMs ?? 0)) / SLICE_SECONDS);
  return {
    cpuMs: slices.reduce((sum, slice) => sum + slice, 0) / slices.length,
    cpuMsPerRound: median(slices),
    memoryMib: median(usages.map(({ memoryMib }) => memoryMib)),
    ownMib: median(usages.map(({ ownMib }) => ownMib)),
  };
}

function present(figures: Record<Name, Figures>): void {
  const { prometheus, daemon } = figures;
  const row = (name: string, { cpuMsPerRound, memoryMib, ownMib }: Figures): string[] => [
    name,
    cpuMsPerRound.toFixed(1),
    (cpuMsPerRound / prometheus.cpuMsPerRound).toFixed(3),
    memoryMib.toFixed(0),
    (memoryMib / prometheus.memoryMib).toFixed(2),
    ownMib.toFixed(0),
    (ownMib / prometheus.ownMib).toFixed(2),
  ];
  const rules = serviceRules().reduce((sum, service) => sum + service.rules.length, 0);
  const what = `${rules} triggers, ${SERIES} series, 1 s`;
  const head = [what, 'CPU ms/round', 'ratio', 'RSS MiB', 'ratio', 'of it own', 'ratio'];
  const rows = [
    row('Prometheus', prometheus),
    row('revertd, scrape to decision', figures.evaluation),
    row('revertd, whole daemon', daemon),
  ];
  const cpu = {
    what: "CPU per round, of Prometheus'",
    atMost: 0.1,
    figure: daemon.cpuMsPerRound / prometheus.cpuMsPerRound,
  };
  const memory = { what: "RSS, of Prometheus'", atMost: 1.3, figure: daemon.memoryMib / prometheus.memoryMib };
  const aims = aimsTable([
    { ...cpu, unit: '', digits: 3 },
    { ...memory, unit: '', digits: 2 },
  ]);
  report(`${table(head, rows)}\n${aims}`, { bench: 'triggers', series: SERIES, rules, warm, measured, ...figures });
}
