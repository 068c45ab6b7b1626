import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unusedPort } from '../../test/support/loopback.ts';
import { findProgram, PeerProcess } from '../../test/support/peer-process.ts';
import type { Installed } from '../support/as-installed.ts';
import { type NodeChild, startNode } from '../support/node-child.ts';

const LIFETIME_SECONDS = 400;

/** revertd with one policy for each metric, whose only rung calls the stage. */
export function startRevertd(
  installed: Installed,
  folder: string,
  stageUrl: string,
  count: number,
  intervalMs: number,
): NodeChild {
  const policies = join(folder, 'policies');
  const config = join(folder, 'revertd.json');
  mkdirSync(policies, { recursive: true });
  writeFileSync(join(policies, 'flips.yaml'), policiesOf(stageUrl, count, intervalMs));
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

function policiesOf(stageUrl: string, count: number, intervalMs: number): string {
  const scrape = { targets: [`${stageUrl}/metrics`], timeout: `${intervalMs * 0.9}ms` };
  const source = document('MetricSource', 'stage', { interval: `${intervalMs}ms`, scrape });
  const guards = Array.from({ length: count }, (_, n) =>
    document('RollbackPolicy', `flip-${n}`, {
      triggers: [{ name: 'flipped', query: `flip{n="${n}"}`, above: 0.5, for: '0s', severity: 'critical' }],
      ladder: [
        {
          rung: 'act',
          do: [{ http: { method: 'POST', url: `${stageUrl}/act?n=${n}`, repeatable: true } }],
          verify: { settle: '100ms', within: '1m' },
        },
      ],
      cooldown: '10s',
      rto: '1m',
    }),
  );
  return [source, ...guards].join('\n---\n');
}

/** JSON is YAML. */
function document(kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion: 'revertd.dev/v1', kind, metadata: { name }, spec });
}

/** Prometheus and Alertmanager, as quick as they can be configured at intervals of a second. */
export async function startPeers(folder: string, stageUrl: string, count: number): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const [prometheus, alertmanager] = ['prometheus', 'prometheus-alertmanager'].map((name) => {
    const program = findProgram(name);
    if (program === undefined) throw new Error(`${name} is not installed; on Debian: apt-get install ${name}`);
    return program;
  });
  const am = `127.0.0.1:${await unusedPort()}`;
  const amConfig = write(folder, 'alertmanager.json', {
    route: { receiver: 'stage', group_by: ['n'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'stage', webhook_configs: [{ url: `${stageUrl}/alerts`, send_resolved: false }] }],
  });
  const amArgs = [
    `--config.file=${amConfig}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=${am}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ];
  const alerting = stack.use(new PeerProcess(alertmanager ?? '', amArgs, LIFETIME_SECONDS));
  await alerting.ready(`http://${am}/-/ready`);
  const address = `127.0.0.1:${await unusedPort()}`;
  const scraping = stack.use(
    new PeerProcess(
      prometheus ?? '',
      [
        `--config.file=${write(folder, 'prometheus.json', prometheusConfig(folder, stageUrl, count, am))}`,
        `--storage.tsdb.path=${join(folder, 'prometheus')}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      LIFETIME_SECONDS,
    ),
  );
  await scraping.ready(`http://${address}/-/ready`);
  return stack;
}

function prometheusConfig(folder: string, stageUrl: string, count: number, alertmanager: string): object {
  // A group each: Prometheus spreads groups over the interval, and one group would measure where that put it.
  const groups = Array.from({ length: count }, (_, n) => ({
    name: `flip-${n}`,
    interval: '1s',
    rules: [{ alert: 'flipped', expr: `flip{n="${n}"} > 0.5` }],
  }));
  return {
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
    rule_files: [write(folder, 'rules.json', { groups })],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [{ job_name: 'stage', static_configs: [{ targets: [new URL(stageUrl).host] }] }],
  };
}

function write(folder: string, name: string, content: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}
