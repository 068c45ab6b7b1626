import type { EvaluationContext, EvaluationContextValue, FlagMetadata, ResolutionDetails } from '@openfeature/core';
import { type EvaluationFlagValue, handleEvaluationError, OFREPApi, toResolutionDetails } from 'ofrep-core-2';
import type { Scenario, Step } from './gherkin.ts';

type Value = EvaluationFlagValue;

/** Runs one scenario against an OFREP server through the official client; undefined if it holds, else what does not. */
export async function runScenario({ steps }: Scenario, baseUrl: string): Promise<string | undefined> {
  const world = new World(baseUrl);
  for (const step of steps) {
    const wrong = await world.take(step);
    if (wrong !== undefined) return `${step.text}: ${wrong}`;
  }
  return undefined;
}

/** What the steps of one scenario tell each other. */
class World {
  readonly #api: OFREPApi;
  readonly #context: Record<string, EvaluationContextValue> = {};
  #key = '';
  #fallback: Value = '';
  #type = '';
  #details: ResolutionDetails<Value> | undefined;

  constructor(baseUrl: string) {
    this.#api = new OFREPApi({ baseUrl });
  }

  async take({ text, rows }: Step): Promise<string | undefined> {
    for (const [pattern, act] of this.#steps) {
      const match = pattern.exec(text);
      if (match !== null) return await act(match.slice(1), rows);
    }
    return 'there is no such step here';
  }

  readonly #steps: readonly (readonly [
    RegExp,
    (given: string[], rows: Step['rows']) => Promise<string | undefined> | string | undefined,
  ])[] = [
    [/^an evaluator$/, () => undefined],
    [
      /^an? (\w+)-flag with key "(.*)" and a fallback value "(.*)"$/,
      ([type = '', key = '', fallback = '']) => {
        [this.#type, this.#key, this.#fallback] = [type, key, valueOf(type, fallback)];
        return undefined;
      },
    ],
    [
      /^a context containing a key "(.*)", with type "(\w+)" and with value "(.*)"$/,
      ([key = '', type = '', value = '']) => this.#know(key, valueOf(type, value)),
    ],
    [/^a context containing a targeting key with value "(.*)"$/, ([value = '']) => this.#know('targetingKey', value)],
    [
      /^a context containing a nested property with outer key "(.*)" and inner key "(.*)", with value "(.*)"$/,
      ([outer = '', inner = '', value = '']) => this.#know(outer, { [inner]: value }),
    ],
    [/^the flag was evaluated with details$/, () => this.#evaluate()],
    [
      /^the resolved details value should be "(.*)"$/,
      ([value = '']) => difference(valueOf(this.#type, value), this.#details?.value),
    ],
    [/^the reason should be "(.*)"$/, ([reason]) => difference(reason, this.#details?.reason)],
    [/^the error-code should be "(.*)"$/, ([code]) => difference(code, this.#details?.errorCode)],
    [/^the resolved metadata should contain$/, (_given, [_head, ...rows]) => this.#compareMetadata(rows)],
    [/^the resolved metadata is empty$/, () => difference({}, this.#metadata())],
  ];

  #know(key: string, value: EvaluationContextValue | Value): undefined {
    Reflect.set(this.#context, key, value);
    return undefined;
  }

  async #evaluate(): Promise<undefined> {
    const context: EvaluationContext = this.#context;
    const { value } = await this.#api.postEvaluateFlag(this.#key, { context });
    this.#details =
      'errorCode' in value ? handleEvaluationError(value, this.#fallback) : toResolutionDetails(value, this.#fallback);
    return undefined;
  }

  #compareMetadata(rows: Step['rows']): string | undefined {
    const wanted = rows.map(([key = '', type = '', value = '']) => [key, valueOf(type, value)] as const);
    return difference(Object.fromEntries(wanted), this.#metadata());
  }

  /** Without what this server tells of itself. */
  #metadata(): FlagMetadata {
    const all = Object.entries(this.#details?.flagMetadata ?? {});
    return Object.fromEntries(all.filter(([key]) => !key.startsWith('revertd.')));
  }
}

function valueOf(type: string, text: string): Value {
  switch (type) {
    case 'Boolean':
      return text === 'true';
    case 'Integer':
    case 'Float':
      return Number(text);
    case 'Object':
      return JSON.parse(text.replaceAll('\\"', '"'));
    default:
      return text;
  }
}

function difference(wanted: unknown, found: unknown): string | undefined {
  const [one, other] = [JSON.stringify(sorted(wanted)), JSON.stringify(sorted(found))];
  return one === other ? undefined : `expected ${one}, found ${other}`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
