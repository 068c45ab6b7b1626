import type { Examination } from '../../core/model/drill.ts';
import type { Step } from '../../core/model/step.ts';
import type { Millis } from '../../core/units.ts';
import type { AllowList } from '../allow-list.ts';
import type { Compose } from '../containers/compose.ts';
import type { ContainerEngine } from '../containers/engine.ts';
import type { SecretResolver } from '../secrets.ts';
import type { Systemctl } from '../systemctl.ts';
import { containerStep } from './container/index.ts';
import { editFileStep } from './editFile/index.ts';
import { gitCommitStep } from './gitCommit/index.ts';
import type { PolicySource } from './gitCommit/remote.ts';
import { httpStep } from './http/index.ts';
import { runStep } from './run/index.ts';
import { serviceStep } from './service/index.ts';
import { sqlStep } from './sql/index.ts';
import type {
  Ask,
  Fingerprint,
  HostStep,
  HostStepKind,
  Observation,
  StepContext,
  StepDriver,
  StepOutcome,
} from './step-driver.ts';
import { waitForStep } from './waitFor/index.ts';

/** What drivers of steps need of the host. */
export type StepHost = {
  readonly allow: AllowList;
  readonly systemctl: Systemctl;
  readonly engine: ContainerEngine;
  readonly compose: Compose;
  readonly ask: Ask;
  readonly secrets: SecretResolver;
  /** Milliseconds that pass whatever the clock is set to. */
  readonly elapsed: () => Millis;
  readonly hostName: string;
  /** Where the policies come from, if it is a repository. */
  readonly policySource: PolicySource | undefined;
};

/** One driver per kind; the keys are the names of the folders beside this file. */
export const STEP_DRIVERS = {
  service: serviceStep,
  container: containerStep,
  http: httpStep,
  run: runStep,
  sql: sqlStep,
  editFile: editFileStep,
  gitCommit: gitCommitStep,
  waitFor: waitForStep,
} satisfies { readonly [K in HostStepKind]: (host: StepHost) => StepDriver<K> };

/** The drivers behind one door: each call goes to the driver of the step's kind. */
export type StepDrivers = {
  readonly describe: (step: HostStep) => string;
  readonly examine: (step: HostStep, signal: AbortSignal) => Promise<Examination>;
  readonly prepare: (step: HostStep, signal: AbortSignal) => Promise<Fingerprint>;
  readonly perform: (step: HostStep, context: StepContext) => Promise<StepOutcome>;
  readonly observe: (step: HostStep, fingerprint: Fingerprint, signal: AbortSignal) => Promise<Observation>;
};

export function createStepDrivers(host: StepHost): StepDrivers {
  const drivers = {
    service: STEP_DRIVERS.service(host),
    container: STEP_DRIVERS.container(host),
    http: STEP_DRIVERS.http(host),
    run: STEP_DRIVERS.run(host),
    sql: STEP_DRIVERS.sql(host),
    editFile: STEP_DRIVERS.editFile(host),
    gitCommit: STEP_DRIVERS.gitCommit(host),
    waitFor: STEP_DRIVERS.waitFor(host),
  };
  return {
    describe: (step) => withDriver(step, drivers, (driver, own) => driver.describe(own)),
    examine: (step, signal) => withDriver(step, drivers, (driver, own) => driver.examine(own, signal)),
    prepare: (step, signal) => withDriver(step, drivers, (driver, own) => driver.prepare(own, signal)),
    perform: (step, context) => withDriver(step, drivers, (driver, own) => driver.perform(own, context)),
    observe: (step, before, signal) => withDriver(step, drivers, (driver, own) => driver.observe(own, before, signal)),
  };
}

type DriverTable = { readonly [K in HostStepKind]: StepDriver<K> };

function withDriver<T>(
  step: HostStep,
  drivers: DriverTable,
  use: <K extends HostStepKind>(driver: StepDriver<K>, own: Extract<Step, { kind: K }>) => T,
): T {
  switch (step.kind) {
    case 'service':
      return use<'service'>(drivers.service, step);
    case 'container':
      return use<'container'>(drivers.container, step);
    case 'http':
      return use<'http'>(drivers.http, step);
    case 'run':
      return use<'run'>(drivers.run, step);
    case 'sql':
      return use<'sql'>(drivers.sql, step);
    case 'editFile':
      return use<'editFile'>(drivers.editFile, step);
    case 'gitCommit':
      return use<'gitCommit'>(drivers.gitCommit, step);
    case 'waitFor':
      return use<'waitFor'>(drivers.waitFor, step);
  }
}
