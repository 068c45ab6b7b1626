import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PolicySet } from '../../src/core/model/desired.ts';
import type { Step } from '../../src/core/model/step.ts';
import { shownAs } from '../../src/core/places/flag-places.ts';
import { createHands, type Hands } from '../../src/daemon/apply/hands.ts';
import { isHostStep } from '../../src/daemon/apply/host-step.ts';
import { makeCheck } from '../../src/drivers/checks/registry.ts';
import { findContainer } from '../../src/drivers/containers/find-container.ts';
import type { HostStep } from '../../src/drivers/steps/step-driver.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { COMMANDS, type EngineHarness, TEST_IMAGE } from '../support/engine-samples.ts';
import { REAL_ENGINES } from '../support/real-engines.ts';

const never = new AbortController().signal;
const PACK = resolve(import.meta.dirname, '../../policies/mem0-stack');

/** What the rows R2, R4, R8 and R10 do with the stack, as the pack says it, without what they restore. */
const LADDER = `
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: stack }
spec:
  triggers: [{ name: up, query: up, below: 1 }]
  ladder:
    - rung: whole
      do:
        - container: { compose: "\${host.compose}", do: down }
        - container: { compose: "\${host.compose}", do: up }
    - rung: databases-first
      do:
        - container: { compose: "\${host.compose}", do: down }
        - container: { compose: "\${host.compose}", services: [postgres, neo4j], do: up }
      verify: { checks: [{ container: { name: stack_neo4j_1, is: running } }] }
    - rung: monitoring
      do:
        - container: { compose: "\${host.compose}", services: [prometheus], do: down }
        - container: { compose: "\${host.compose}", do: up }
    - rung: stop-autonomous-work
      do:
        - container: { name: "\${host.mcpContainer}", do: { exec: [killall, no-such-worker], exit: [0, 1] }, repeatable: true }
`;

function load(text: string, variables: Readonly<Record<string, string>>): PolicySet {
  const files = [{ path: 'a.yaml', bytes: Buffer.from(text) }];
  const result = loadPolicies(files, {
    revision: 'r1',
    host: variables,
    hostLabels: { 'mem0-env-files': 'container' },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.desired;
}

/** The host's own wiring of drivers, on a real engine. */
describe.each(REAL_ENGINES)('a stack of containers on $name', ({ start, missing }) => {
  describe.skipIf(missing)('in order', () => {
    let box: EngineHarness;
    let hands: Hands;
    let variables: Readonly<Record<string, string>>;
    beforeAll(async () => {
      box = await start();
      hands = createHands({}, {}, { socket: box.socket, compose: ['docker-compose'] });
      const folder = join(box.folder, 'stack');
      mkdirSync(folder);
      const argv = JSON.stringify(COMMANDS.works).replaceAll('$', '$$$$');
      const services = ['postgres', 'neo4j', 'prometheus'].map(
        (service) =>
          `  ${service}: { image: "${TEST_IMAGE}", network_mode: none, stop_grace_period: 1s, command: ${argv} }\n`,
      );
      writeFileSync(join(folder, 'docker-compose.yml'), `version: "3.4"\nservices:\n${services.join('')}`);
      variables = {
        mem0Container: await box.create('good'),
        mcpContainer: await box.create('good'),
        compose: join(folder, 'docker-compose.yml'),
      };
      for (const { id } of await box.engine.list(never)) await box.engine.act({ kind: 'start' }, id, never);
    });
    afterAll(() => box[Symbol.asyncDispose]());

    const perform = async (step: HostStep) =>
      await hands.steps.perform(step, {
        signal: never,
        operation: 'op',
        once: 'op',
        secrets: hands.secrets,
        log: () => undefined,
        remember: () => undefined,
      });
    const look = async (name: string) =>
      await box.engine.inspect((await findContainer(box.engine, name, never)).id, never);
    const text = async (name: string, path: string) =>
      Buffer.from((await box.engine.readFile((await look(name)).id, path, never)).bytes).toString('utf8');
    const names = async () =>
      (await box.engine.list(never)).map(({ name }) => name).filter((name) => name.startsWith('stack'));
    const doAll = async (steps: readonly Step[]) => {
      let detail = '';
      for (const step of steps) {
        if (!isHostStep(step)) throw new Error('expected a step of the host');
        const outcome = await perform(step);
        if (outcome.outcome === 'failed') throw new Error(outcome.detail);
        detail = outcome.detail;
      }
      return detail;
    };
    const walk = async (policies: PolicySet, rung: string) => {
      const steps = policies.policies['stack']?.ladder.find(({ name }) => name === rung)?.do ?? [];
      expect(steps.length).toBeGreaterThan(0);
      return await doAll(steps);
    };

    it('[R2] [R6] [R7] writes keys into the .env files of two containers and restarts them, as the pack says', async () => {
      const { flags } = load(readFileSync(join(PACK, 'flags.yaml'), 'utf8'), variables);
      const { mem0Container: mem0 = '', mcpContainer: mcp = '' } = variables;
      const before = [(await look(mem0)).startedAt, (await look(mcp)).startedAt];
      for (const flag of Object.values(flags)) {
        for (const { document, entry, takeUp } of flag.deliver) {
          const value = shownAs(document, flag.variants[flag.safeVariant ?? ''] ?? null);
          await hands.places[document.kind].write(document, [{ entry, value }], never);
          expect(await hands.places[document.kind].read(document, [entry], never)).toMatchObject({
            values: { [entry]: value },
          });
          await doAll(takeUp);
        }
      }
      expect(await text(mcp, '/usr/src/openmemory/.env')).toBe(
        'ENABLE_CACHING=false\nAUTONOMOUS_MODE=false\nWORKERS=4\n',
      );
      expect(await text(mem0, '/app/.env')).toContain('\nENABLE_CACHING=false');
      expect([(await look(mem0)).startedAt, (await look(mcp)).startedAt]).not.toContain(before[0]);
      expect((await look(mcp)).startedAt).not.toBe(before[1]);
    });

    it('[R2] [R4] [R8] takes the compose project down and up, in whole and in parts', async () => {
      const policies = load(LADDER, variables);
      await walk(policies, 'whole');
      expect((await names()).sort()).toStrictEqual(['stack_neo4j_1', 'stack_postgres_1', 'stack_prometheus_1']);
      await walk(policies, 'databases-first');
      expect((await names()).sort()).toStrictEqual(['stack_neo4j_1', 'stack_postgres_1']);
      const [check] = policies.policies['stack']?.ladder[1]?.verify.checks ?? [];
      if (check?.kind !== 'container') throw new Error('expected a check of a container');
      expect(await makeCheck(hands.checks, check, { signal: never, secrets: hands.secrets })).toMatchObject({
        outcome: 'true',
      });
      await walk(policies, 'monitoring');
      expect(await names()).toHaveLength(3);
    });

    it('[R10] ends autonomous work inside of a container, where there may be none', async () => {
      const detail = await walk(load(LADDER, variables), 'stop-autonomous-work');
      expect(detail).toMatch(/^killall in good-\d+ ended with exit code 1/);
    });
  });
});
