/**
 * Flags for applications: a flag for a share of users over OFREP, with a token and metrics, beside a server of `node:http`
 * that reads the body and answers a constant, on the same Node with the same flags; then evaluations in process, and how long replacing 10,000 flags blocks.
 * Usage: npm run bench:flags -- [ROUNDS] [SECONDS]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unusedPort } from '../../test/support/loopback.ts';
import { asInstalled } from '../support/as-installed.ts';
import { firstLine, type NodeChild, startNode } from '../support/node-child.ts';
import { usageOf } from '../support/process-usage.ts';
import { report, table } from '../support/report.ts';
import { median } from '../support/statistics.ts';
import { type Blocks, blocksOf, evaluationsPerSecond } from './in-process.ts';
import { requestsPerSecond } from './load.ts';

const CONNECTIONS = 64;
const FLAGS = 10_000;
const REPLACEMENTS = 10;
const TOKEN = 'a-token-of-the-shop-5c3d8535';
const [rounds = 7, seconds = 3] = process.argv.slice(2).map(Number);

const FLAG = `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: checkout }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "off"
  safeVariant: "off"
  targeting: { fractional: [["on", 10], ["off", 90]] }
`;

const folder = mkdtempSync(join(tmpdir(), 'revertd-bench-'));
try {
  await run();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const installed = asInstalled();
  // With the flags of the unit too, which save memory and cost time.
  await using constant = startNode(join(import.meta.dirname, 'constant.ts'), [], installed);
  const constantPort = Number(await firstLine(constant));
  const port = await unusedPort();
  await using daemon = startNode(installed.main, ['run', '--config', configFor(port)], {
    ...installed,
    environment: { ...installed.environment, SHOP_TOKEN: TOKEN },
  });
  await ready(port);
  const measured: Record<'constant' | 'daemon', Figures[]> = { constant: [], daemon: [] };
  // They take turns; of each the first is to warm up.
  for (let round = 0; round <= rounds; round += 1) {
    measured.constant.push(await measure(constant, constantPort));
    measured.daemon.push(await measure(daemon, port));
  }
  present(middle(measured.constant), middle(measured.daemon), blocksOf(FLAGS, REPLACEMENTS));
}

function configFor(port: number): string {
  const policies = join(folder, 'policies');
  const config = join(folder, 'revertd.json');
  mkdirSync(policies);
  writeFileSync(join(policies, 'checkout.yaml'), FLAG);
  const tokens = [{ name: 'shop', role: 'application', token: { env: 'SHOP_TOKEN' } }];
  const server = { listen: `127.0.0.1:${port}`, tokens, rateLimit: { perSecond: 1_000_000 } };
  const dataDir = join(folder, 'data');
  writeFileSync(config, JSON.stringify({ source: { url: policies }, dataDir, server, log: { level: 'error' } }));
  return config;
}

async function ready(port: number): Promise<void> {
  for (let look = 0; look < 200; look += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.ok === true) return;
    await pause(100);
  }
  throw new Error('the daemon did not begin');
}

type Figures = { readonly perSecond: number; readonly cpuUs: number };

/** CPU time of the whole process, its other work among it. */
async function measure({ pid }: NodeChild, port: number): Promise<Figures> {
  const before = usageOf(pid).cpuMs;
  const perSecond = await requestsPerSecond(port, { connections: CONNECTIONS, seconds, token: TOKEN });
  return { perSecond, cpuUs: ((usageOf(pid).cpuMs - before) * 1000) / (perSecond * seconds) };
}

function middle([, ...counted]: readonly Figures[]): Figures {
  return {
    perSecond: median(counted.map(({ perSecond }) => perSecond)),
    cpuUs: median(counted.map(({ cpuUs }) => cpuUs)),
  };
}

function present(constant: Figures, daemon: Figures, blocks: Blocks): void {
  const fractional = evaluationsPerSecond();
  const ratio = daemon.perSecond / constant.perSecond;
  const row = (name: string, { perSecond, cpuUs }: Figures): string[] => [name, perSecond.toFixed(0), cpuUs.toFixed(1)];
  const http = table(
    ['OFREP, 64 connections', 'requests/s', 'CPU µs each'],
    [row('node:http, constant', constant), row('revertd', daemon)],
  );
  const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
  const aims = table(
    ['aim', '', 'measured', ''],
    [
      ["requests/s, of the constant's", 'at least 0.8', ratio.toFixed(2), verdict(ratio >= 0.8)],
      ['fractional evaluations in process', 'at least 2 M/s', `${fractional.toFixed(1)} M/s`, verdict(fractional >= 2)],
      ['10,000 flags replaced', 'at most 10 ms', `${blocks.replaced.toFixed(1)} ms`, verdict(blocks.replaced <= 10)],
      [
        'then all asked for, a turn (99 %)',
        'at most 10 ms',
        `${blocks.turnP99.toFixed(1)} ms`,
        verdict(blocks.turnP99 <= 10),
      ],
      ['then all asked for, the longest turn', '', `${blocks.turnMax.toFixed(1)} ms`, ''],
    ],
  );
  report(`${http}\n${aims}`, { bench: 'flags', rounds, seconds, constant, daemon, ratio, fractional, blocks });
}
