import type { LintRule } from '../lint-rule.ts';

export const unencryptedWebhook: LintRule = {
  id: 'unencrypted-webhook',
  severity: 'advice',
  title: 'messages leave the host unencrypted',
  why: 'What a notifier sends names hosts, services and what is wrong with them; on the way everybody can read and change it.',
  mend: 'use https, or a relay on this host',
  find: ({ notifiers }) =>
    notifiers.flatMap(({ document, value }) => {
      const url =
        value.type.kind === 'webhook' && typeof value.type.url === 'string' ? URL.parse(value.type.url) : null;
      if (url?.protocol !== 'http:' || /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return [];
      const message = `the notifier "${value.name}" sends over http to ${url.hostname}`;
      return [{ document, path: ['spec', 'webhook', 'url'], message }];
    }),
};
