/**
 * The same storefront, with everything that can come between: revertd is killed in the middle of what it does, another
 * policy wants the same thing, git removes the policy meanwhile, a build hangs, the service does not stop.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { done, property, refuseOutsideOfTheSandbox, until } from '../support/installed-host.ts';
import { flags, ladder, NEIGHBOUR, target } from '../support/reality/policies.ts';
import { pathOf, Stage } from '../support/reality/stage.ts';
import { PATHS, PATIENCE_MS, UNIT } from '../support/reality/storefront.ts';
import { runGitIn } from '../tools/git-repository.ts';

let stage: Stage;
let quick = '';

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  // Where the feature is off already, its rung is skipped.
  stage = await Stage.open({ 'flags.yaml': flags({ recommendations: 'off' }), 'neighbour.yaml': NEIGHBOUR }, false);
  quick = stage.storefront.head();
}, 180_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function untilUnit(state: string): Promise<void> {
  const look = async () => ((await property(UNIT, 'ActiveState')) === state ? true : undefined);
  await until(`${UNIT} is ${state}`, look, PATIENCE_MS);
}

async function untilThere(path: string): Promise<void> {
  await until(`${path} is there`, async () => (existsSync(path) ? true : undefined), PATIENCE_MS);
}

test('killed while the service stops and while it starts again, the move of the code is finished once', async () => {
  const { storefront, revertd } = stage;
  writeFileSync(PATHS.holdStop, '');
  const slow = storefront.release('slow-pricing.ts', 'Ask the tax office');
  await untilUnit('deactivating');
  expect(storefront.head()).toBe(slow);
  await revertd.untilEvent('the neighbour joins', 'Incident/INC-1', ({ type }) => type === 'incident.joined');
  const isUp = await revertd.kill();
  writeFileSync(PATHS.holdStart, '');
  rmSync(PATHS.holdStop);
  await isUp();
  await untilUnit('activating');
  expect(storefront.head()).toBe(quick);
  const isUpAgain = await revertd.kill();
  rmSync(PATHS.holdStart);
  await isUpAgain();
  await stage.untilIncident('INC-1', 'resolved');

  expect(await property(UNIT, 'ActiveState')).toBe('active');
  expect(await storefront.state()).toMatchObject({ pricing: 'quick' });
  expect([storefront.head(), storefront.published()]).toEqual([quick, expect.stringContaining(quick)]);
  // It came, and it went: nothing else moved the checkout.
  expect(runGitIn(PATHS.checkout, ['reflog', '--format=%H']).split('\n')).toEqual([quick, slow, quick]);
  expect(pathOf(await stage.incident('INC-1'))).toEqual([
    'incident.opened',
    'rung.skipped feature',
    'rung.entered code',
    'step.started',
    'incident.joined',
    'step.started',
    'step.finished done',
    'verification.started',
    'verification.ended successful',
    'incident.closed resolved',
  ]);
  expect((await revertd.status()).holds).toMatchObject([{ kind: 'quarantine', value: slow }]);
  expect(await revertd.as('carol', 'audit verify')).toMatchObject({ code: 0 });
});

test('killed while the container stops and while the database is locked, the agreed rung is finished, though git has removed its policy', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  const hold = join(PATHS.exchange, 'hold');
  writeFileSync(hold, '');
  storefront.importBadly();
  const { id } = await stage.untilAsked();
  await revertd.follow({ 'ladder.yaml': null, 'neighbour.yaml': null }, 'Guard nothing');
  await stage.agree(id);
  await untilThere(join(PATHS.exchange, 'stopping'));
  const isUp = await revertd.kill();
  const lock = new DatabaseSync(PATHS.database, { timeout: 10_000 });
  lock.exec('BEGIN IMMEDIATE');
  rmSync(hold);
  await isUp();
  await revertd.untilEvent(
    'it waits for the lock',
    `Incident/${id}`,
    (event) => event.type === 'step.started' && event.summary.includes('sql'),
  );
  const isUpAgain = await revertd.kill();
  expect(storefront.products().unpriced).toBeGreaterThan(0);
  lock.exec('ROLLBACK');
  lock.close();
  await isUpAgain();
  await stage.untilIncident(id, 'resolved');

  expect(storefront.products()).toEqual({ all: 10, unpriced: 0 });
  expect(await storefront.exchange.rates()).toContain('LIVE_RATES=false');
  expect(pathOf(await stage.incident(id))).toEqual([
    'incident.opened',
    'rung.skipped feature',
    'rung.skipped code',
    'approval.awaited',
    'approval.requested',
    'approval.given carol',
    'approval.given dan',
    'rung.entered data',
    'step.started',
    'step.finished done',
    'step.started',
    'step.started',
    'step.finished done',
    'verification.started',
    'verification.ended successful',
    'incident.closed resolved',
  ]);
  expect(await revertd.as('carol', 'audit verify')).toMatchObject({ code: 0 });
  await revertd.follow({ 'ladder.yaml': ladder() }, 'Guard the storefront');
});

test('a build that hangs is ended with all its processes, touches nothing, and the next revision is deployed', async () => {
  const { storefront, revertd } = stage;
  const life = await storefront.life();
  const before = storefront.head();
  await revertd.follow({ 'target.yaml': target().replace('timeout: 20s', 'timeout: 2s') }, 'Builds take two seconds');
  storefront.release('pricing.ts', 'Wait for what never comes', 'sleep 1234567 & sleep 1234567\n');
  await revertd.untilStatus('the build is given up', ({ conditions }) =>
    conditions.some(
      ({ object, message }) => object === 'Target/storefront-code' && message.includes('had not ended after 2s'),
    ),
  );
  expect(await done('pgrep --full "[s]leep 1234567" || true')).toBe('');
  expect([storefront.head(), await storefront.life()]).toEqual([before, life]);
  await revertd.follow({ 'target.yaml': target() }, 'Builds take their time');
  await stage.untilGood(storefront.release('pricing.ts', 'Wait for nothing'));
});

test('a service that will not stop fails its rung and is left running, and runs when it has stopped after all', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  const impatient = { 'target.yaml': target('2s'), 'neighbour.yaml': null };
  await revertd.follow(impatient, 'Wait two seconds for the storefront to stop');
  writeFileSync(PATHS.holdStop, '');
  const slow = storefront.release('slow-pricing.ts', 'Ask the tax office, in writing');
  const { id } = await stage.untilAsked();
  expect(storefront.head()).toBe(slow);
  const life = await storefront.life();
  expect(await revertd.as('carol', `incidents reject ${id}`)).toMatchObject({ code: 0 });
  await stage.untilIncident(id, 'exhausted');
  const events = await stage.incident(id);
  expect(pathOf(events)).toEqual([
    'incident.opened',
    'rung.skipped feature',
    'rung.entered code',
    'step.started',
    'step.finished failed',
    'rung.failed code',
    'approval.awaited',
    'approval.requested',
    'approval.rejected',
    'incident.closed exhausted',
  ]);
  expect(events.find(({ type }) => type === 'step.finished')?.text).toContain(`stop ${UNIT} was not done after 2s`);
  await stage.untilTold('owners', 'exhausted', id);
  expect(storefront.head()).toBe(slow);
  rmSync(PATHS.holdStop);
  const runsAnew = async () =>
    (await storefront.life()) !== life && (await storefront.state()) !== undefined ? true : undefined;
  await until('it runs anew', runsAnew, PATIENCE_MS);
});
