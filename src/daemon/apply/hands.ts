import { hostname } from 'node:os';
import type { Check, CheckResult } from '../../core/model/check.ts';
import type { Millis } from '../../core/units.ts';
import { type AllowList, type AllowRules, createAllowList } from '../../drivers/allow-list.ts';
import type { CheckContext } from '../../drivers/checks/check-driver.ts';
import { type CheckDrivers, createCheckDrivers, isHostCheck, makeCheck } from '../../drivers/checks/registry.ts';
import type { TargetToCheck } from '../../drivers/checks/target/index.ts';
import { createCompose } from '../../drivers/containers/compose.ts';
import { createContainerEngine } from '../../drivers/containers/engine.ts';
import { USUAL_SOCKETS } from '../../drivers/containers/engine-connection.ts';
import { createSend, type Send } from '../../drivers/notifiers/registry.ts';
import { createPlaceDrivers, type PlaceDrivers } from '../../drivers/places/registry.ts';
import { createSecretResolver, type SecretResolver } from '../../drivers/secrets.ts';
import type { PolicySource } from '../../drivers/steps/gitCommit/remote.ts';
import { createStepDrivers, type StepDrivers } from '../../drivers/steps/registry.ts';
import { hostSystemctl } from '../../drivers/systemctl.ts';
import { createTargetDrivers, type TargetDrivers } from '../../drivers/targets/registry.ts';

/** All that touches the host, in one place. */
export type Hands = {
  readonly allow: AllowList;
  readonly secrets: SecretResolver;
  readonly places: PlaceDrivers;
  readonly steps: StepDrivers;
  readonly targets: TargetDrivers;
  readonly checks: CheckDrivers;
  readonly send: Send;
};

/** Of the host's configuration: the engine's socket, and the program for compose projects. */
export type ContainerSettings = { readonly socket?: string; readonly compose?: readonly string[] };

/** What drivers cannot know by themselves; a command that only looks needs none of it. */
export type HandsHost = {
  readonly hostName?: string;
  /** Answers a check of kind `query` out of the samples. */
  readonly answerQuery?: (check: Extract<Check, { kind: 'query' }>) => Pick<CheckResult, 'outcome' | 'detail'>;
  readonly policySource?: PolicySource;
  /** What is known of a target of the policies in force. */
  readonly target?: (name: string) => TargetToCheck | undefined;
  /** The clock that the log is written by; without it the wall clock. */
  readonly now?: () => Millis;
};

export function createHands(
  rules: AllowRules,
  environment: Readonly<Record<string, string | undefined>>,
  { socket, compose }: ContainerSettings = {},
  host: HandsHost = {},
): Hands {
  const allow = createAllowList(rules);
  const engine = createContainerEngine(socket === undefined ? USUAL_SOCKETS : [socket]);
  const secrets = createSecretResolver(environment);
  const ask = async (check: Check, context: CheckContext): Promise<Pick<CheckResult, 'outcome' | 'detail'>> => {
    if (!isHostCheck(check)) {
      return host.answerQuery?.(check) ?? { outcome: 'unknown', detail: 'there are no samples to ask' };
    }
    return await makeCheck(checks, check, context);
  };
  const checks: CheckDrivers = createCheckDrivers({
    allow,
    systemctl: hostSystemctl,
    engine,
    now: () => Date.now(),
    target: (name) => host.target?.(name),
    ask,
    decisionTime: () => host.now?.() ?? Date.now(),
  });
  const steps = createStepDrivers({
    allow,
    systemctl: hostSystemctl,
    engine,
    compose: createCompose(compose),
    secrets,
    elapsed: () => performance.now(),
    hostName: host.hostName ?? hostname(),
    policySource: host.policySource,
    ask: (check, signal) => ask(check, { signal, secrets }),
  });
  const [places, targets] = [createPlaceDrivers({ allow, engine }), createTargetDrivers(allow, secrets)];
  return { allow, secrets, places, targets, steps, checks, send: createSend({ allow }) };
}
