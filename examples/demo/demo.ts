/**
 * The main job on one screen: a real service, a real git repository, the real daemon. The service's new code path turns
 * slow; revertd notices, sets the flag back, verifies the recovery and writes the report. Then a commit that changes the
 * flag lifts the latch.
 *
 * `npm run demo` keeps everything running afterwards, to be looked at; `npm run demo -- --exit` ends, with 0 only if the
 * rollback really happened and was verified. Ctrl-C cleans up.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '../../src/cli/client.ts';
import type { IncidentStatus, Status } from '../../src/server/status.ts';
import { paint, Screen } from './screen.ts';
import { Stage } from './stage.ts';

const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
const endsByItself = process.argv.includes('--exit') || !live;
const stage = new Stage();
const screen = new Screen(live);

process.on('SIGINT', () => void finish(130));
process.on('SIGTERM', () => void finish(143));

try {
  await play();
  if (endsByItself) await finish(0);
  else await invite();
} catch (error) {
  process.stderr.write(`\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write(`${tail(join(stage.folder, 'revertd.log'))}\n`);
  await finish(1);
}

async function play(): Promise<void> {
  stage.commitPolicies();
  screen.tell(`a policy repository with one commit: ${stage.policies}`);
  await stage.startShop();
  screen.tell('a shop that prices baskets by its new path, v2');
  stage.startDaemon();
  const client = await until('revertd answers', async () => await connect(stage.socket), 20_000);
  screen.tell('revertd follows the repository and watches the shop');
  await watch(client, 'the trigger is healthy', ({ triggers }) => triggers[0]?.state === 'inactive', 20_000);
  await watch(client, 'a while of health', countdown(6), 20_000);

  await fetch(`${stage.shopUrl}/age`);
  screen.tell(paint(33, 'the cache of v2 is full: the path turns slow'));
  await watch(client, 'the trigger fires', ({ incidents }) => incidents.length > 0, 25_000);
  screen.tell(paint(31, 'p95 stayed above its threshold: revertd opens an incident and sets the flag back'));
  await until('the shop runs v1', async () => ((await pathOfShop()) === 'v1' ? true : undefined), 15_000);
  screen.tell('the env file says v1, the shop was told to read it, and does');
  await watch(client, 'the recovery is verified', ({ incidents }) => incidents.length === 0, 25_000);

  const incident = await resolvedIncident(client);
  screen.tell(paint(32, `${incident.id} is ${incident.state}: ${incident.reason}`));
  const report = await until('the report', async () => readReport(incident.id), 10_000);
  for (const line of excerpt(report)) screen.tell(paint(36, `report │ ${line}`));

  screen.tell(
    `git still says v2, and is not followed: the latch holds. The fix is committed (${stage.commitFix()}): v3`,
  );
  await watch(client, 'the latch is lifted', ({ holds }) => holds.length === 0, 15_000);
  await until('the shop runs v3', async () => ((await pathOfShop()) === 'v3' ? true : undefined), 10_000);
  screen.tell(paint(32, 'the flag changed in git, so the latch is lifted: the shop runs v3'));
}

/** Follows the daemon's status until something is so. */
async function watch(client: Client, what: string, isSo: (status: Status) => boolean, withinMs: number): Promise<void> {
  await until(
    what,
    async () => {
      const status = await client.get<Status>('status');
      screen.show(status, await pathOfShop());
      return isSo(status) ? true : undefined;
    },
    withinMs,
  );
}

async function until<T>(what: string, look: () => Promise<T | undefined>, withinMs: number): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await pause(250);
  }
}

function countdown(seconds: number): () => boolean {
  const end = Date.now() + seconds * 1000;
  return () => Date.now() >= end;
}

async function pathOfShop(): Promise<string> {
  return await (await fetch(`${stage.shopUrl}/path`)).text();
}

async function resolvedIncident(client: Client): Promise<IncidentStatus> {
  const { incidents } = await client.get<{ incidents: IncidentStatus[] }>('incidents');
  const [incident] = incidents;
  if (incident?.state !== 'resolved') throw new Error(`the incident ended as ${incident?.state ?? 'nothing'}`);
  return incident;
}

async function readReport(incident: string): Promise<string | undefined> {
  try {
    return readFileSync(join(stage.data, 'reports', `${incident}.md`), 'utf8');
  } catch {
    return undefined;
  }
}

function excerpt(report: string): string[] {
  return report.split('\n').filter((line) => /^# |^- (Breached|Detected|First|Recovered)|^ {2}[▁-█]+$/.test(line));
}

async function invite(): Promise<void> {
  const command = `npm run -s revertd -- --config ${stage.config}`;
  process.stdout.write(
    `\nEverything still runs. Look around, then press Ctrl-C:\n  ${command} status\n  ${command} incidents show INC-1\n`,
  );
  await new Promise(() => {
    // Ends with a signal.
    setInterval(() => undefined, 60_000);
  });
}

async function finish(code: number): Promise<never> {
  await stage.close();
  process.exit(code);
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');
  } catch {
    return '';
  }
}
