import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unusedPort } from '../../support/loopback.ts';
import { PeerProcess } from '../../support/peer-process.ts';
import { type Answer, type ApiSeries, parseAnswer } from './api-answer.ts';

const LIFETIME_SECONDS = 170;

export type Job = { readonly name: string; readonly targetsFile: string };

export type PrometheusOptions = {
  readonly program: string;
  readonly folder: string;
  readonly intervalMs: number;
  readonly lookbackMs: number;
  readonly defaultStepMs: number;
  readonly jobs: readonly Job[];
};

/** Debian's Prometheus on the loopback interface. */
export class Prometheus implements AsyncDisposable {
  readonly #process: PeerProcess;
  readonly #url: string;
  readonly data: string;

  private constructor(process: PeerProcess, url: string, data: string) {
    this.#process = process;
    this.#url = url;
    this.data = data;
  }

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const config = join(options.folder, 'prometheus.yml');
    const data = join(options.folder, 'data');
    const address = `127.0.0.1:${await unusedPort()}`;
    writeFileSync(config, configOf(options));
    const process = new PeerProcess(
      options.program,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=${address}`,
        `--query.lookback-delta=${options.lookbackMs}ms`,
      ],
      LIFETIME_SECONDS,
    );
    await process.ready(`http://${address}/-/ready`);
    return new Prometheus(process, `http://${address}`, data);
  }

  async instant(query: string, at: number): Promise<Answer> {
    return await this.#ask('query', { query, time: seconds(at) });
  }

  async range(query: string, from: number, to: number, stepMs: number): Promise<Answer> {
    return await this.#ask('query_range', { query, start: seconds(from), end: seconds(to), step: seconds(stepMs) });
  }

  /** All samples up to `at`, without staleness markers, which a matrix leaves out. */
  async samples(at: number): Promise<readonly ApiSeries[]> {
    const answer = await this.instant('{__name__=~".+"}[5m]', at);
    if (answer.kind !== 'matrix') throw new Error(`expected a matrix, got ${JSON.stringify(answer)}`);
    return answer.series;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
    const body = new URLSearchParams(parameters);
    return parseAnswer(await (await fetch(`${this.#url}/api/v1/${path}`, { method: 'POST', body })).json());
  }
}

/** Every sample of a server that has ended, one a line, staleness markers among them as NaN: `LABELS VALUE TIME`. */
export async function dump(promtool: string, data: string): Promise<string> {
  const { stdout } = await promisify(execFile)(promtool, ['tsdb', 'dump', data], { maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function configOf({ intervalMs, defaultStepMs, jobs }: PrometheusOptions): string {
  const job = ({ name, targetsFile }: Job): string =>
    `  - { job_name: ${name}, file_sd_configs: [{ files: [${JSON.stringify(targetsFile)}] }] }\n`;
  return [
    `global: { scrape_interval: ${intervalMs}ms, scrape_timeout: ${intervalMs}ms, evaluation_interval: ${defaultStepMs}ms }\n`,
    'scrape_configs:\n',
    ...jobs.map(job),
  ].join('');
}
