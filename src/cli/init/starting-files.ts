import type { PolicyFile } from '../../core/model/revision.ts';
import { isPlain } from '../../policy/found.ts';
import type { Answers, FlagAnswer, NotifyAnswer } from './answers.ts';

/** The files of a starting policy repository by their paths. Policies among them are formatted before they are written. */
export function startingFiles(answers: Answers): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: 'README.md', text: readme(answers) },
    { path: 'metrics.yaml', text: metrics(answers) },
    { path: 'flags.yaml', text: flags(answers) },
    { path: 'notifiers.yaml', text: notifiers(answers.notify) },
    { path: 'guard.yaml', text: guard(answers) },
    { path: 'tests/guard.yaml', text: tests(answers) },
    { path: '.github/workflows/policies.yaml', text: WORKFLOW },
  ];
}

export function asPolicyFiles(
  files: readonly { readonly path: string; readonly text: string }[],
): readonly PolicyFile[] {
  return files
    .filter(({ path }) => path.endsWith('.yaml') && !path.startsWith('.'))
    .map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
}

/** A text as it may stand in YAML, whatever it contains; without quotes where nothing can misread it. */
function quoted(text: string): string {
  return isPlain(text) ? text : JSON.stringify(text);
}

function head(kind: string, name: string): string {
  return `apiVersion: revertd.dev/v1\nkind: ${kind}\nmetadata: { name: ${quoted(name)} }`;
}

function metrics({ service, metricsUrl }: Answers): string {
  return `# Where the figures come from. The name of a source becomes the label \`job\` of all its series.
${head('MetricSource', service)}
spec:
  interval: 15s
  scrape: { targets: [${quoted(metricsUrl)}], timeout: 5s }
`;
}

function flags({ unit, flag }: Answers): string {
  return `# What a rollback turns off.
${head('Flag', flag.name)}
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on" # what git wants
  safeVariant: "off" # what a rollback sets
  deliver:
    - ${place(flag)}
      # What makes a new value effective. A service that rereads its file needs less: do: reload, or { signal: SIGHUP }.
      then: [{ service: { unit: ${quoted(unit)}, do: restart } }]
`;
}

function place({ path, place: where }: FlagAnswer): string {
  if (where.kind === 'file') return `file: { path: ${quoted(path)}, pointer: ${quoted(where.pointer)} }`;
  return `envFile: { path: ${quoted(path)}, key: ${quoted(where.key)} }`;
}

function notifiers(notify: NotifyAnswer): string {
  const intro: Readonly<Record<NotifyAnswer['kind'], string>> = {
    credential: "# Who is told. A webhook's address is itself a secret: it is a credential of the host, named here.",
    url: '# Who is told. If this address is itself a secret, name it instead: url: { credential: NAME }.',
    command: '# Who is told. The program gets each notification as JSON on its standard input.',
  };
  return `${intro[notify.kind]}\n${head('Notifier', 'oncall')}\nspec:\n  ${sending(notify)}\n`;
}

function sending(notify: NotifyAnswer): string {
  switch (notify.kind) {
    case 'credential':
      return `webhook: { url: { credential: ${quoted(notify.name)} } }`;
    case 'url':
      return `webhook: { url: ${quoted(notify.url)} }`;
    case 'command':
      return `command: { argv: [${quoted(notify.program)}] }`;
    default:
      return notify satisfies never;
  }
}

