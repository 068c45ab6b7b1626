import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HostConfig, loadHostConfig } from '../policy/host-config.ts';
import { Daemon } from './daemon.ts';
import { createLog } from './log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'revertd-daemon-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function config(): HostConfig {
  const result = loadHostConfig(undefined, { REVERTD_DATA_DIR: folder });
  if (!result.ok) throw new Error('the configuration is wrong');
  return result.config;
}

function aDaemon(): Daemon {
  const log = createLog('error', {});
  return new Daemon({
    config: config(),
    version: '0',
    log,
    environment: {},
    dryRun: false,
    onFault: (error) => {
      throw error;
    },
  });
}

test('a clock that was set back while no daemon looked is noticed at the start', async () => {
  const hourMs = 3_600_000;
  const before = aDaemon();
  const at = Date.now() + hourMs;
  const { memory } = before.reconciler;
  before.store.commit({ events: [{ at, type: 'daemon.stopped', reason: 'test' }], actor: 'test', memory });
  before.store.close();

  const after = aDaemon();
  await after.start();
  const [jump] = after.store.events({ types: ['clock.jumped'] });
  expect(jump?.event).toMatchObject({ type: 'clock.jumped' });
  expect(jump?.event.type === 'clock.jumped' && -jump.event.byMs).toBeGreaterThan(hourMs - 60_000);
  expect(after.store.events().at(-1)?.event.type).toBe('daemon.started');
  await after.stop('test');
});
