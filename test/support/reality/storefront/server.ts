/**
 * The service of the reality suite. It sells the products of a database at the rate that a container writes down, and is
 * deployed from a repository in which this file stands. CIRCUMSTANCES is a file with what goes wrong outside of it.
 * Usage: node server.ts, with PORT, FOLDER and RECOMMENDATIONS.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { close, PRICING, price } from './pricing.ts';

/** What goes wrong outside. */
export type Circumstances = {
  /** With recommendations: so long does each order wait for them. */
  readonly recommenderMs?: number;
  /** No order is paid. */
  readonly isBankDown?: boolean;
};

/** What the service says of itself. */
export type StorefrontState = {
  readonly pricing: string;
  readonly recommends: boolean;
  readonly scrapes: number;
};

type Order = { readonly seconds: number; readonly isPaid: boolean };

const { PORT = '', FOLDER = '', RECOMMENDATIONS = '' } = process.env;
const KEPT = 10;

const recommends = RECOMMENDATIONS === 'true';
const database = new DatabaseSync(join(FOLDER, 'storefront.db'), { timeout: 100 });
const latest: Order[] = [];
let scrapes = 0;
let orders = 0;

function circumstances(): Circumstances {
  return JSON.parse(readFileSync(join(FOLDER, 'circumstances.json'), 'utf8')) as Circumstances;
}

function rate(): number {
  return Number(readFileSync(join(FOLDER, 'exchange/rate'), 'utf8'));
}

/** Each in its turn. */
function nextProduct(): { readonly sku: string; readonly cents: number } {
  const { count } = database.prepare('SELECT count(*) AS count FROM products').get() as { count: number };
  const product = database.prepare('SELECT sku, cents FROM products ORDER BY sku LIMIT 1 OFFSET ?').get(orders % count);
  orders += 1;
  return product as { sku: string; cents: number };
}

async function order(): Promise<boolean> {
  const product = nextProduct();
  const { recommenderMs = 0, isBankDown = false } = circumstances();
  if (recommends) await pause(recommenderMs);
  const cents = await price(product.cents, rate());
  if (isBankDown || !(cents > 0)) return false;
  database.prepare('INSERT INTO orders (sku, cents) VALUES (?, ?)').run(product.sku, cents);
  return true;
}

async function sell(response: ServerResponse): Promise<void> {
  const started = performance.now();
  let isPaid = false;
  try {
    isPaid = await order();
  } finally {
    latest.push({ seconds: (performance.now() - started) / 1000, isPaid });
    if (latest.length > KEPT) latest.shift();
    response.writeHead(isPaid ? 201 : 503).end();
  }
}

/** Without orders nothing is known of them. */
function metrics(): string {
  if (latest.length < KEPT) return '';
  const median = latest.map(({ seconds }) => seconds).toSorted((a, b) => a - b)[KEPT / 2];
  const unpaid = latest.filter(({ isPaid }) => !isPaid).length / KEPT;
  return `storefront_order_seconds ${median}\nstorefront_unpaid_ratio ${unpaid}\n`;
}

async function answer(what: string, response: ServerResponse): Promise<void> {
  switch (what) {
    case 'POST /orders':
      await sell(response);
      break;
    case 'GET /metrics':
      scrapes += 1;
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics());
      break;
    case 'GET /figures':
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics());
      break;
    case 'GET /state':
      response.end(JSON.stringify({ pricing: PRICING, recommends, scrapes } satisfies StorefrontState));
      break;
    case 'GET /health':
      response.end('ok');
      break;
    default:
      response.writeHead(404).end();
  }
}

process.on('SIGTERM', () => {
  void close().then(() => process.exit(0));
});
// An order that meets a lock is lost, and no reason to end.
process.on('unhandledRejection', (reason) => process.stderr.write(`${String(reason)}\n`));
createServer((request, response) => void answer(`${request.method} ${request.url}`, response)).listen(
  Number(PORT),
  '127.0.0.1',
);
