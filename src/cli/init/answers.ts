/** What a starting policy repository is made from. */
export type Answers = {
  /** A systemd unit with its suffix. */
  readonly unit: string;
  /** The unit without its suffix: the name of what belongs to it. */
  readonly service: string;
  readonly metricsUrl: string;
  readonly flag: FlagAnswer;
  readonly notify: NotifyAnswer;
};

export type FlagAnswer = {
  /** The name in policies. */
  readonly name: string;
  readonly path: string;
  /** A variable of an env file, or a JSON pointer. */
  readonly place:
    | { readonly kind: 'envFile'; readonly key: string }
    | { readonly kind: 'file'; readonly pointer: string };
};

export type NotifyAnswer =
  | { readonly kind: 'credential'; readonly name: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'command'; readonly program: string };

/** A question, the option that answers it, and what is taken if there is no answer. */
export type Question<T> = {
  readonly option: string;
  readonly text: string;
  readonly usual: string;
  /** Throws AnswerError, which says what is expected. */
  readonly read: (answer: string) => T;
};

export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly code = 'answer';
}

export const QUESTIONS = {
  service: {
    option: '--service',
    text: 'Which service? A systemd unit',
    usual: 'app.service',
    read: readUnit,
  },
  metrics: {
    option: '--metrics',
    text: 'Where are its metrics? The address of its Prometheus text',
    usual: 'http://127.0.0.1:9464/metrics',
    read: readUrl,
  },
  flag: {
    option: '--flag',
    text: 'Which flag is turned off when it fails, and where does it live? FILE#VARIABLE, or FILE.json#/POINTER',
    usual: '/etc/app/env#NEW_FEATURE',
    read: readFlag,
  },
  notify: {
    option: '--notify',
    text: "Whom to tell? The name of a credential that holds a webhook's address, an address, or a program",
    usual: 'oncall-webhook',
    read: readNotify,
  },
} as const satisfies Readonly<Record<string, Question<unknown>>>;

const UNIT = /^(?<name>[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,50}[A-Za-z0-9])?)(?:@[A-Za-z0-9_.-]*)?\.service$/;

function readUnit(answer: string): Pick<Answers, 'unit' | 'service'> {
  const unit = /\.\w+$/.test(answer) ? answer : `${answer}.service`;
  const service = UNIT.exec(unit)?.groups?.['name'];
  if (service === undefined)
    throw new AnswerError(`"${answer}" is no systemd service; expected something like shop.service`);
  return { unit, service };
}

function readUrl(answer: string): string {
  const url = URL.parse(answer);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new AnswerError(
      `"${answer}" is no http or https address; expected something like http://127.0.0.1:9464/metrics`,
    );
  }
  if (url.username !== '' || url.password !== '')
    throw new AnswerError('leave the password out of the address; see `auth` of a MetricSource');
  return answer;
}

function readFlag(answer: string): FlagAnswer {
  const [, path = '', entry = ''] = /^(\/[^#]+)#(.+)$/.exec(answer) ?? [];
  if (path === '' || path.split('/').includes('..')) {
    throw new AnswerError(
      `"${answer}" is no place of a flag; expected /etc/shop/env#NEW_PRICING or /etc/shop/config.json#/features/newPricing`,
    );
  }
  const name = nameOf(entry);
  if (/\.jsonc?$/.test(path)) {
    if (!/^(\/[^/~\s]+)+$/.test(entry))
      throw new AnswerError(`"${entry}" is no JSON pointer; expected something like /features/newPricing`);
    return { name, path, place: { kind: 'file', pointer: entry } };
  }
  if (!/^[A-Za-z_]\w*$/.test(entry))
    throw new AnswerError(`"${entry}" is no environment variable; expected something like NEW_PRICING`);
  return { name, path, place: { kind: 'envFile', key: entry } };
}

/** `NEW_PRICING` and `/features/newPricing` are both called new-pricing. */
function nameOf(entry: string): string {
  const last = entry.slice(entry.lastIndexOf('/') + 1);
  const words = last.replaceAll(/([a-z\d])([A-Z])/g, '$1-$2').replaceAll(/[^A-Za-z\d]+/g, '-');
  return (
    words
      .replaceAll(/^-+|-+$/g, '')
      .toLowerCase()
      .slice(0, 63) || 'flag'
  );
}

function readNotify(answer: string): NotifyAnswer {
  if (/^https?:/.test(answer)) return { kind: 'url', url: readUrl(answer) };
  if (answer.startsWith('/')) return { kind: 'command', program: answer };
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(answer)) return { kind: 'credential', name: answer };
  throw new AnswerError(`"${answer}" is neither a credential's name, nor an address, nor a program with its path`);
}
