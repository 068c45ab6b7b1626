import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject, ComposeVerb, ContainerVerb } from '../../src/core/model/container-step.ts';
import type { DocumentRef } from '../../src/core/model/flag.ts';
import type { JsonValue } from '../../src/core/model/step.ts';
import { createAllowList } from '../../src/drivers/allow-list.ts';
import { findContainer } from '../../src/drivers/containers/find-container.ts';
import { createPlaceDrivers } from '../../src/drivers/places/registry.ts';
import { createSecretResolver } from '../../src/drivers/secrets.ts';
import { containerStep } from '../../src/drivers/steps/container/index.ts';
import type { StepOf } from '../../src/drivers/steps/step-driver.ts';
import { COMMANDS, type EngineHarness, EXEC_MISSING, EXEC_SAMPLE, IMAGE_FILES, TEST_IMAGE } from './engine-samples.ts';

const never = new AbortController().signal;
const head = { origin: { file: 'test.yaml', line: 1, column: 1 }, repeatable: false, unless: [] };

export function containerStepOf(
  names: readonly string[],
  verb: ContainerVerb,
  timeoutMs = 30_000,
): StepOf<'container'> {
  return { ...head, timeoutMs, kind: 'container', on: { kind: 'containers', names }, do: verb };
}

export function composeStepOf(on: ComposeProject['on'], verb: ComposeVerb, timeoutMs = 60_000): StepOf<'container'> {
  return { ...head, timeoutMs, kind: 'container', on, do: verb };
}

function context(signal = never) {
  return {
    signal,
    operation: 'op-1',
    once: 'op-1',
    secrets: createSecretResolver({}),
    log: () => undefined,
    remember: () => undefined,
  };
}

