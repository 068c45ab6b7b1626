import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seal } from '../../src/server/sealed-file.ts';
import type { ShownPlan } from '../../src/server/shown-plan.ts';
import { E2eHost, FLAG, SOURCE } from '../support/e2e-host.ts';
import { faultsBySchema } from '../support/plan-files.ts';

const GUARD = (above: number): string => `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: latency }
spec:
  triggers: [ { name: slow, query: app_latency_seconds, above: ${above}, for: 1h, severity: critical } ]
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 100ms, within: 20s }
`;

/** Names a secret by a file that the daemon reads for each scrape. */
const PRIVATE = SOURCE.replace('name: app', 'name: private')
  .replace('timeout: 90ms', 'timeout: 90ms, auth: { bearer: { file: "${host.folder}/token" } }')
  .replace('/metrics', '/metrics?again');

const NEW_FLAG = FLAG().replace('fast-path', 'new-path').replace('FAST_PATH', 'NEW_PATH');

const host = new E2eHost();
let first: string;
let second: string;

beforeAll(async () => {
  await host.startApp('true');
  first = host.commit(
    { 'flags.yaml': FLAG(), 'source.yaml': SOURCE, 'guard.yaml': GUARD(1_000), 'private.yaml': PRIVATE },
    'First',
  );
  host.git?.git('branch', '--quiet', 'proposal');
  host.git?.git('switch', '--quiet', 'proposal');
  second = host.commit({ 'guard.yaml': GUARD(0), 'new.yaml': NEW_FLAG }, 'Proposal');
  host.git?.git('switch', '--quiet', 'main');
  writeFileSync(join(host.folder, 'token'), 'tell-nobody');
  host.writeConfig();
});

afterAll(async () => {
  await host.close();
});

async function revertd(...args: string[]) {
  return await host.runCommand('--config', host.config, ...args);
}

async function planJson(...args: string[]): Promise<ShownPlan> {
  const { stdout, stderr } = await revertd('--json', 'plan', ...args);
  expect(stderr).toBe('');
  const plan: unknown = JSON.parse(stdout);
  expect(faultsBySchema('plan', plan)).toEqual([]);
  return plan as ShownPlan;
}

function file(name: string): string {
  return join(host.folder, name);
}

describe('between two revisions', () => {
  test('before any daemon: what changes, with places, and what it would do on this host now', async () => {
    const plan = await planJson('--rev', `${first}..proposal`);
    expect(plan.comparison).toMatchObject({ from: first, to: second });
    expect(plan.comparison?.changes).toMatchObject([
      {
        object: 'RollbackPolicy/latency trigger slow',
        kind: 'changed',
        fields: [{ field: 'threshold', before: '> 1000', after: '> 0', origin: { file: 'guard.yaml', line: 5 } }],
      },
      { object: 'Flag/new-path', kind: 'added' },
    ]);
    expect(plan.actions).toMatchObject([
      { kind: 'deliver', sign: '+', changes: [{ flag: 'new-path', entry: 'NEW_PATH' }] },
    ]);
    expect(plan.outlook).toMatchObject([{ object: 'RollbackPolicy/latency', what: 'latency/slow fires' }]);
  });

  test('in words, from a work tree without any configuration, and with exit code 2', async () => {
    const plan = await revertd('plan', '--policies', host.repository, '--rev', 'main..proposal', '--detailed-exitcode');
    expect(plan.stdout).toContain('~ RollbackPolicy/latency trigger slow  (guard.yaml:5)');
    expect(plan.stdout).toContain('threshold: > 1000 → > 0');
    expect(plan.stdout).toContain('+ Flag/new-path  (new.yaml:1)');
    expect(plan.code).toBe(2);
    const same = await revertd('plan', '--policies', host.repository, '--rev', 'main..main');
    expect(same.stdout).toContain('no trigger, flag, ladder, source or notifier changes.');
  });

  test('wrong ranges and names say so', async () => {
    expect(await revertd('plan', '--rev', 'main...proposal')).toMatchObject({ code: 64 });
    const unknown = await revertd('plan', '--rev', 'main..nowhere');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('there is no nowhere in');
  });
});

