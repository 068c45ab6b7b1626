/**
 * The on-call runbook on a real host: a service as a systemd unit, with its database, its code in a repository and a
 * container, guarded by revertd as it is installed. Four faults come one after the other. The first is over with a flag,
 * the second needs the last good code, the third the dump and two people, and the fourth defeats all of that.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { property, refuseOutsideOfTheSandbox } from '../support/installed-host.ts';
import { Gauge } from '../support/reality/gauge.ts';
import { flags, ladder } from '../support/reality/policies.ts';
import { type Recovery, recoveryOf, recoveryTable } from '../support/reality/recovery.ts';
import { pathOf, Stage } from '../support/reality/stage.ts';
import { BAD_PRODUCTS, UNIT } from '../support/reality/storefront.ts';

let stage: Stage;
let quick = '';
const recoveries: Recovery[] = [];

beforeAll(async () => {
  refuseOutsideOfTheSandbox();
  stage = await Stage.open({ 'ladder.yaml': ladder({ suspend: true }) });
  quick = stage.storefront.head();
}, 180_000);

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  process.stdout.write(`\n${recoveryTable(recoveries)}`);
});

test('while git suspends the policy, a fault stays', async () => {
  const { storefront, revertd } = stage;
  const life = await storefront.life();
  storefront.under({ recommenderMs: 900 });
  // Longer than the flag below takes.
  await storefront.untilScraped(30);
  expect(storefront.env()).toContain('RECOMMENDATIONS=true\n');
  expect(await storefront.life()).toBe(life);
  expect(stage.letters('oncall')).toEqual([]);
  storefront.under({});
  await revertd.untilStatus('it is over', ({ triggers }) => triggers.every(({ state }) => state === 'inactive'));
  await revertd.follow({ 'ladder.yaml': ladder() }, 'Guard the storefront');
});

test('a feature that became slow is turned off, and comes back when git says that it is mended', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  const life = await storefront.life();
  using gauge = new Gauge();
  storefront.under({ recommenderMs: 900 });
  await stage.untilIncident('INC-1', 'resolved');

  expect(storefront.env()).toBe('# what the storefront does\nRECOMMENDATIONS=false\n');
  expect(await storefront.state()).toMatchObject({ recommends: false, pricing: 'quick' });
  expect(await storefront.life()).not.toBe(life);
  const events = await stage.incident('INC-1');
  expect(pathOf(events)).toEqual([
    'incident.opened',
    'rung.entered feature',
    'step.started',
    'step.finished done',
    'verification.started',
    'verification.ended successful',
    'incident.closed resolved',
  ]);
  recoveries.push(recoveryOf('1 a feature: the flag', gauge, events));
  expect(await stage.report('INC-1')).toContain('storefront/slow');
  for (const topic of ['opened', 'rung', 'resolved', 'report']) await stage.untilTold('oncall', topic, 'INC-1');
  expect(stage.letters('owners')).toEqual([]);
  expect((await revertd.status()).holds).toMatchObject([{ kind: 'latch', object: 'Flag/recommendations' }]);

  storefront.under({});
  await revertd.follow({ 'flags.yaml': flags({ recommendations: 'off' }) }, 'No recommendations for now');
  await revertd.untilStatus('the latch is lifted', ({ holds }) => holds.length === 0);
  await revertd.follow({ 'flags.yaml': flags() }, 'The recommender is quick again');
  await storefront.untilState('it recommends again', ({ recommends }) => recommends);
});

test('bad code is deployed, no flag helps, the last good code does, and the fix is deployed after it', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  using gauge = new Gauge();
  const slow = storefront.release('slow-pricing.ts', 'Ask the tax office');
  await stage.untilIncident('INC-2', 'resolved');

  expect(storefront.head()).toBe(quick);
  expect(storefront.published()).toContain(quick);
  expect(await storefront.state()).toMatchObject({ recommends: false, pricing: 'quick' });
  expect(await property(UNIT, 'ActiveState')).toBe('active');
  const events = await stage.incident('INC-2');
  expect(pathOf(events)).toEqual([
    'incident.opened',
    'rung.entered feature',
    'step.started',
    'step.finished done',
    'verification.started',
    'verification.ended failed',
    'rung.failed feature',
    'rung.entered code',
    'step.started',
    'step.finished done',
    'verification.started',
    'verification.ended successful',
    'incident.closed resolved',
  ]);
  recoveries.push(recoveryOf('2 bad code: the last good code', gauge, events));
  expect(await stage.report('INC-2')).toContain(slow.slice(0, 12));
  for (const topic of ['opened', 'rung', 'resolved', 'report']) await stage.untilTold('oncall', topic, 'INC-2');
  const { holds } = await revertd.status();
  const quarantine = holds.find(({ kind }) => kind === 'quarantine');
  expect(quarantine).toMatchObject({ object: 'Target/storefront-code', value: slow });

  const fix = storefront.release('pricing.ts', 'Do not ask the tax office');
  await stage.untilGood(fix);
  expect(storefront.head()).toBe(fix);
  expect(storefront.published()).toContain(fix);
  await storefront.untilState('the fix sells', ({ pricing }) => pricing === 'quick');
  expect(await revertd.as('carol', `holds lift ${quarantine?.id} --reason "it is mended"`)).toMatchObject({ code: 0 });
  const kinds = (await revertd.status()).holds.map(({ kind }) => kind);
  expect(kinds).toEqual(['latch']);
});

test('bad data needs two people, who are told what is lost, and then the dump and the container are put right', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  const container = await storefront.exchange.life();
  const code = storefront.head();
  using gauge = new Gauge();
  storefront.importBadly();
  const { request } = await stage.untilAsked();
  expect(request?.lines.join('\n')).toContain(`products: ${BAD_PRODUCTS}`);
  expect((await stage.untilTold('managers', 'approval', 'INC-3')).words).toContain(`products: ${BAD_PRODUCTS}`);

  const orders = storefront.orders();
  expect(storefront.products()).toEqual({ all: 10 + BAD_PRODUCTS, unpriced: BAD_PRODUCTS });
  expect(await storefront.exchange.rates()).toContain('LIVE_RATES=true');
  expect(await revertd.as('root', 'incidents approve INC-3')).toMatchObject({ code: 4 });
  expect(await revertd.as('erin', 'incidents approve INC-3')).toMatchObject({ code: 4 });
  expect(await revertd.as('carol', 'incidents approve INC-3')).toMatchObject({ code: 0 });
  expect(storefront.products().unpriced).toBe(BAD_PRODUCTS);
  expect(await revertd.as('dan', 'incidents approve INC-3')).toMatchObject({ code: 0 });
  await stage.untilIncident('INC-3', 'resolved');

  expect(storefront.products()).toEqual({ all: 10, unpriced: 0 });
  expect(storefront.orders()).toBeGreaterThan(orders);
  expect(await storefront.exchange.rates()).toBe('# where rates come from\nLIVE_RATES=false');
  expect(await storefront.exchange.life()).not.toBe(container);
  expect(storefront.head()).toBe(code);
  const events = await stage.incident('INC-3');
  expect(pathOf(events)).toEqual([
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
    'step.finished done',
    'verification.started',
    'verification.ended successful',
    'incident.closed resolved',
  ]);
  recoveries.push(recoveryOf('3 bad data: two people and the dump', gauge, events));
  expect(await stage.report('INC-3')).toMatch(/carol[^]*dan/);
  for (const receiver of ['oncall', 'managers']) await stage.untilTold(receiver, 'resolved', 'INC-3');
  expect(stage.letters('owners')).toEqual([]);
});

test('what defeats the whole ladder is told to everybody, and left to people', async () => {
  const { storefront, revertd } = stage;
  await revertd.untilFree('storefront');
  using gauge = new Gauge();
  storefront.under({ isBankDown: true });
  await stage.untilAsked();
  await stage.agree('INC-4');
  await stage.untilIncident('INC-4', 'exhausted');

  const events = await stage.incident('INC-4');
  expect(pathOf(events)).toEqual([
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
    'step.finished done',
    'verification.started',
    'verification.ended failed',
    'step.started',
    'step.finished done',
    'rung.failed data',
    'incident.closed exhausted',
  ]);
  recoveries.push(recoveryOf('4 the bank is down: nothing', gauge, events));
  for (const who of ['oncall', 'managers', 'owners']) await stage.untilTold(who, 'exhausted', 'INC-4');
  expect(stage.letters('owners')).toHaveLength(1);
  await stage.untilTold('managers', 'message', 'did not help');
  expect(await stage.report('INC-4')).toContain('exhausted');
  await stage.untilTold('oncall', 'braked', 'storefront');

  storefront.under({});
  await revertd.follow(
    { 'flags.yaml': flags({ recommendations: 'off', liveRates: 'off' }) },
    'Live with what was turned off',
  );
  await revertd.untilStatus('nothing is held', ({ holds, incidents }) => holds.length + incidents.length === 0);
  expect(await revertd.as('carol', 'audit verify')).toMatchObject({ code: 0 });
  expect(storefront.env()).toContain('RECOMMENDATIONS=false\n');
  expect(await storefront.exchange.rates()).toContain('LIVE_RATES=false');
});
