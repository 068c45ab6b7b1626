import { afterAll, expect, it } from 'vitest';
import { startFakeEngine } from '../../../test/support/fake-engine.ts';
import { NO_ENGINE } from '../../../test/support/no-engine.ts';
import type { DocumentRef } from '../../core/model/flag.ts';
import { createAllowList } from '../allow-list.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import { findContainer } from '../containers/find-container.ts';
import { createPlaceDrivers } from './registry.ts';

const never = new AbortController().signal;
const box = await startFakeEngine();
afterAll(() => box[Symbol.asyncDispose]());

async function make() {
  const container = await box.create('good');
  const { id } = await findContainer(box.engine, container, never);
  await box.engine.act({ kind: 'start' }, id, never);
  const document: DocumentRef = { kind: 'envFile', container, path: '/app/.env' };
  const text = async () => Buffer.from((await box.engine.readFile(id, '/app/.env', never)).bytes).toString('utf8');
  const calls: string[] = [];
  const write = (changed: Partial<ContainerEngine> = {}, rules = {}, signal = never) => {
    const engine: ContainerEngine = {
      ...box.engine,
      exec: async (command, given) => {
        calls.push(command.argv.join(' '));
        return await box.engine.exec(command, given);
      },
      writeFile: async (...given) => {
        calls.push(`put ${given[1]}/${given[2].name}`);
        await box.engine.writeFile(...given);
      },
      ...changed,
    };
    const { envFile } = createPlaceDrivers({ allow: createAllowList(rules), engine });
    return envFile.write(document, [{ entry: 'FEATURE', value: false }], signal);
  };
  return { container, id, document, text, calls, write };
}

const OLD = '# keep\nFEATURE=true\nOTHER="x"';
const NEW = '# keep\nFEATURE=false\nOTHER="x"';

it('puts the new file beside the old one, and renames it as root', async () => {
  const { calls, write, text } = await make();
  await write();
  const temporary = calls[0]?.replace('put ', '');
  expect(calls).toStrictEqual([
    expect.stringMatching(/^put \/app\/\.revertd-tmp-[0-9a-f]{16}$/),
    `/bin/mv -f ${temporary} /app/.env`,
  ]);
  expect(await text()).toBe(NEW);
});

it('has the engine replace it where there is no mv', async () => {
  const { calls, write, text } = await make();
  const statPath: ContainerEngine['statPath'] = async (id, path, signal) =>
    path.endsWith('/mv') ? undefined : await box.engine.statPath(id, path, signal);
  await write({ statPath });
  expect(calls).toStrictEqual(['put /app/.env']);
  expect(await text()).toBe(NEW);
});

it('has the engine replace it in a container that is paused', async () => {
  const { id, calls, write } = await make();
  await box.engine.act({ kind: 'pause' }, id, never);
  await write();
  expect(calls).toStrictEqual(['put /app/.env']);
});

it('leaves the old content and nothing else if the renaming fails', async () => {
  const { id, calls, write, text } = await make();
  const exec: ContainerEngine['exec'] = async (command, signal) => {
    calls.push(command.argv.join(' '));
    if (command.argv[0] === '/bin/mv') return { exitCode: 1, output: 'mv: read-only file system' };
    return await box.engine.exec(command, signal);
  };
  await expect(write({ exec })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('mv ended with 1: mv: read-only file system'),
  });
  expect(await text()).toBe(OLD);
  const temporary = calls[0]?.replace('put ', '') ?? '';
  expect(calls[2]).toBe(`/bin/rm -f ${temporary}`);
  expect(await box.engine.statPath(id, temporary, never)).toBeUndefined();
});

it('touches nothing if the owner could not be kept', async () => {
  const { calls, write, text } = await make();
  await expect(write({ ownerOf: () => Promise.resolve(undefined) })).rejects.toMatchObject({ code: 'ownerNotKept' });
  expect([calls, await text()]).toStrictEqual([[], OLD]);
});

it('tells of a write that does not show', async () => {
  const { write } = await make();
  const exec = () => Promise.resolve({ exitCode: 0, output: '' });
  await expect(write({ exec })).rejects.toMatchObject({
    code: 'changedMeanwhile',
    message: expect.stringContaining('does not show what was just written'),
  });
});

it('touches no container that this host does not allow', async () => {
  const { container, document, calls, write, text } = await make();
  const refusal = { code: 'notAllowed', message: expect.stringContaining(`${container} is not among the containers`) };
  await expect(write({}, { containers: ['other-*'] })).rejects.toMatchObject(refusal);
  const { envFile } = createPlaceDrivers({ allow: createAllowList({ containers: [] }), engine: box.engine });
  expect(await envFile.read(document, ['FEATURE'], never)).toMatchObject({ state: 'unreadable', ...refusal });
  expect([calls, await text()]).toStrictEqual([[], OLD]);
});

it('stops before it begins if there is no time left', async () => {
  const { calls, write, text } = await make();
  await expect(write({}, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  expect([calls, await text()]).toStrictEqual([[], OLD]);
});

it('cannot be read without an engine, and says how to mend it', async () => {
  const { envFile } = createPlaceDrivers({ allow: createAllowList({}), engine: NO_ENGINE });
  const document: DocumentRef = { kind: 'envFile', container: 'mem0', path: '/app/.env' };
  expect(await envFile.read(document, ['A'], never)).toMatchObject({
    state: 'unreadable',
    code: 'noEngine',
    message: expect.stringMatching(/^mem0:\/app\/\.env: there is no .*start the engine, or name its socket/),
  });
});

it('refuses what is too large, before it is read', async () => {
  const { id, document, write } = await make();
  const bytes = Buffer.alloc(4 * 1024 * 1024 + 1, '#');
  await box.engine.writeFile(id, '/app', { name: '.env', mode: 0o600, uid: 0, gid: 0, bytes }, never);
  await expect(write()).rejects.toMatchObject({ code: 'tooLarge' });
  const { envFile } = createPlaceDrivers({ allow: createAllowList({}), engine: box.engine });
  expect(await envFile.read(document, [], never)).toMatchObject({ state: 'unreadable', code: 'tooLarge' });
});