/** What container steps do on any engine, with any compose program. */
export function describeContainerSteps(name: string, open: () => Promise<EngineHarness>): void {
  describe(`container steps on ${name}`, () => {
    let box: EngineHarness;
    beforeAll(async () => {
      box = await open();
    });
    afterAll(() => box[Symbol.asyncDispose]());

    const driver = () => {
      const ask = () => Promise.resolve({ outcome: 'unknown', detail: '' } as const);
      return containerStep({
        allow: createAllowList({}),
        engine: box.engine,
        compose: box.compose,
        ask,
        steadyMs: box.steadyMs,
      });
    };
    const perform = (step: StepOf<'container'>, signal = never) => driver().perform(step, context(signal));
    const act = (names: readonly string[], kind: 'start' | 'pause' | 'unpause') =>
      perform(containerStepOf(names, { kind }));
    const state = async (called: string) =>
      await box.engine.inspect((await findContainer(box.engine, called, never)).id, never);

    it('starts, restarts and stops several in their order', async () => {
      const names = [await box.create('good'), await box.create('good')];
      expect(await act(names, 'start')).toStrictEqual({
        outcome: 'done',
        detail: names.map((called) => `${called} is running`).join('; '),
      });
      const [one = '', other = ''] = names;
      const startedAt = async (called: string) => Date.parse((await state(called)).startedAt);
      expect(await startedAt(one)).toBeLessThanOrEqual(await startedAt(other));
      expect(await perform(containerStepOf(names, { kind: 'restart', graceMs: 1000 }))).toMatchObject({
        outcome: 'done',
      });
      expect(await perform(containerStepOf(names, { kind: 'stop', graceMs: 1000 }))).toMatchObject({ outcome: 'done' });
      expect(await state(one)).toMatchObject({ running: false });
      expect(await state(other)).toMatchObject({ running: false });
    });

    it('says so when it had to kill', async () => {
      const called = await box.create('stubborn');
      await act([called], 'start');
      const stop = containerStepOf([called], { kind: 'stop', graceMs: 1 });
      expect(await perform(stop)).toStrictEqual({
        outcome: 'done',
        detail: `${called} is exited with 137 (killed, for it had not stopped by itself)`,
      });
    });

    it('waits for the health check', async () => {
      const called = await box.create('checked');
      expect(await act([called], 'start')).toStrictEqual({ outcome: 'done', detail: `${called} is running (healthy)` });
    });

    it('gives up on one that never becomes healthy, with what its check says and its log', async () => {
      const called = await box.create('sick');
      expect(await perform(containerStepOf([called], { kind: 'start' }, box.patienceMs))).toMatchObject({
        outcome: 'failed',
        code: 'timedOut',
        detail: expect.stringMatching(/not done after \S+; sick-\d+ is still running \(unhealthy\): no pulse[^]*hello/),
      });
    });

    it('fails with the log of one that ends at once', async () => {
      const called = await box.create('failing');
      const start = containerStepOf([called], { kind: 'start' });
      expect(await perform(start)).toStrictEqual({
        outcome: 'failed',
        code: 'containerFailed',
        detail: `${called} is exited with 3\nlast lines of ${called}:\nthis is why`,
      });
    });

    it('bounds the log', async () => {
      const called = await box.create('loud');
      const { outcome, detail } = await perform(containerStepOf([called], { kind: 'start' }, box.patienceMs));
      expect({ outcome, length: Math.min(detail.length, 10_000) }).toStrictEqual({
        outcome: 'failed',
        length: detail.length,
      });
      expect(detail).toContain('characters left out');
    });

    it('takes one that ran to its end for done', async () => {
      const called = await box.create('oneshot');
      expect(await act([called], 'start')).toStrictEqual({ outcome: 'done', detail: `${called} is exited with 0` });
    });

    it('hands on what the engine says of one that cannot be started', async () => {
      const called = await box.create('broken');
      expect(await act([called], 'start')).toMatchObject({
        outcome: 'failed',
        code: 'engineRefused',
        detail: expect.stringContaining('no-such-program'),
      });
    });

    it('touches nothing if one of the names is wrong', async () => {
      const called = await box.create('good');
      expect(await act([called, 'absent'], 'start')).toMatchObject({ code: 'noSuchContainer' });
      expect(await state(called)).toMatchObject({ running: false });
      expect(await perform(containerStepOf([called], { kind: 'start' }), AbortSignal.abort())).toMatchObject({
        code: 'aborted',
      });
      expect(await state(called)).toMatchObject({ running: false });
    });

    it('pauses and goes on, or says that the engine cannot', async () => {
      const called = await box.create('good');
      await act([called], 'start');
      const paused = await act([called], 'pause');
      expect(paused).toMatchObject(
        box.canPause ? { detail: `${called} is paused` } : { outcome: 'failed', code: 'engineRefused' },
      );
      if (!box.canPause) return;
      const pause = containerStepOf([called], { kind: 'pause' });
      expect(await driver().observe(pause, {}, never)).toBe('done');
      expect(await act([called], 'unpause')).toMatchObject({ detail: `${called} is running` });
      expect(await driver().observe(pause, {}, never)).toBe('notDone');
    });

    it('runs a program inside, and judges its exit code', async () => {
      const called = await box.create('good');
      await act([called], 'start');
      const exec = (argv: readonly string[], ...exit: readonly number[]) =>
        perform(containerStepOf([called], { kind: 'exec', argv, exit }));
      expect(await exec(EXEC_SAMPLE, 0, 3)).toMatchObject({
        outcome: 'done',
        detail: expect.stringContaining('exit code 3'),
      });
      expect(await exec(EXEC_SAMPLE, 0)).toMatchObject({
        code: 'exitCode',
        detail: expect.stringMatching(/^sh in good-\d+ ended with exit code 3\n(?:out\nerr|err\nout)$/),
      });
      expect(await exec(EXEC_MISSING, 0)).toMatchObject({ outcome: 'failed' });
    });

    it('sees after a crash what was done', async () => {
      const called = await box.create('good');
      const seen = async (step: StepOf<'container'>, before: JsonValue) => await driver().observe(step, before, never);
      const start = containerStepOf([called], { kind: 'start' });
      const stop = containerStepOf([called], { kind: 'stop', graceMs: 1000 });
      const restart = containerStepOf([called], { kind: 'restart', graceMs: 1000 });
      const first = await driver().prepare(start, never);
      expect([await seen(start, first), await seen(stop, {})]).toStrictEqual(['notDone', 'done']);
      await perform(start);
      expect([await seen(start, {}), await seen(stop, {})]).toStrictEqual(['done', 'notDone']);
      const before = await driver().prepare(restart, never);
      expect([await seen(restart, before), await seen(restart, {})]).toStrictEqual(['notDone', 'unknown']);
      await perform(restart);
      expect(await seen(restart, before)).toBe('done');
      await perform(stop);
      const stopped = await driver().prepare(start, never);
      expect(await seen(start, stopped)).toBe('notDone');
      const signal = (called: string) => containerStepOf(['x'], { kind: 'signal', signal: called });
      expect([await seen(signal('SIGHUP'), {}), await seen(signal('SIGTERM'), {})]).toStrictEqual([
        'notDone',
        'unknown',
      ]);
      expect(await seen(containerStepOf(['absent'], { kind: 'start' }), {})).toBe('unknown');
    });

    describe('of a compose project', () => {
      let count = 0;
      const write = (text: string): ComposeProject['on'] => {
        count += 1;
        const folder = join(box.folder, `project${count}`);
        mkdirSync(folder);
        writeFileSync(join(folder, 'compose.yaml'), text);
        return { kind: 'compose', file: join(folder, 'compose.yaml'), services: [] };
      };
      const project = (services: Readonly<Record<string, keyof typeof COMMANDS>>) => {
        const entries = Object.entries(services).map(([service, command]) => {
          // Compose fills variables in; a dollar sign is written as two.
          const argv = JSON.stringify(COMMANDS[command]).replaceAll('$', '$$$$');
          return `  ${service}: { image: "${TEST_IMAGE}", network_mode: none, stop_grace_period: 1s, command: ${argv} }`;
        });
        return write(`version: "3.4"\nservices:\n${entries.join('\n')}\n`);
      };
      const there = async (on: ComposeProject['on'], part: string) =>
        (await box.engine.list(never)).filter(
          ({ labels }) =>
            labels['com.docker.compose.service'] === part &&
            on.file.includes(`/${labels['com.docker.compose.project']}/`),
        );

      it('brings it up and down, in whole and in part', async () => {
        const on = project({ web: 'works', db: 'works' });
        const up = composeStepOf(on, { kind: 'up' });
        expect(await perform(composeStepOf({ ...on, services: ['db'] }, { kind: 'up' }))).toMatchObject({
          outcome: 'done',
        });
        expect(await there(on, 'web')).toStrictEqual([]);
        expect(await perform(up)).toMatchObject({
          outcome: 'done',
          detail: expect.stringMatching(/is running; .* is running$/),
        });
        expect(await there(on, 'web')).toHaveLength(1);
        expect(
          await perform(composeStepOf({ ...on, services: ['web'] }, { kind: 'down', graceMs: 1000 })),
        ).toMatchObject({ outcome: 'done' });
        expect([await there(on, 'web'), (await there(on, 'db')).length]).toStrictEqual([[], 1]);
        expect(await perform(composeStepOf(on, { kind: 'down' }))).toMatchObject({ outcome: 'done' });
        expect(await there(on, 'db')).toStrictEqual([]);
      });

      it('stops, starts, restarts and recreates it, and sees after a crash what was done', async () => {
        const on = project({ web: 'works' });
        const step = (kind: ComposeVerb['kind']) => composeStepOf(on, { kind });
        const seen = (kind: ComposeVerb['kind'], before: JsonValue = {}) => driver().observe(step(kind), before, never);
        expect(await seen('start')).toBe('notDone');
        await perform(step('up'));
        expect([await seen('up'), await seen('start'), await seen('stop'), await seen('down')]).toStrictEqual([
          'notDone',
          'done',
          'notDone',
          'notDone',
        ]);
        const before = await driver().prepare(step('restart'), never);
        expect(await seen('restart', before)).toBe('notDone');
        expect(await perform(step('restart'))).toMatchObject({ outcome: 'done' });
        expect(await seen('restart', before)).toBe('done');
        const made = await there(on, 'web');
        expect(await perform(step('recreate'))).toMatchObject({ outcome: 'done' });
        expect((await there(on, 'web'))[0]?.id).not.toBe(made[0]?.id);
        expect(await perform(step('stop'))).toMatchObject({ outcome: 'done' });
        expect([await seen('stop'), await seen('start'), await seen('restart', before)]).toStrictEqual([
          'done',
          'notDone',
          'done',
        ]);
        expect(await perform(step('start'))).toMatchObject({ outcome: 'done' });
        await perform(step('down'));
        expect(await seen('down')).toBe('done');
      });

      it('fails with the log of a service that ends at once', async () => {
        const on = project({ web: 'works', bad: 'fails' });
        const up = composeStepOf(on, { kind: 'up' });
        expect(await perform(up)).toMatchObject({
          outcome: 'failed',
          code: 'containerFailed',
          detail: expect.stringMatching(/bad.* is exited with 3\nlast lines of .*bad.*:\nthis is why$/),
        });
        await perform(composeStepOf(on, { kind: 'down' }));
      });

      it('hands on what is wrong with the file, and changes nothing', async () => {
        const on = project({ web: 'works' });
        await perform(composeStepOf(on, { kind: 'up' }));
        writeFileSync(on.file, 'services: {web: [');
        for (const kind of ['down', 'up'] as const) {
          expect(await perform(composeStepOf(on, { kind }))).toMatchObject({
            outcome: 'failed',
            code: 'exitCode',
            detail: expect.stringMatching(/^compose ended with exit code \d+\n[^]*\w/),
          });
        }
        expect(await there(on, 'web')).toHaveLength(1);
      });

      it('says that the file or its folder is not there', async () => {
        const on = { ...project({ web: 'works' }), file: join(box.folder, 'nowhere/compose.yaml') };
        expect(await perform(composeStepOf(on, { kind: 'up' }))).toMatchObject({
          code: 'notStarted',
          detail: expect.stringContaining('nowhere does not exist'),
        });
        const absent = { ...on, file: join(box.folder, 'absent.yaml') };
        expect(await perform(composeStepOf(absent, { kind: 'up' }))).toMatchObject({ code: 'exitCode' });
      });
    });
  });
}