function guard({ service, unit, flag }: Answers): string {
  const requests = `http_requests_total{job="${service}"}`;
  const failed = `http_requests_total{job="${service}", code=~"5.."}`;
  return `# What is watched, and what is done about it.
${head('RollbackPolicy', service)}
spec:
  triggers:
    # The scrape fails: the service is down, or too busy to answer.
    - name: down
      query: up{job="${service}"}
      below: 1
      for: 1m
      severity: critical
    # More than 5 % of the requests fail. Adapt it to the names that the service has for them. A counter is born with its
    # first event: until a request has failed, \`or 0 * ...\` says zero; without any request there is nothing to say.
    - name: errors
      query: >-
        (sum(rate(${failed}[1m])) or 0 * sum(rate(${requests}[1m])))
        / sum(rate(${requests}[1m]))
      above: 0.05
      for: 1m
      clear: { below: 0.02, for: 1m }
      noData: clear
      severity: critical
  ladder:
    # The mildest remedy first. The next one is tried only if this did not help.
    - rung: flag
      do: [{ setFlag: { flag: ${quoted(flag.name)}, to: safe } }]
      verify:
        settle: 30s
        within: 5m
        checks: [{ unit: { name: ${quoted(unit)}, is: active } }]
    - rung: restart
      do: [{ service: { unit: ${quoted(unit)}, do: restart } }]
      verify:
        settle: 30s
        within: 5m
        checks: [{ unit: { name: ${quoted(unit)}, is: active } }]
  cooldown: 30m
  limit: { rollbacks: 2, per: 24h }
  rto: 15m
  notify: [oncall]
  # The flag comes back with a commit that changes it, not before.
  release: { flags: onFlagChange }
`;
}

function tests({ service, unit, flag }: Answers): string {
  return `# What the policies do, in simulated time: \`revertd test .\`
${head('PolicyTest', `${service}-down`)}
spec:
  interval: 15s
  input:
    # Up for six minutes, down for three, then up again.
    - { series: 'up{job="${service}"}', values: "1x24 0x12 1x60" }
  expect:
    - { at: 6m, triggers: { ${service}/down: inactive }, nothing: true }
    - within: 8m
      triggers: { ${service}/down: firing }
      rungs: [flag]
      flags: { ${quoted(flag.name)}: "off" }
      actions:
        - setFlag: { flag: ${quoted(flag.name)}, to: safe }
        - { service: { unit: ${quoted(unit)}, do: restart }, outcome: done }
      notifications: [{ topic: opened, to: [oncall] }, { topic: rung }]
    - within: 13m
      incidents: [{ policy: ${quoted(service)}, phase: resolved }]
      notifications: [{ topic: resolved }, { topic: report }]
    # The latch waits for a commit.
    - { at: 20m, holds: [{ kind: latch, flag: ${quoted(flag.name)}, variant: "off" }], nothing: true }
---
${head('PolicyTest', `${service}-errors`)}
spec:
  interval: 15s
  input:
    # A hundred requests in 15 s; from the sixth minute on ten of them fail, for four minutes.
    - { series: 'http_requests_total{job="${service}", code="200"}', values: "0+100x24 2490+90x16 3940+100x120" }
    - { series: 'http_requests_total{job="${service}", code="500"}', values: "_x24 10+10x16 170x120" }
  expect:
    - { at: 6m, triggers: { ${service}/errors: inactive }, nothing: true }
    - { within: 9m, triggers: { ${service}/errors: firing }, rungs: [flag], flags: { ${quoted(flag.name)}: "off" } }
    - { within: 15m, incidents: [{ policy: ${quoted(service)}, phase: resolved }] }
`;
}

const WORKFLOW = `# The same four commands for every change, before it can reach a host.
name: policies
on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - run: npm install --global revertd
      - run: revertd validate .
      - run: revertd lint . --format github
      - run: revertd fmt . --check
      - run: revertd test .
`;

function readme({ service, unit, flag }: Answers): string {
  return `# Policies of ${service}

revertd follows this repository: it watches \`${unit}\`, and when it fails it turns \`${flag.name}\` off; if that does not
help it restarts the service. Every step is verified, and told.

| file             | what it says                               |
| ---------------- | ------------------------------------------ |
| \`metrics.yaml\`   | where the figures come from                |
| \`flags.yaml\`     | what a rollback turns off, and where       |
| \`guard.yaml\`     | what is watched, and what is done about it |
| \`notifiers.yaml\` | who is told                                |
| \`tests/\`         | what the policies do, in simulated time    |

Before a commit:

\`\`\`sh
revertd validate .   # is it right?
revertd lint .       # does it make sense?
revertd fmt .        # does it look as it should?
revertd test .       # does it do what it should?
\`\`\`

On the host, in \`/etc/revertd/revertd.yaml\`, with the address of this repository:

\`\`\`yaml
source: { url: "https://git.example.com/ops/policies.git", branch: main }
allow: { paths: [${quoted(flag.path)}], units: [${quoted(unit)}] }
\`\`\`
`;
}
