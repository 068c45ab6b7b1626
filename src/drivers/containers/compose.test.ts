import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject, ComposeVerb } from '../../core/model/container-step.ts';
import { createSecretResolver } from '../secrets.ts';
import { composeCommands, createCompose } from './compose.ts';
import { containersOf, missingServices } from './compose-containers.ts';

const signal = new AbortController().signal;
const secrets = createSecretResolver({});
const FILE = '/srv/app/compose.yaml';
const on = (rest: Partial<ComposeProject['on']> = {}): ComposeProject['on'] => ({
  kind: 'compose',
  file: FILE,
  services: [],
  ...rest,
});
const joined = (program: string, verb: ComposeVerb, rest: Partial<ComposeProject['on']> = {}) =>
  composeCommands(program.split(' '), { on: on(rest), do: verb }).map((words) => words.join(' '));

describe('the argument vectors', () => {
  it.each<[ComposeVerb, string]>([
    [{ kind: 'up' }, 'up --detach'],
    [{ kind: 'recreate' }, 'up --detach --force-recreate'],
    [{ kind: 'start' }, 'start'],
    [{ kind: 'stop' }, 'stop'],
    [{ kind: 'stop', graceMs: 1500 }, 'stop --timeout 2'],
    [{ kind: 'restart', graceMs: 0 }, 'restart --timeout 0'],
    [{ kind: 'down' }, 'down'],
    [{ kind: 'down', graceMs: 30_000 }, 'down --timeout 30'],
  ])('%j', (verb, expected) => {
    expect(joined('docker compose', verb)).toStrictEqual([`--file ${FILE} ${expected}`]);
  });

  it('names project and services', () => {
    const named = { project: 'mem', services: ['db', 'web'] };
    expect(joined('docker-compose', { kind: 'up' }, named)).toStrictEqual([
      `--file ${FILE} --project-name mem up --detach db web`,
    ]);
  });

  it('takes a part of a project down in the way that every version of the program knows', () => {
    const part = { services: ['db'] };
    expect(joined('/usr/bin/docker-compose', { kind: 'down', graceMs: 1 }, part)).toStrictEqual([
      `--file ${FILE} stop --timeout 1 db`,
      `--file ${FILE} rm --force db`,
    ]);
    expect(joined('/usr/bin/podman-compose', { kind: 'down' }, part)).toStrictEqual([`--file ${FILE} down db`]);
  });
});

describe('the program', () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'revertd-compose-'));
    program = join(folder, 'compose');
    await writeFile(program, '#!/bin/sh\necho "$DOCKER_HOST $COMPOSE_ANSI $(pwd) $*"\ntest "$3" != stop\n');
    await chmod(program, 0o755);
    await mkdir(join(folder, 'app'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const call = { signal, secrets, socket: '/run/x.sock' };

  it('speaks to the same engine, and runs where the file is', async () => {
    const file = join(folder, 'app/compose.yaml');
    const end = await createCompose([program])({ on: on({ file }), do: { kind: 'up' } }, call);
    expect(end).toStrictEqual({
      kind: 'exited',
      code: 0,
      output: `unix:///run/x.sock never ${join(folder, 'app')} --file ${file} up --detach\n`,
    });
  });

  it('ends with the first command that fails', async () => {
    const file = join(folder, 'app/compose.yaml');
    const end = await createCompose([program])({ on: on({ file, services: ['db'] }), do: { kind: 'down' } }, call);
    expect(end).toMatchObject({ kind: 'exited', code: 1, output: expect.stringContaining('stop db') });
  });

  it('is named where it is missing', async () => {
    const absent = createCompose([join(folder, 'absent')]);
    const project = { on: on({ file: join(folder, 'app/compose.yaml') }), do: { kind: 'up' } } as const;
    expect(await absent(project, call)).toMatchObject({ kind: 'notStarted', code: 'missingProgram' });
    expect(await createCompose([program])(project, { ...call, signal: AbortSignal.abort() })).toMatchObject({
      kind: 'stopped',
    });
  });
});

describe('the containers of a file', () => {
  const container = (name: string, labels: Readonly<Record<string, string>>) => ({
    id: name,
    name,
    labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [`com.docker.compose.${key}`, value])),
  });
  const folder = { 'project.working_dir': '/srv/app' };
  const all = [
    container('absolute', { ...folder, 'project.config_files': FILE, service: 'db', project: 'app' }),
    container('relative', { ...folder, 'project.config_files': 'compose.yaml', service: 'web', project: 'app' }),
    container('dotted', {
      ...folder,
      'project.config_files': './base.yml,./compose.yaml',
      service: 'web',
      project: 'app',
    }),
    container('oneoff', { ...folder, 'project.config_files': FILE, service: 'web', project: 'app', oneoff: 'True' }),
    container('elsewhere', { 'project.working_dir': '/srv/b', 'project.config_files': 'compose.yaml', project: 'b' }),
    container('below', { 'project.working_dir': '/srv', 'project.config_files': 'app/compose.yaml', project: 'mem' }),
    container('plain', {}),
  ];
  const names = (rest: Partial<ComposeProject['on']> = {}) => containersOf(on(rest), all).map(({ name }) => name);

  it('are known by its path, however that was given', () => {
    expect(names()).toStrictEqual(['absolute', 'relative', 'dotted', 'below']);
    expect(names({ services: ['db'] })).toStrictEqual(['absolute']);
    expect(names({ file: '/srv/app/other.yaml' })).toStrictEqual([]);
  });

  it('are known by the name of the project, where one is given', () => {
    expect(names({ project: 'mem' })).toStrictEqual(['below']);
  });

  it('may be missing', () => {
    const asked = on({ services: ['db', 'cache'] });
    expect(missingServices(asked, containersOf(asked, all))).toStrictEqual(['cache']);
  });
});
