/** Sources that misbehave in every way, beside one that does not: each says what is wrong with it, and it is alone in that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import type { MetricSource } from '../../../src/core/model/metric-source.ts';
import { systemClock } from '../../../src/metrics/clock.ts';
import { RemoteSampling } from '../../../src/metrics/remote/remote-sampling.ts';
import { Sampling } from '../../../src/metrics/sampling.ts';
import { SampleStore } from '../../../src/metrics/store/sample-store.ts';
import { createFakeSystemctl } from '../../support/fake-systemctl.ts';
import { loopback } from '../../support/loopback.ts';

function source(name: string, type: MetricSource['type']): MetricSource {
  return { name, origin: { file: 'm.yaml', line: 1, column: 1 }, suspend: false, intervalMs: 500, type };
}

function databaseFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-bad-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'app.db');
  new DatabaseSync(path).close();
  return path;
}

it('a good source goes on beside bad ones, in bounded memory', async () => {
  await using good = await loopback((_, response) => response.end('m 1\n'));
  await using endless = await loopback((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x 1\n'.repeat(100_000)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  await using page = await loopback((_, response) => response.end('<html>log in</html>'));
  const timeoutMs = 400;
  const scrape = (url: string) => ({ kind: 'scrape', targets: [url], labels: {}, timeoutMs }) as const;
  const command = (text: string) =>
    ({ kind: 'command', argv: [process.execPath, '-e', text], labels: {}, timeoutMs }) as const;
  const runaway = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
  const database = { kind: 'sqlite', path: databaseFile() } as const;
  const sources = [
    source('good', scrape(`${good.origin}/metrics`)),
    source('endless', scrape(endless.origin)),
    source('page', scrape(page.origin)),
    source('hangs', command('setInterval(() => {}, 1000)')),
    source('floods', command('for (;;) require("fs").writeSync(1, "m 1\\n".repeat(1e5))')),
    source('runaway', { kind: 'sql', database, queries: [{ name: 'a', query: runaway }], labels: {}, timeoutMs }),
    source('nonsense', { kind: 'prometheus', url: page.origin, headers: {}, timeoutMs, retries: 0 }),
  ];
  const { promise, resolve } = Promise.withResolvers<void>();
  let commits = 0;
  const look = () => {
    const down = [...sampling.conditions(), ...remote.conditions()].filter(({ state }) => state === 'down');
    if (commits >= 5 && down.length === sources.length - 1) resolve();
  };
  const means = {
    clock: systemClock,
    secret: () => Promise.reject(new Error('no secrets here')),
    systemctl: createFakeSystemctl({}),
  };
  const sampling = new Sampling({
    store: new SampleStore(),
    means,
    onCommit: (commit) => {
      if (commit.source === 'good' && commit.ok) commits++;
      look();
    },
  });
  const remote = new RemoteSampling({ means, onReadings: look });
  const before = process.memoryUsage().rss;
  sampling.update(sources);
  remote.update(sources);
  await promise;
  const conditions = [...sampling.conditions(), ...remote.conditions()];
  await Promise.all([sampling.stop(), remote.stop()]);
  const states = Object.fromEntries(conditions.map((one) => [one.source, `${one.state} ${one.lastError?.code ?? ''}`]));
  expect(states).toEqual({
    good: 'up ',
    endless: expect.stringMatching(/^down (body_too_large|timeout)$/),
    page: 'down html',
    hangs: 'down timeout',
    floods: expect.stringMatching(/^down (body_too_large|timeout)$/),
    runaway: expect.stringMatching(/^down (timeout|unreachable)$/),
    nonsense: 'down bad_answer',
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
});
