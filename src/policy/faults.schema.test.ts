import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'point-words': [
    '5:12 error[E-EMPTY] `targets` is empty; expected a list of targets',
    '6:16 error[E-VALUE] `consistency` must be live or quiesced; found the text "frozen"',
    '7:20 error[E-VALUE] `before[0]` must be rollback or revision; found the text "restore"',
    '8:20 error[E-RANGE] `daily` must be at least 1; found the number 0',
    '8:23 error[E-UNKNOWN-KEY] unknown key `dayly`; did you mean `daily`?',
    '9:25 error[E-RANGE] `maxFraction` must be at most 1; found the number 2',
    '10:16 error[E-VALUE] `compression` must be zstd, gzip or none; found the text "lzma"',
  ],
  'drill-mode': ['11:29 error[E-VALUE] `mode` must be dryRun or scratch; found the text "dry"'],
  'drill-cron': [
    '11:47 error[E-FORMAT] `schedule` is not right: found "0 3 1 */3 * 2026", expected a schedule of five fields such as 0 3 1 */3 *',
  ],
  'drill-to-come': ['11:37 error[E-NOT-SUPPORTED] `before` is not supported by this version yet'],
  'sql-update': [
    '8:33 error[E-SQL] `query` is not a SELECT: it begins with "DELETE"',
    '9:71 error[E-SQL] the column "value" is the value; it cannot be a label too',
  ],
  'sql-metric-name': [
    '7:23 error[E-FORMAT] `name` is not right: found "orders.open", expected a metric name such as orders_open',
    "7:62 error[E-NAME] the label job is set by revertd: job is the source's name, instance the target; choose another",
  ],
  'sql-no-database': ['5:3 error[E-ONE-OF] `sql` needs exactly one of postgres or sqlite; found none'],
  'tcp-address': [
    '5:28 error[E-FORMAT] `address` is not right: found "db.internal:http", expected a host and port such as 127.0.0.1:5432 or [::1]:22',
  ],
  'tls-half': ['5:49 error[E-SCHEMA] `tls` must have property keyFile when property certFile is present'],
  'prometheus-path': ['5:22 error[E-URL] `url` ends before /api/v1, which revertd adds: write http://127.0.0.1:9090'],
  'command-line': [
    '5:20 error[E-TYPE] `argv` must be a program and its arguments; found the text "queue-metrics --all"; write [queue-metrics, --all] (there is no shell that would split a text)',
  ],
  'command-timeout': ['5:67 error[E-UNIT] `bytes` has no unit: found 16, write 16B or 16MiB'],
  'host-unit': [
    '5:19 error[E-UNIT-NAME] `units[0]` is not a systemd unit with its suffix: found "memory-system"',
    '5:49 error[E-PATH] `filesystems[0]` is not an absolute path: found "var"',
  ],
  'source-no-type': [
    '4:1 error[E-ONE-OF] `spec` needs exactly one of scrape, probe, host, sql, command or prometheus; found none',
  ],
  'source-two-types': [
    '6:3 error[E-ONE-OF] `spec` needs exactly one of scrape, probe, host, sql, command or prometheus; found probe and scrape',
  ],
  'container-check': [
    '29:41 error[E-VALUE] `is` must be running, healthy or stopped; found the text "ok"',
    '30:44 error[E-FORMAT] `image` is not right: found "app:latest", expected an image digest: sha256:… or NAME@sha256:…',
    '31:52 error[E-RANGE] `restartsBelow` must be at least 1; found the number 0',
  ],
  'container-name': [
    '27:30 error[E-FORMAT] `name` is not right: found "--all", expected a container name such as memory-api',
    '28:31 error[E-EMPTY] `names` is empty; expected a list of container names',
    '29:35 error[E-ONE-OF] `container` needs exactly one of name, names or compose; found name and names',
    '30:33 error[E-PATH] `compose` is not an absolute path: found "compose.yaml"',
    '30:58 error[E-FORMAT] `services[0]` is not right: found "--rmi", expected a container name such as memory-api',
    '31:39 error[E-VALUE] `do` must be `start`, `stop`, `restart`, `pause`, `unpause`, {signal: NAME}, {exec: [PROGRAM, ARGUMENT]}, or of compose `up`, `down`, `recreate`; found the text "kill"',
    '32:60 error[E-RANGE] `exit[0]` must be at most 255; found the number 256',
    '33:57 error[E-ONE-OF] `do` needs exactly one of signal or exec; found signal and exec',
  ],
  'container-place': [
    '8:29 error[E-FORMAT] `container` is not right: found "a/b", expected a container name such as memory-api',
    '9:37 error[E-PATH] `path` is not an absolute path: found "app.json"',
  ],
  'container-verb': [
    "27:39 error[E-CONTAINER] `do: up` is for compose projects; name the project's file: compose: PATH",
    '28:60 error[E-CONTAINER] a compose project can be started, stopped, restarted, recreated, brought up and down; for `do: pause` name a container',
    '29:60 error[E-CONTAINER] a compose project can be started, stopped, restarted, recreated, brought up and down; for `do: exec` name a container',
    '30:45 error[E-CONTAINER] `services` needs `compose`',
    "30:71 error[E-GRACE] `grace` (5m) does not fit into the step's timeout (2m)",
    '31:53 error[E-CONTAINER] `grace` is for stop, restart and down',
    '31:69 error[E-CONTAINER] `repeatable` is for exec: whether anything else was done can be seen',
    '32:44 error[E-CONTAINER] `project` needs `compose`',
    '32:62 error[E-ARGV] the program is empty; the first item names what is run',
    '32:127 error[E-CONTAINER] a container that is healthy has no exit code; leave one of both out',
    '33:39 error[E-CONTAINER] `do` has `exit`, which is for `exec`',
    '34:39 error[E-CONTAINER] `container` asks for nothing; name one or more of `is`, `exitCode`, `restartsBelow`, `image`',
  ],
  'default-not-a-variant': [
    '6:19 error[E-NO-VARIANT] `defaultVariant` names no variant of this flag: found "onn", expected "on" or "off"',
  ],
  'deliver-mapping': [
    '8:12 error[E-TYPE] `deliver` must be a list of places; found a mapping; put "- " before each item',
  ],
  'empty-ladder': ['24:11 error[E-EMPTY] `ladder` is empty; expected a list of rungs'],
  'empty-triggers': ['20:13 error[E-EMPTY] `triggers` is empty; expected a list of triggers'],
  'empty-variants': ['5:13 error[E-EMPTY] `variants` is empty; expected a map of variants'],
  'env-key': [
    '9:43 error[E-NAME] "fast-path" is not an environment variable name; expected an environment variable name such as USE_ENHANCED_INJECTION',
  ],
  'file-ini': ['9:21 error[E-NOT-SUPPORTED] a place `file` is JSON, YAML, TOML or properties; .ini is not supported'],
  'flag-to-come': [
    '8:3 error[E-NOT-SUPPORTED] `ramp` is not supported by this version yet',
    '9:3 error[E-NOT-SUPPORTED] `expires` is not supported by this version yet',
  ],
  'for-empty': ['24:12 error[E-TYPE] `for` is empty; expected a duration with a unit such as 30s or 5m'],
  'for-iso': ['24:12 error[E-UNIT] `for` is not a duration: found "PT30S", write 30s'],
  'for-month': [
    '24:12 error[E-UNIT] `for` is not a duration: months and years differ in length; write d or w, and minutes as m',
  ],
  'for-negative-number': [
    '24:12 error[E-UNIT] `for` is negative: found -5, expected a duration with a unit such as 30s or 5m',
  ],
  'for-negative': [
    '24:12 error[E-UNIT] `for` is negative: found "-5s", expected a duration with a unit such as 30s, 5m or 1h30m',
  ],
  'for-number': ['24:12 error[E-UNIT] `for` has no unit: found 30, write 30s or 30ms'],
  'for-space': ['24:12 error[E-UNIT] `for` is not a duration: found "30 s", write 30s'],
  'for-text-number': ['24:12 error[E-UNIT] `for` has no unit: found 30, write 30s or 30ms'],
  'for-too-long': [
    '24:12 error[E-UNIT] `for` is longer than ten years: found "99999w", expected a duration with a unit such as 30s, 5m or 1h30m',
  ],
  'for-words': ['24:12 error[E-UNIT] `for` is not a duration: found "5 minutes", write 5m'],
  'foreign-action': [
    '27:11 error[E-UNKNOWN-KEY] unknown key `exec`; write `run: { argv: [PROGRAM, ARGUMENT] }`; there is no shell',
  ],
  'header-number': ['27:67 error[E-TYPE] `X-Version` must be a text or a reference to a secret; found the number 1'],
  'http-method': [
    '27:53 error[E-VALUE] `method` must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; found the text "post"; did you mean POST?',
  ],
  'http-password': [
    '27:24 error[E-SECRET] `url` has a user name or password in it; name the secret in a header or in auth instead',
  ],
  'http-status-text': ['27:53 error[E-TYPE] `status` must be a status code or a list of them; found the text "2xx"'],
  'http-status': ['27:53 error[E-RANGE] `status` must be at most 599; found the number 2000'],
  'http-url': ['27:24 error[E-URL] `url` is not an http or https address: found "127.0.0.1:8080/drain"'],
  'interval-zero': ['5:13 error[E-RANGE] `interval` must be at least 100ms; found 0s'],
  'key-case': ['7:3 error[E-UNKNOWN-KEY] unknown key `defaultvariant`; did you mean `defaultVariant`?'],
  'label-job': [
    `5:67 error[E-NAME] the label job is set by revertd: job is the source's name, instance the target; choose another`,
  ],
  'missing-variants': ['4:1 error[E-MISSING-KEY] `variants` is missing in `spec`'],
  'misspelled-required': ['7:3 error[E-UNKNOWN-KEY] unknown key `defaultVariants`; did you mean `defaultVariant`?'],
  'no-action': [
    '27:11 error[E-ONE-OF] `do[0]` needs exactly one of setFlag, restore, createPoint, service, container, http, run, sql, editFile, gitCommit, notify or waitFor; found none',
  ],
  'no-ladder': [
    '19:1 error[E-MISSING-KEY] a policy with critical triggers needs a `ladder`; triggers with `severity: warning` need none',
  ],
  'no-threshold': ['21:7 error[E-ONE-OF] `triggers[0]` needs exactly one of above, below or outside; found none'],
  'nodata-word': ['24:15 error[E-VALUE] `noData` must be hold, fire or clear; found the text "ok"'],
  nothing: ['4:1 error[E-MISSING-KEY] a policy needs `triggers`, a `ladder`, or both; found neither'],
  'notify-text': ['28:11 error[E-TYPE] `notify` must be a list of notifiers; found the text "oncall"; write [oncall]'],
  'outside-one': ['23:16 error[E-LENGTH] `outside` must be a pair of numbers [low, high]; found 1 of at least 2'],
  'outside-swapped': [
    '23:16 error[E-RANGE] `outside` must be [low, high] with the lower number first; found [0.9, 0.1]',
  ],
  'path-dots': ['9:24 error[E-PATH] `path` must not contain `..`: found "/etc/app/../shadow"'],
  pattern: [
    '6:52 error[E-PATTERN] `bodyMatches` is not a regular expression (RE2): error parsing regexp: missing closing ): `ok(`',
  ],
  'pid-file-restart': [
    '27:49 error[E-PID-FILE] a process that is known by its pidFile can only be signalled; found `do: restart`',
  ],
  'place-flat': [
    '9:7 error[E-UNKNOWN-KEY] unknown key `path`; expected hosts, envFile, file or then',
    '10:7 error[E-UNKNOWN-KEY] unknown key `key`; expected hosts, envFile, file or then',
  ],
  'place-none': ['9:7 error[E-ONE-OF] `deliver[0]` needs exactly one of envFile or file; found none'],
  pointer: [
    '9:45 error[E-POINTER] `pointer` is not a JSON pointer: found "flags.fastPath"; it begins with / and has / between its parts',
  ],
  'previous-step': [
    '27:43 error[E-NOT-SUPPORTED] "previousStep" is not supported by this version yet; expected `safe` or {variant: NAME}',
  ],
  'relative-path': ['9:24 error[E-PATH] `path` is not an absolute path: found "etc/app.env"'],
  'run-argv-string': [
    '27:24 error[E-TYPE] `argv` must be a program and its arguments; found the text "systemctl restart app"; write [systemctl, restart, app] (there is no shell that would split a text)',
  ],
  'run-number-argument': ['27:37 error[E-TYPE] `argv[1]` must be a text; found the number 5; write "5"'],
  'run-one-item': [
    '27:25 error[E-ARGV] "systemctl restart app" is one program name with spaces in it; there is no shell: write each argument as its own item',
  ],
  'run-string': [
    '27:16 error[E-TYPE] `run` must be a mapping; found the text "systemctl restart app"; write {argv: [systemctl, restart, app]}',
  ],
  'rung-to-come': ['28:7 error[E-NOT-SUPPORTED] `assess` is not supported by this version yet'],
  'safe-not-a-variant': [
    '7:16 error[E-NO-VARIANT] `safeVariant` names no variant of this flag: found "disabled", expected "on" or "off"',
  ],
  'secret-two': ['5:39 error[E-ONE-OF] `url` needs exactly one of credential, file or env; found credential and env'],
  'service-signal': [
    '27:55 error[E-VALUE] `signal` must be SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGKILL, SIGUSR1, SIGUSR2, SIGCONT, SIGSTOP or SIGWINCH; found the text "HUP"; did you mean SIGHUP?',
  ],
  'service-verb': [
    '27:45 error[E-VALUE] `do` must be `start`, `stop`, `restart`, `reload` or {signal: NAME}; found the text "restrat"; did you mean restart?',
  ],
  'service-without-suffix': ['27:28 error[E-UNIT-NAME] `unit` is not a systemd unit with its suffix: found "app"'],
  'severity-word': [
    '24:17 error[E-VALUE] `severity` must be critical or warning; found the text "critcal"; did you mean critical?',
  ],
  'size-without-unit': ['5:74 error[E-UNIT] `bytes` has no unit: found 1000, write 1000B or 1000MiB'],
  'state-boolean': ['8:10 error[E-TYPE] `state` must be ENABLED or DISABLED; found true'],
  'state-case': [
    '8:10 error[E-VALUE] `state` must be ENABLED or DISABLED; found the text "enabled"; did you mean ENABLED?',
  ],
  'suspend-yes': ['8:12 error[E-TYPE] `suspend` must be true or false; found the text "yes"; write true'],
  'target-flags': [
    '5:12 error[E-UNKNOWN-KEY] unknown key `names`; expected only',
    '11:18 error[E-EMPTY] `only` is empty; expected a list of flags',
    '18:12 error[E-STEP] nothing stands still while flags are captured or set; what a new value needs is in `then` of their places',
  ],
  'target-http': [
    '6:10 error[E-URL] `url` is not an http or https address: found "ftp://127.0.0.1/settings"',
    '7:13 error[E-VALUE] `method` must be PUT or POST; found the text "PATCH"',
    '8:14 error[E-POINTER] `ignore[0]` is not a JSON pointer: found "updatedAt"; it begins with / and has / between its parts',
    '16:63 error[E-VALUE] `method` must be PUT or POST; found the text "GET"',
    '22:54 error[E-POINTER] the empty pointer stands for the whole document; ignoring it would leave nothing to compare',
    '22:58 error[E-POINTER] "/a~2" is not a JSON pointer: ~ stands only in ~0 and ~1',
    '22:77 error[E-RANGE] `maxBytes` must be at most 64MiB; found 1GiB',
    '22:92 error[E-RANGE] `timeout` must be at least 1ms; found 0s',
  ],
  'target-postgres': [
    '6:17 error[E-TYPE] `connection` must be a reference to a secret; found the text "postgres://app@localhost/shop"; for example { credential: admin-token }',
    '7:5 error[E-UNKNOWN-KEY] unknown key `schema`; did you mean `schemas`?',
    '16:22 error[E-TABLE] "billing.invoices" is already part of the schema "billing"; name it once',
  ],
  'target-rows': [
    '6:15 error[E-TYPE] `postgres` must be a reference to a secret; found the text "postgres://app@localhost/shop"; for example { credential: admin-token }',
    '7:5 error[E-UNKNOWN-KEY] unknown key `table`; did you mean `tables`?',
    '13:47 error[E-ONE-OF] `rows` needs exactly one of postgres or sqlite; found postgres and sqlite',
    '19:36 error[E-EMPTY] `tables` is empty; expected a list',
  ],
  'target-not-url': ['5:23 error[E-URL] `targets[0]` is not an http or https address: found "localhost:9464"'],
  'target-command': [
    '5:23 error[E-TYPE] `capture` must be a program and its arguments; found the text "rules export"; write [rules, export] (there is no shell that would split a text)',
    '5:37 error[E-UNKNOWN-KEY] unknown key `store`; did you mean `restore`?',
    '11:24 error[E-ARGV] "rules export" is one program name with spaces in it; there is no shell: write each argument as its own item',
    '11:49 error[E-ARGV] the program is empty; the first item names what is run',
    '11:59 error[E-PATH] `cwd` must not contain `..`: found "/srv/../etc"',
    '11:82 error[E-RANGE] `maxBytes` must be at least 1B; found 0B',
  ],
  'target-files': [
    '6:23 error[E-PATH] "/etc/app/conf.d" is already part of "/etc/app"; name each folder once',
    '6:40 error[E-PATH] `paths[2]` is not an absolute path: found "relative"',
    '7:24 error[E-PATTERN] "../other" leaves nothing out: a pattern is of a name, of a path below `paths`, or of a whole path',
    '7:36 error[E-PATTERN] "!keep" leaves nothing out: a pattern is of a name, of a path below `paths`, or of a whole path',
    '13:3 error[E-MISSING-KEY] `path` is missing in `sqlite`; for example `path: /var/lib/memory-system/memory.db`',
    '13:13 error[E-UNKNOWN-KEY] unknown key `file`; expected path',
  ],
  'targets-empty': ['5:22 error[E-EMPTY] `targets` is empty; expected a list of addresses'],
  'then-set-flag': [
    '10:25 error[E-STEP] `then` makes a written value effective; it cannot set flags or move targets, only a ladder can',
  ],
  'threshold-baseline': [
    '23:26 error[E-RANGE] `above` so many times the baseline must be greater than 1, or the usual value would breach',
    '23:37 error[E-RANGE] `over` must be at least 1m; found 50s',
  ],
  'threshold-infinite': ['23:14 error[E-RANGE] `above` must be a finite number; found infinity'],
  'threshold-nan': ['23:14 error[E-RANGE] `above` must be a finite number; found NaN'],
  'threshold-percent': [
    '23:14 error[E-TYPE] `above` must be a number; found the text "90%"; write 0.9 if the query gives a ratio',
  ],
  'threshold-text': ['23:14 error[E-TYPE] `above` must be a number; found the text "0.5"; write 0.5 without quotes'],
  'threshold-unit': [
    '23:14 error[E-TYPE] `above` must be a number; found the text "500ms"; write the number alone, in the unit of the query',
  ],
  'timeout-above-interval': [
    '6:66 error[E-TIMEOUT] `timeout` (10s) is longer than the interval (5s); write at most 5s',
  ],
  'to-boolean': [
    '27:43 error[E-TYPE] `to` must be `safe` or {variant: NAME}; found false; name the variant: {variant: "off"}',
  ],
  'to-word': [
    '27:43 error[E-VALUE] `to` must be `safe` or {variant: NAME}; found the text "off"; write {variant: "off"}',
  ],
  topic: [
    '6:16 error[E-VALUE] `on[1]` must be opened, rung, approval, update, escalated, asking, resolved, exhausted, aborted, braked, warning, refused, drift, report, points or drill; found the text "resolve"; did you mean resolved?',
  ],
  'triggers-mapping': [
    '21:5 error[E-TYPE] `triggers` must be a list of triggers; found a mapping; put "- " before each item',
  ],
  'two-actions': [
    '27:53 error[E-ONE-OF] `do[0]` needs exactly one of setFlag, restore, createPoint, service, container, http, run, sql, editFile, gitCommit, notify or waitFor; found setFlag and run',
  ],
  'two-notifiers-in-one': [
    '6:3 error[E-ONE-OF] `spec` needs exactly one of webhook, slack, email, alertmanager or command; found webhook and command',
  ],
  'two-thresholds': [
    '24:7 error[E-ONE-OF] `triggers[0]` needs exactly one of above, below or outside; found above and below',
  ],
  'unknown-action': ['27:11 error[E-UNKNOWN-KEY] unknown key `setflag`; did you mean `setFlag`?'],
  'unknown-key': ['8:3 error[E-UNKNOWN-KEY] unknown key `drft`; did you mean `drift`?'],
  'unrelated-key': [
    '8:3 error[E-UNKNOWN-KEY] unknown key `purpose`; expected suspend, hosts, state, variants, defaultVariant, safeVariant, targeting, evaluators, metadata, drift or deliver',
  ],
  'variant-boolean': [
    '6:19 error[E-TYPE] `defaultVariant` must be a variant name such as on; found true; write "true"',
  ],
  'variants-list': [
    '5:13 error[E-TYPE] `variants` must be a map of variants; found a list; for example { "on": true, "off": false }',
  ],
};

describe('what the schema does not allow', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('schema')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('schema', name)).toEqual({ refused: true, lines });
  });
});
