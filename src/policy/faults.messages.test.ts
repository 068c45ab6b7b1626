import { describe, expect, it, test } from 'vitest';
import { badFixtures, faultsOf, policyFile, printed } from '../../test/tools/policy-fixtures.ts';
import { loadPolicies } from './load.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'body-field': ['7:24 error[E-TEMPLATE] there is no field ${incident.ib}; did you mean ${incident.id}?'],
  'body-host-variable': ['7:21 error[E-TEMPLATE] there is no field ${host.rule}; did you mean ${host.role}?'],
  'levels-at-once': ['19:23 error[E-RANGE] `after` must be at least 1s; found 0s'],
  'levels-nobody': ['19:36 error[E-NO-NOTIFIER] there is no Notifier called "onkall"; did you mean "oncall"?'],
  'levels-order': [
    `19:56 error[E-ORDER] levels stand in the order of their times, each counted from the incident's opening: 30m comes after 1h`,
  ],
  'mail-address': [
    '5:17 error[E-FORMAT] `to[0]` is not right: found "ann", expected a mail address such as oncall@example.com',
  ],
  'mail-login': ['8:13 error[E-SECRET] `server` has a user name or password in it; name them in `auth` instead'],
  'mail-password': [
    '9:42 error[E-TYPE] `password` must be a reference to a secret; found the text "secret"; for example { credential: admin-token }',
  ],
  'mail-path': ['5:70 error[E-URL] `server` is a host and a port alone: found "smtps://mail.example.com/inbox"'],
  'mail-scheme': [
    '5:70 error[E-FORMAT] `server` is not right: found "mail.example.com", expected a smtp or smtps address such as smtp://mail.example.com',
  ],
  'rung-nobody': ['18:16 error[E-NO-NOTIFIER] there is no Notifier called "onkall"; did you mean "oncall"?'],
  'template-absolute': ['6:24 error[E-TEMPLATE-FILE] a template is a file of the policy folder: found /etc/passwd'],
  'template-elsewhere': [
    '6:24 error[E-TEMPLATE-FILE] a template is a file `.md` or `.txt` in a folder `templates`: found opened.md',
  ],
  'template-missing': [
    '6:24 error[E-TEMPLATE-FILE] there is no file messages/templates/opened.md in the policy folder',
  ],
  'template-outside': [
    '6:24 error[E-TEMPLATE-FILE] a template is a file of the policy folder: found ../../templates/opened.md',
  ],
  'template-topic': ['6:16 error[E-UNKNOWN-KEY] unknown key `opend`; did you mean `opened`?'],
  'updates-often': ['19:21 error[E-RANGE] `every` must be at least 1m; found 10s'],
};

describe('what is wrong with messages', () => {
  it('is all listed here', () => {
    expect(badFixtures('messages')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('messages', name)).toEqual({ refused: true, lines });
  });
});

const HOST = { team: 'memory ${title}', name2: 'x' };

function load(template: string, host: Readonly<Record<string, string>> | null = HOST) {
  const notifier = `apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: oncall }
spec:
  command: { argv: [/bin/true] }
  templates: { opened: templates/opened.md }
`;
  const files = [policyFile('pack/n.yaml', notifier), policyFile('pack/templates/opened.md', template)];
  return loadPolicies(files, { revision: 'r', host: host ?? undefined, hostLabels: {} });
}

function templateOf(result: ReturnType<typeof load>) {
  return result.ok ? result.desired.notifiers['oncall']?.templates?.opened : printed(result);
}

describe('a template', () => {
  test('is read beside the file that names it, and has the variables of the host in it', () => {
    expect(templateOf(load('[${incident.id}] ${host.name}, ${host.team}\n'))).toEqual({
      file: 'pack/templates/opened.md',
      text: '[${incident.id}] ${host.name}, memory $${title}\n',
    });
  });

  test.each([
    [
      'a field that does not exist',
      'Title\n\nsee ${incident.reson}\n',
      'pack/templates/opened.md:3:5 error[E-TEMPLATE] there is no field ${incident.reson}; did you mean ${incident.reason}?',
    ],
    [
      'a section that nobody closes',
      'a\n  ${#incident.walked}\n',
      'pack/templates/opened.md:2:3 error[E-TEMPLATE] ${#incident.walked} is never closed; expected ${/incident.walked} after it',
    ],
    [
      'a variable that the host does not have',
      '${host.teem}',
      'pack/templates/opened.md:1:1 error[E-TEMPLATE] there is no field ${host.teem}; did you mean ${host.team}?',
    ],
    [
      'a field of a list outside of it',
      '${rung}',
      'pack/templates/opened.md:1:1 error[E-TEMPLATE] there is no field ${rung}; there are id, topic, severity, title, text, at, policy, revision …',
    ],
  ])('with %s is refused with its place', (_title, template, line) => {
    expect(templateOf(load(template))).toEqual([line]);
  });

  test('that is not text is refused', () => {
    const files = [
      policyFile(
        'n.yaml',
        'apiVersion: revertd.dev/v1\nkind: Notifier\nmetadata: { name: a }\nspec: { command: { argv: [x] }, templates: { opened: templates/a.md } }\n',
      ),
      { path: 'templates/a.md', bytes: new Uint8Array([0x61, 0xff]) },
    ];
    const result = loadPolicies(files, { revision: 'r', host: {}, hostLabels: {} });
    expect(printed(result)[0]).toMatch(/^templates\/a\.md:1:2 error\[E-ENCODING\]/);
  });

  test('is checked offline, where the variables of the host are not known', () => {
    const offline = load('${host.anything} ${incident.id}', null);
    expect(offline.ok).toBe(true);
  });
});

test("a webhook's address that is written out is doubted", () => {
  const text =
    'apiVersion: revertd.dev/v1\nkind: Notifier\nmetadata: { name: a }\nspec: { slack: { url: "https://hooks.slack.com/services/T0/B0/x" } }\n';
  const result = loadPolicies([policyFile('n.yaml', text)], { revision: 'r', host: {}, hostLabels: {} });
  expect(printed(result)).toEqual([
    'n.yaml:4:23 warning[W-SECRET] whoever has this address can post; name it as a secret: {credential: NAME}',
  ]);
});

test.each([
  ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, security: 'starttls' }],
  ['smtp://mail.example.com:2525', { host: 'mail.example.com', port: 2525, security: 'starttls' }],
  ['smtps://mail.example.com', { host: 'mail.example.com', port: 465, security: 'implicit' }],
  ['smtp://localhost:25', { host: 'localhost', port: 25, security: 'none' }],
  ['smtp://[::1]:25', { host: '::1', port: 25, security: 'none' }],
  ['smtps://127.0.0.1', { host: '127.0.0.1', port: 465, security: 'implicit' }],
])('the mail server %s', (server, expected) => {
  const text = `apiVersion: revertd.dev/v1\nkind: Notifier\nmetadata: { name: a }\nspec: { email: { to: [a@b.example], from: "R <r@b.example>", server: "${server}" } }\n`;
  const result = loadPolicies([policyFile('n.yaml', text)], { revision: 'r', host: {}, hostLabels: {} });
  expect(printed(result)).toEqual([]);
  expect(result.ok ? result.desired.notifiers['a']?.type : undefined).toMatchObject({ server: expected });
});
