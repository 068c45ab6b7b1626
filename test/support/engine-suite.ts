import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineVerb } from '../../src/drivers/containers/engine.ts';
import { EngineError } from '../../src/drivers/containers/engine-error.ts';
import { findContainer } from '../../src/drivers/containers/find-container.ts';
import { settle } from '../../src/drivers/steps/container/settle.ts';
import { type EngineHarness, EXEC_SAMPLE, IMAGE_FILES, type SampleName, TEST_IMAGE } from './engine-samples.ts';

const never = new AbortController().signal;

/** What the client sees of any engine that speaks the API. */
export function describeEngine(name: string, open: () => Promise<EngineHarness>): void {
  describe(`the client on ${name}`, () => {
    let box: EngineHarness;
    beforeAll(async () => {
      box = await open();
    });
    afterAll(() => box[Symbol.asyncDispose]());

    const make = async (sample: SampleName) => {
      const called = await box.create(sample);
      return await findContainer(box.engine, called, never);
    };
    const look = (id: string) => box.engine.inspect(id, never);
    const act = (id: string, verb: EngineVerb) => box.engine.act(verb, id, never);
    const started = async (sample: SampleName) => {
      const { id } = await make(sample);
      await act(id, { kind: 'start' });
      return id;
    };
    const ended = async (sample: SampleName) => (await settle(box.engine, await started(sample), 'down', never)).state;

    /** What works has set its traps when it has greeted. */
    const greeted = async (id: string, times: number) => {
      const state = await look(id);
      const greetings = async () => (await box.engine.logs(state, never)).split('hello err').length - 1;
      await expect.poll(greetings, { timeout: 10_000 }).toBe(times);
    };

    it('settles on a version', async () => {
      expect(await box.engine.greet(never)).toMatchObject({ api: expect.stringMatching(/^1\.\d\d$/) });
    });

    it('finds containers by exactly their names', async () => {
      const called = await box.create('good');
      const { id } = await findContainer(box.engine, called, never);
      expect(await look(id)).toMatchObject({ id, name: called, running: false, status: 'created' });
      await expect(findContainer(box.engine, id.slice(0, 12), never)).rejects.toMatchObject({
        code: 'noSuchContainer',
        message: expect.stringContaining(`name ${called} instead`),
      });
      await expect(findContainer(box.engine, `${called}x`, never)).rejects.toMatchObject({
        code: 'noSuchContainer',
        message: expect.stringContaining('did you mean'),
      });
      await expect(findContainer(box.engine, 'nothing-like-it', never)).rejects.toMatchObject({
        message: 'there is no container called nothing-like-it',
      });
    });

    it('starts, stops and restarts, and finds done what is so already', async () => {
      const id = await started('good');
      const first = await look(id);
      expect(first).toMatchObject({ running: true, status: 'running', health: undefined, error: '' });
      await greeted(id, 1);
      await act(id, { kind: 'start' });
      expect((await look(id)).startedAt).toBe(first.startedAt);
      await act(id, { kind: 'restart', graceMs: 2000 });
      const second = await look(id);
      expect(second.running).toBe(true);
      expect(second.startedAt).not.toBe(first.startedAt);
      await greeted(id, 2);
      await act(id, { kind: 'stop', graceMs: 2000 });
      expect(await look(id)).toMatchObject({ running: false, exitCode: 0 });
      await act(id, { kind: 'stop' });
    });

    it('has what does not stop killed after the grace', async () => {
      const id = await started('stubborn');
      await act(id, { kind: 'stop', graceMs: 1 });
      expect(await look(id)).toMatchObject({ running: false, exitCode: 137 });
    });

    it('sends signals', async () => {
      const id = await started('good');
      await greeted(id, 1);
      await act(id, { kind: 'signal', signal: 'SIGHUP' });
      expect((await look(id)).running).toBe(true);
      await act(id, { kind: 'signal', signal: 'SIGKILL' });
      expect(await settle(box.engine, id, 'down', never)).toMatchObject({ state: { running: false, exitCode: 137 } });
      await expect(act(id, { kind: 'signal', signal: 'SIGHUP' })).rejects.toMatchObject({ code: 'engine' });
    });

    it('pauses, where there is a freezer', async () => {
      const id = await started('good');
      const fault: unknown = await act(id, { kind: 'pause' }).catch((error: unknown) => error);
      expect(fault instanceof EngineError ? fault.code : fault).toBe(box.canPause ? undefined : 'engine');
      if (!box.canPause) return;
      expect(await look(id)).toMatchObject({ running: true, paused: true, status: 'paused' });
      await act(id, { kind: 'unpause' });
      expect(await look(id)).toMatchObject({ running: true, paused: false });
    });

    it('tells how a container ended', async () => {
      expect(await ended('failing')).toMatchObject({ running: false, exitCode: 3 });
      expect(await ended('oneshot')).toMatchObject({ running: false, exitCode: 0 });
      const { id } = await make('broken');
      await expect(act(id, { kind: 'start' })).rejects.toMatchObject({
        code: 'engine',
        message: expect.stringContaining('no-such-program'),
      });
    });

    it.each([
      ['checked', 'healthy', ''],
      ['sick', 'unhealthy', 'no pulse'],
    ] as const)('shows the health of %s', async (sample, health, healthOutput) => {
      const id = await started(sample);
      await expect.poll(async () => (await look(id)).health, { timeout: 20_000 }).toBe(health);
      expect(await look(id)).toMatchObject({ health, healthOutput });
    });

    it('reads the log, of a terminal too', async () => {
      const lines = async (id: string) => {
        await greeted(id, 1);
        return (await box.engine.logs(await look(id), never)).split(/\r?\n/).sort();
      };
      expect(await lines(await started('good'))).toStrictEqual(['hello err', 'hello out']);
      expect(await lines(await started('terminal'))).toStrictEqual(['hello err', 'hello out']);
    });

    it('keeps both ends of a log of any size', async () => {
      const state = await ended('chatty');
      expect(state.exitCode).toBe(4);
      const log = await box.engine.logs(state, never);
      expect(log.length).toBeLessThan(10_000);
      expect(log).toMatch(/^x+/);
      expect(log).toContain('characters left out');
      expect(log).toMatch(/x 30$/);
    });

    it('runs programs inside', async () => {
      const id = await started('good');
      const { exitCode, output } = await box.engine.exec({ id, argv: EXEC_SAMPLE }, never);
      expect([exitCode, ...output.split('\n').sort()]).toStrictEqual([3, 'err', 'out']);
      const stopped = await make('good');
      await expect(box.engine.exec({ id: stopped.id, argv: EXEC_SAMPLE }, never)).rejects.toMatchObject({
        code: 'engine',
      });
    });

    it.each([['created'], ['running']])('reads and writes files of a %s container', async (when) => {
      const id = when === 'running' ? await started('good') : (await make('good')).id;
      const state = await look(id);
      const file = await box.engine.readFile(id, '/app/.env', never);
      expect({ ...file, bytes: Buffer.from(file.bytes).toString('utf8') }).toMatchObject({
        name: '.env',
        mode: 0o600,
        bytes: textOf('/app/.env'),
      });
      expect(await box.engine.ownerOf(state, '/app/.env', file, never)).toStrictEqual({ uid: 1234, gid: 77 });
      const name = `${'a name of more than a hundred letters '.repeat(4)}.env`;
      const written = { name, mode: 0o4640, uid: 7, gid: 8, bytes: Buffer.from('A=1\n') };
      await box.engine.writeFile(id, '/app', written, never);
      const read = await box.engine.readFile(id, `/app/${name}`, never);
      expect({ name: read.name, mode: read.mode, text: Buffer.from(read.bytes).toString('utf8') }).toStrictEqual({
        name,
        mode: 0o4640,
        text: 'A=1\n',
      });
      expect(await box.engine.ownerOf(state, `/app/${name}`, read, never)).toStrictEqual({ uid: 7, gid: 8 });
    });

    it('tells files, folders, links and pipes apart', async () => {
      const { id } = await make('good');
      const kind = async (path: string) => (await box.engine.statPath(id, path, never))?.kind;
      expect(await kind('/app')).toBe('folder');
      expect(await kind('/app/.env')).toBe('file');
      expect(await kind('/app/link')).toBe('link');
      expect(await kind('/linked')).toBe('link');
      expect(await kind('/linked/.env')).toBe('file');
      expect(await kind('/app/pipe')).toBe('other');
      expect(await kind('/app/absent')).toBeUndefined();
      expect(await kind('/absent/too')).toBeUndefined();
      expect((await box.engine.statPath(id, '/app/.env', never))?.sizeBytes).toBe(textOf('/app/.env').length);
      await expect(box.engine.readFile(id, '/absent/too', never)).rejects.toMatchObject({ code: 'noSuchPath' });
    });

    it('shows what is mounted, and the image', async () => {
      const { mounts, image } = await look((await make('mounted')).id);
      expect(mounts).toStrictEqual([{ type: 'bind', source: box.folder, destination: '/mnt' }]);
      expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
      for (const digest of await box.engine.imageDigests(image, never)) expect(digest).toMatch(/@sha256:[0-9a-f]{64}$/);
    });

    it('says that a container is gone', async () => {
      const absent = 'f'.repeat(64);
      const code = { code: 'noSuchContainer' };
      await expect(look(absent)).rejects.toMatchObject(code);
      await expect(act(absent, { kind: 'stop' })).rejects.toMatchObject(code);
      await expect(box.engine.logs({ id: absent, tty: false }, never)).rejects.toMatchObject(code);
    });

    it('lets go when it is told to', async () => {
      const aborted = AbortSignal.abort();
      await expect(box.engine.list(aborted)).rejects.toMatchObject({ code: 'stopped' });
      const id = await started('sick');
      await expect(settle(box.engine, id, 'up', AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'stopped' });
    });
  });
}

function textOf(path: string): string {
  const file = IMAGE_FILES[path];
  if (file?.kind !== 'file') throw new Error(`${TEST_IMAGE} has no ${path}`);
  return file.text;
}