describe('with a daemon', () => {
  beforeAll(async () => {
    await host.startDaemon();
    await host.untilStatus(
      'the trigger is known',
      ({ revision, triggers }) => revision === first && triggers.every(({ state }) => state === 'inactive'),
    );
    await host.until('the flag is adopted', async () => ((await planJson()).complete ? true : undefined));
  });

  test('the plan of what is in force fits its schema', async () => {
    expect(await planJson()).toMatchObject({ host: 'e2e', revision: first, complete: true, actions: [], holds: [] });
  });

  test('a flag that does not exist yet and a new threshold are judged by what is there now', async () => {
    const plan = await planJson('--rev', '..proposal');
    expect(plan).toMatchObject({ revision: second, comparison: { from: first, to: second }, complete: true });
    expect(plan.actions).toMatchObject([{ changes: [{ entry: 'NEW_PATH' }] }]);
    expect(plan.outlook).toMatchObject([{ what: 'latency/slow fires' }]);
  });

  test('observe saves it without anything that is not policy, and it is planned on elsewhere', async () => {
    const saved = file('observation.json');
    const observed = await revertd('observe', '--rev', 'proposal', '--out', saved);
    expect(observed.stderr).toMatch(/1 document\(s\) and 1 trigger\(s\) observed on e2e at \d{4}-/);
    const text = readFileSync(saved, 'utf8');
    expect(faultsBySchema('observation', JSON.parse(text))).toEqual([]);
    expect(text).not.toMatch(/kept|tell-nobody/);
    const elsewhere = ['plan', '--observation', saved, '--policies', host.repository];
    const plan = await host.runCommand('--data', file('nowhere'), '--json', ...elsewhere, '--rev', 'main..proposal');
    expect(plan.stderr).toBe('');
    expect(JSON.parse(plan.stdout)).toMatchObject({
      host: 'e2e',
      complete: true,
      actions: [{ changes: [{ entry: 'NEW_PATH', after: 'true' }] }],
      outlook: [{ what: 'latency/slow fires' }],
    });
    expect((await revertd('observe', '--out', file('main.json'))).code).toBe(0);
    const unseen = ['plan', '--observation', file('main.json'), '--policies', host.repository, '--rev', 'proposal'];
    const blind = await host.runCommand('--data', file('nowhere'), '--json', ...unseen);
    expect(JSON.parse(blind.stdout)).toMatchObject({ complete: false, actions: [] });
    const none = await host.runCommand('--data', file('nowhere'), 'plan', '--observation', saved);
    expect(none).toMatchObject({ code: 64 });
  });

  test('an observation that was edited, is of another version, or is none is refused in words', async () => {
    const saved = file('observation.json');
    const text = readFileSync(saved, 'utf8');
    const tries = [
      [text.replace('"name": "e2e"', '"name": "e3e"'), 4, 'changed after it was written'],
      [text.replace('"schemaVersion": 1', '"schemaVersion": 9'), 4, 'has schemaVersion 9'],
      ['{}', 1, 'it is no saved observation'],
      ['{', 1, 'it is not JSON'],
    ] as const;
    for (const [content, code, message] of tries) {
      writeFileSync(file('bad.json'), content);
      const refused = await revertd('plan', '--observation', file('bad.json'), '--policies', host.repository);
      expect(refused).toMatchObject({ code });
      expect(refused.stderr).toContain(message);
    }
  });

  test('--markdown is a comment for a pull request', async () => {
    const { stdout } = await revertd('plan', '--rev', 'main..proposal', '--markdown');
    expect(stdout).toMatch(/^<!-- revertd-plan -->\n### revertd plan for `e2e`/);
    expect(stdout).toContain('| `~` | `RollbackPolicy/latency trigger slow` | `threshold` | `guard.yaml:5` |');
    expect(stdout).toContain('`write NEW_PATH: (absent) → "true" in ');
    expect(await revertd('--json', 'plan', '--markdown')).toMatchObject({ code: 64 });
  });
});

describe('a saved plan', () => {
  const saved = file('plan.json');
  const OFF = FLAG().replace('defaultVariant: "on"', 'defaultVariant: "off"');

  async function refusal(content: object, path = file('bad.json')): Promise<string> {
    writeFileSync(path, JSON.stringify(content));
    const { code, stdout, stderr } = await revertd('apply', path);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(host.env()).toContain('FAST_PATH=true');
    return stderr;
  }

  function savedPlan(): ShownPlan & { digest: string } {
    return JSON.parse(readFileSync(saved, 'utf8')) as ShownPlan & { digest: string };
  }

  test('made while halted shows what the halt withholds', async () => {
    expect((await revertd('halt', '--reason', 'by hand only')).code).toBe(0);
    const off = host.commit({ 'flags.yaml': OFF, 'guard.yaml': null }, 'Off');
    await host.untilStatus('it is in force', ({ revision, halted }) => revision === off && halted !== null);
    await host.until('the change is withheld', async () =>
      (await planJson()).withheld.length === 1 ? true : undefined,
    );
    expect((await revertd('plan', '--out', saved)).stdout).toContain('Withheld by the halt');
    expect(faultsBySchema('plan', savedPlan())).toEqual([]);
  });

  test('that was edited by hand, or is no plan, is refused', async () => {
    const edited = JSON.parse(readFileSync(saved, 'utf8').replaceAll('"false"', '"maybe"')) as object;
    expect(await refusal(edited)).toContain('it was changed after it was written');
    writeFileSync(file('bad.json'), '[]');
    const none = await revertd('apply', file('bad.json'));
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('it is no saved plan; `revertd plan --out FILE` writes one');
  });

  test('of another host, version or revision is refused', async () => {
    const { digest: _digest, ...plan } = savedPlan();
    expect(await refusal(seal({ ...plan, host: 'other' }))).toContain('the plan is for other, and this is e2e');
    expect(await refusal(seal({ ...plan, version: '9.9.9' }))).toContain('revertd 9.9.9 made it');
    expect(await refusal(seal({ ...plan, schemaVersion: 2 }))).toContain('it has schemaVersion 2');
    expect((await revertd('plan', '--rev', 'proposal', '--out', file('other.json'))).code).toBe(0);
    const other = JSON.parse(readFileSync(file('other.json'), 'utf8')) as object;
    expect(await refusal(other)).toMatch(/is for revision \w{12}, and \w{12} is in force/);
  });

  test('whose ground has moved is refused whole', async () => {
    expect((await revertd('flags', 'set', 'fast-path', 'off', '--reason', 'me too')).code).toBe(0);
    const moved = await refusal(savedPlan());
    expect(moved).toContain('the ground has moved since the plan was made, and nothing was done:');
    expect(moved).toContain('it rested on ');
    expect((await revertd('holds', 'lift', 'override:fast-path')).code).toBe(0);
  });

  test('is not taken from a caller who does not prove who it is', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const outgoing = request({ socketPath: host.socket, method: 'POST', path: '/api/v1/apply' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ plan: savedPlan() }));
    expect(await promise).toBe(403);
  });

  test('is done as it stands, with what makes it effective, while the halt goes on; and once', async () => {
    const before = (await host.appState()).reloads;
    const applied = await revertd('apply', saved);
    expect(applied.stdout).toMatch(/^Begun: write FAST_PATH: "true" → "false" in /);
    expect(applied.code).toBe(0);
    await host.until('the app reloads', async () => {
      const { fast, reloads } = await host.appState();
      return !fast && reloads === before + 1 ? true : undefined;
    });
    expect((await host.status()).halted).toMatchObject({ reason: 'by hand only' });
    await host.until('it is seen', async () => ((await planJson()).withheld.length === 0 ? true : undefined));
    expect((await revertd('apply', saved)).stdout).toMatch(/^Done already: write FAST_PATH/);
    type Events = { events: { type: string; actor: string; operation?: { action: { kind: string } } }[] };
    const { events } = await (await host.client()).get<Events>('events?limit=1000');
    const user = (await host.runShell('id', '-un')).trim();
    const byUser = events.filter(({ type, actor }) => type === 'operation.planned' && actor === user);
    expect(byUser.map(({ operation }) => operation?.action.kind)).toEqual(['deliver', 'takeUp']);
  });

  test('adopts nothing', async () => {
    const other = NEW_FLAG.replace('NEW_PATH', 'OTHER');
    const revision = host.commit({ 'other.yaml': other }, 'Other');
    await host.untilStatus('it is held', (status) => status.revision === revision && status.holds.length === 1);
    expect((await revertd('plan', '--out', saved)).code).toBe(0);
    const applied = await revertd('apply', saved);
    expect(applied).toMatchObject({ code: 0, stdout: '' });
    expect(applied.stderr).toContain('1 hold(s) wait for `revertd adopt`; applying a plan adopts nothing.');
    expect(host.env()).toContain('OTHER=kept');
  });

  test('is not applied by a daemon that never acts, nor without one', async () => {
    await host.stopDaemon();
    expect((await revertd('apply', saved)).stderr).toContain('no daemon listens');
    await host.startDaemon({}, ['--dry-run']);
    await host.untilStatus('it follows', ({ revision }) => revision === savedPlan().revision);
    const refused = await revertd('apply', saved);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('runs with --dry-run and never acts');
  });
});