/** How flags are written to files inside of containers, on any engine. */
export function describeContainerPlaces(name: string, open: () => Promise<EngineHarness>): void {
  describe(`places in containers on ${name}`, () => {
    let box: EngineHarness;
    beforeAll(async () => {
      box = await open();
    });
    afterAll(() => box[Symbol.asyncDispose]());

    const drivers = () => createPlaceDrivers({ allow: createAllowList({}), engine: box.engine });
    const place = (container: string, path = '/app/.env', kind: DocumentRef['kind'] = 'envFile') => {
      const document: DocumentRef = { kind, container, path };
      return {
        read: (...entries: readonly string[]) => drivers()[kind].read(document, entries, never),
        write: (entry: string, value: JsonValue) => drivers()[kind].write(document, [{ entry, value }], never),
      };
    };
    const make = async (when: 'created' | 'running' | 'stopped') => {
      const called = await box.create('good');
      const { id } = await findContainer(box.engine, called, never);
      if (when !== 'created') await box.engine.act({ kind: 'start' }, id, never);
      if (when === 'stopped') await box.engine.act({ kind: 'stop', graceMs: 1 }, id, never);
      return { called, id };
    };
    const text = async (id: string, path: string) =>
      Buffer.from((await box.engine.readFile(id, path, never)).bytes).toString('utf8');

    it.each([['created'], ['running'], ['stopped']] as const)(
      'changes one value of a %s container, and nothing else',
      async (when) => {
        const { called, id } = await make(when);
        const env = place(called);
        expect(await env.read('FEATURE', 'NONE')).toMatchObject({
          state: 'read',
          exists: true,
          values: { FEATURE: 'true' },
        });
        const written = await env.write('FEATURE', false);
        expect(await text(id, '/app/.env')).toBe('# keep\nFEATURE=false\nOTHER="x"');
        expect(await env.read('FEATURE')).toMatchObject({ values: { FEATURE: 'false' }, digest: written.digest });
        const state = await box.engine.inspect(id, never);
        const file = await box.engine.readFile(id, '/app/.env', never);
        expect(file.mode).toBe(0o600);
        expect(await box.engine.ownerOf(state, '/app/.env', file, never)).toStrictEqual({ uid: 1234, gid: 77 });
        expect((await env.write('FEATURE', false)).before).toBe(written.digest);
        const json = place(called, '/app/app.json', 'file');
        await json.write('/flags/FEATURE', { deep: [1] });
        expect(await text(id, '/app/app.json')).toBe('{"flags": {"FEATURE": {"deep":[1]}}, "other": "x"}\n');
      },
    );

    it('creates what is absent, and leaves nothing else behind', async () => {
      const { called, id } = await make('running');
      const env = place(called, '/app/new.env');
      expect(await env.read('A')).toMatchObject({ state: 'read', exists: false, values: {} });
      expect(await env.write('A', 'b c')).toMatchObject({ before: undefined });
      expect(await text(id, '/app/new.env')).toBe('A="b c"\n');
      expect((await box.engine.readFile(id, '/app/new.env', never)).mode).toBe(0o644);
      if (name === 'a fake') return;
      const { output } = await box.engine.exec({ id, argv: ['sh', '-c', 'echo /app/.* /app/*'] }, never);
      expect(output).not.toContain('revertd-tmp');
    });

    it.each([
      ['/absent/x.env', 'folderMissing', 'create it first'],
      ['/app/.env/x.env', 'folderMissing', 'is not a folder'],
      ['/linked/.env', 'throughLink', '/linked is a link'],
      ['/app/link', 'throughLink', 'is a link'],
      ['/app/pipe', 'notRegular', 'is special'],
      ['/app', 'notRegular', 'is a folder'],
      ['/proc/self/environ', 'badPath', "one of the kernel's"],
      ['/app/../etc/x.env', 'badPath', 'without empty'],
      ['app/.env', 'badPath', 'absolute path'],
    ])('refuses %s', async (path, code, words) => {
      const { called } = await make('created');
      const fault = { code, message: expect.stringContaining(words) };
      expect(await place(called, path).read('A')).toMatchObject({ state: 'unreadable', ...fault });
      await expect(place(called, path).write('A', 1)).rejects.toMatchObject(fault);
    });

    it('names the path of the host for what is mounted from there', async () => {
      const called = await box.create('mounted');
      writeFileSync(join(box.folder, 'app.env'), 'A=1\n');
      await expect(place(called, '/mnt/app.env').write('A', 2)).rejects.toMatchObject({
        code: 'onHost',
        message: expect.stringContaining(`${join(box.folder, 'app.env')}, mounted into the container`),
      });
    });

    it('says where the fault is', async () => {
      const { called, id } = await make('created');
      const broken = { name: 'bad.env', mode: 0o644, uid: 0, gid: 0, bytes: Buffer.from('A=1\nB="x\n') };
      await box.engine.writeFile(id, '/app', broken, never);
      await expect(place(called, '/app/bad.env').write('A', 2)).rejects.toMatchObject({
        code: 'syntax',
        message: expect.stringContaining(`${called}:/app/bad.env:2:3`),
      });
      await expect(place('absent').write('A', 2)).rejects.toMatchObject({ code: 'noSuchContainer' });
      expect(IMAGE_FILES['/app/bad.env']).toBeUndefined();
    });

    it('gives up if somebody else writes it at the same time', async () => {
      const { called, id } = await make('running');
      let others = 0;
      const meddling = {
        ...box.engine,
        writeFile: async (...given: Parameters<typeof box.engine.writeFile>) => {
          others += 1;
          const bytes = Buffer.from(`FEATURE=theirs${others}\n`);
          await box.engine.writeFile(id, '/app', { name: '.env', mode: 0o600, uid: 0, gid: 0, bytes }, never);
          await box.engine.writeFile(...given);
        },
      };
      const { envFile } = createPlaceDrivers({ allow: createAllowList({}), engine: meddling });
      const document: DocumentRef = { kind: 'envFile', container: called, path: '/app/.env' };
      await expect(envFile.write(document, [{ entry: 'FEATURE', value: 'mine' }], never)).rejects.toMatchObject({
        code: 'changedMeanwhile',
      });
      expect(await text(id, '/app/.env')).toBe('FEATURE=theirs2\n');
    });
  });
}
