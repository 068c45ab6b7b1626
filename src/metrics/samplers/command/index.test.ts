import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../../../test/support/fake-systemctl.ts';
import type { CommandType, MetricSource } from '../../../core/model/metric-source.ts';
import { systemClock } from '../../clock.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import { formatSeries } from '../../labels.ts';
import type { Outcome, Sampler } from '../../sampler.ts';
import { command } from './index.ts';

function open(argv: readonly string[], changes: Partial<CommandType> = {}): Sampler {
  const type: CommandType = { kind: 'command', argv, labels: {}, timeoutMs: 5000, ...changes };
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  const source: MetricSource = { name: 'queue', origin, suspend: false, intervalMs: 15_000, type };
  const secret = () => Promise.reject(new Error('no secrets here'));
  const [sampler] = command.open(source, type, { clock: systemClock, secret, systemctl: createFakeSystemctl({}) });
  if (sampler === undefined) throw new Error('expected a sampler');
  return sampler;
}

/** The program is Node itself: it is there wherever the tests run. */
function script(text: string, changes: Partial<CommandType> = {}): Sampler {
  return open([process.execPath, '-e', text], changes);
}

function sample(sampler: Sampler, signal = new AbortController().signal): Promise<Outcome> {
  return sampler.sample(signal);
}

function values({ samples }: Outcome): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels, value }) => [formatSeries(labels), value]));
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'revertd-command-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

describe('a command', () => {
  it('gives the samples that it prints', async () => {
    const outcome = await sample(script('console.log(`depth{queue="in",job="theirs"} 3`)', { labels: { a: 'b' } }));
    expect(outcome.kind).toBe('sampled');
    expect(values(outcome)).toMatchObject({
      'depth{a="b", exported_job="theirs", instance="node", job="queue", queue="in"}': 3,
      'up{a="b", instance="node", job="queue"}': 1,
      'scrape_samples_scraped{a="b", instance="node", job="queue"}': 1,
    });
  });

  it('gets its arguments as they are, without a shell, and little of the environment', async () => {
    const text = 'console.log(`m{a="${process.argv[1]}",env="${Object.keys(process.env).sort()}"} 1`)';
    const outcome = await sample(open([process.execPath, '-e', text, '$HOME;*']));
    expect(Object.keys(values(outcome)).join()).toContain('a="$HOME;*", env="HOME,LANG,PATH"');
  });

  it('may be said nothing by', async () => {
    expect(await sample(script(''))).toMatchObject({ kind: 'sampled' });
  });
});

describe('a bad command', () => {
  const cases: readonly [string, string, string, string][] = [
    [
      'fails',
      'console.error("no queue"); process.exit(3)',
      'exit_status',
      'exit status 3; expected 0; it said: no queue',
    ],
    ['is killed', 'process.kill(process.pid, "SIGTERM")', 'killed', 'killed by SIGTERM'],
    ['floods', 'for (;;) require("fs").writeSync(1, "m 1\\n".repeat(1e4))', 'body_too_large', 'more than 100000 bytes'],
    ['repeats a series', 'console.log("m 1\\nm 2")', 'repeated_series', 'line 2'],
    ['prints a page', 'console.log("<html>")', 'html', 'HTML'],
    ['prints no UTF-8', 'process.stdout.write(Buffer.from([0xff, 10]))', 'invalid_utf8', 'line 1'],
    [
      'prints too many',
      'for (const i of "1234567890") console.log(`m{i="${i}"} 1`)',
      'too_many_samples',
      'more than 5',
    ],
  ];
  it.each(cases)('%s', async (_, text, code, message) => {
    const outcome = await sample(script(text, { limits: { bytes: 100_000, samples: 5 } }));
    expect(outcome).toMatchObject({ kind: 'failed', fault: { code, message: expect.stringContaining(message) } });
    expect(outcome.samples.map(({ labels, value }) => [labels['__name__'], value])).toEqual([
      ['up', 0],
      ['scrape_duration_seconds', expect.any(Number)],
      ['scrape_samples_scraped', 0],
    ]);
  });

  it('is not there', async () => {
    const outcome = await sample(open(['/no/such/program']));
    expect(outcome).toMatchObject({
      fault: { code: 'not_started', message: expect.stringContaining('no such program') },
    });
  });

  it('never ends: the deadline kills it and what it started', async () => {
    const path = join(await folder(), 'pids');
    const text = `
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      process.on('SIGTERM', () => {});
      require('fs').writeFileSync(${JSON.stringify(path)}, process.pid + ' ' + child.pid);
      setInterval(() => process.stdout.write('m 1\\n'), 10);`;
    const deadline = new AbortController();
    const sampling = sample(script(text), deadline.signal);
    const pids = await untilWritten(path);
    deadline.abort(new DeadlineExceeded('no end within 2s'));
    expect(await sampling).toMatchObject({ fault: { code: 'timeout', message: 'killed: no end within 2s' } });
    await Promise.all(pids.map(ended));
  });

  it('leaves something in the background, which is ended with it', async () => {
    const path = join(await folder(), 'pids');
    const text = `
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      child.unref();
      require('fs').writeFileSync(${JSON.stringify(path)}, String(child.pid));
      process.stdout.write('m 1\\n', () => process.exit());`;
    expect(await sample(script(text))).toMatchObject({ kind: 'sampled' });
    const [pid = 0] = await untilWritten(path);
    await ended(pid);
  });
});

async function untilWritten(path: string): Promise<number[]> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return text.split(' ').map(Number);
    await new Promise(setImmediate);
  }
}

/** Its files are closed a moment before it is gone; if it went on, this would wait until the test is out of time. */
async function ended(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  while (isRunning(pid)) await new Promise(setImmediate);
}

/** What was killed may stay as a zombie until its parent, by then the init process, asks for it. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return false;
  }
}
