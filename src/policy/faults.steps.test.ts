import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'check-equals': [
    '26:63 error[E-ONE-OF] `query` needs exactly one of above, below, outside or equals; found equals and above',
  ],
  'check-file': ['26:61 error[E-FILE] a file that is absent has nothing that `contains` could ask for'],
  'check-sql': [
    '26:33 error[E-ONE-OF] `sql` needs exactly one of equals, above, below, outside or rows; found none',
    '26:119 error[E-SQL] `query` is not a SELECT: it begins with "VACUUM"',
  ],
  'check-sqlite': ['26:66 error[E-VALUE] `is` must be intact or corrupt; found the text "ok"'],
  'commit-base': [
    '26:58 error[E-BRANCH] the commit would go to `base` itself (main); revertd only commits to a branch for a pull request',
  ],
  'commit-flag': [
    '26:56 error[E-NO-SAFE-VARIANT] the Flag "fast-path" has no safeVariant, so it cannot be set to safe; add one, or name a variant',
    '3:19 the Flag "fast-path"',
  ],
  'commit-nothing': ['26:50 error[E-EDIT] nothing is changed in this file; say one of set, remove, content and delete'],
  'commit-password': [
    '26:36 error[E-SECRET] `repository` has a user name or password in it; name the secret in auth instead',
  ],
  'commit-path': [
    '26:56 error[E-FORMAT] `path` is not right: found "../a.yaml", expected a path in the repository such as config/app.yaml',
  ],
  'edit-both': ['26:44 error[E-EDIT] `content` and `set` exclude each other; keep one'],
  'edit-entry': [
    '26:51 error[E-ENTRY] "a.b" is not a JSON pointer; it begins with / and has / between its parts',
    '26:70 error[E-ENTRY] "c" is not a JSON pointer; it begins with / and has / between its parts',
  ],
  'edit-env-name': ['26:47 error[E-ENTRY] "/A" is not the name of an environment variable'],
  'edit-format': [
    '26:29 error[E-FORMAT] how "/etc/app.conf" is written cannot be told from its name; say `format: env`, json, yaml, toml or properties',
  ],
  'edit-nothing': ['26:23 error[E-EDIT] nothing is changed in this file; say one of set, remove, content and copyOf'],
  'http-pattern': [
    '26:58 error[E-PATTERN] `bodyMatches` is not a regular expression (RE2): error parsing regexp: missing closing ): `(`',
  ],
  'http-pointer': [
    '26:63 error[E-POINTER] `pointer` is not a JSON pointer: found "/a~2"; ~ stands only before 0 and 1',
  ],
  'notify-nobody': ['26:26 error[E-NO-NOTIFIER] there is no Notifier called "oncall"; there is no Notifier at all'],
  'restore-keys': [
    '14:92 error[E-KEYS] keys are of one table; found 2 of them',
    '15:67 error[E-KEYS] keys are of a table; name it: `tables: [NAME]`',
    '16:69 error[E-RESTORE-PART] a database has no paths; name its `tables`, or leave `only` out',
    '16:81 error[E-KEYS] what has paths has no tables; name the one or the other',
  ],
  'run-memory': ['26:71 error[E-UNIT] `memory` has no unit: found 512, write 512B or 512MiB'],
  'sql-commit': [
    '26:67 error[E-SQL] COMMIT is not for a policy to write: the step opens and commits the transaction itself',
  ],
  'sql-concurrently': [
    '26:62 error[E-SQL] DROP INDEX CONCURRENTLY cannot run in a transaction; write `transaction: false` beside the statements',
  ],
  'sql-dsn': [
    '26:28 error[E-TYPE] `postgres` must be a reference to a secret; found the text "postgres://me:pw@db/app"; for example { credential: admin-token }',
  ],
  'sql-empty': ['26:52 error[E-SQL] there is no statement in this text'],
  'sql-no-database': ['26:11 error[E-ONE-OF] `sql` needs exactly one of postgres or sqlite; found none'],
  'sql-no-statements': ['26:11 error[E-ONE-OF] `sql` needs exactly one of statements or file; found none'],
  'sql-param': ['26:97 error[E-PARAM] no statement uses the parameter sicne; write :sicne where its value belongs'],
  'sql-require-writes': ['26:87 error[E-SQL] `query` is not a SELECT: it begins with "DELETE"'],
  'sql-rows': ['26:92 error[E-RANGE] no number of rows is at least 5 and at most 1'],
  'sql-counted-label': [
    '10:102 error[E-COUNTED] the rung counts nothing called "memory" under `dataLoss`; expected memories or facts',
  ],
  'sql-counted-several': [
    '10:91 error[E-COUNTED] the rung has several counts, so `counted` names none; expected {counted: memories} or {counted: facts}',
  ],
  'sql-rows-word': [
    '26:91 error[E-COUNTED] the rung counts nothing under `dataLoss`, so `counted` names none; expected dataLoss: {count: …}',
  ],
  'check-target-changed': ['13:58 error[E-UNIT] `changedSince` has no unit: found 24, write 24s or 24ms'],
  'check-target-in-target': [
    '6:13 error[E-CHECK] what makes a target intact must be seen on the host; `target` would ask revertd itself',
  ],
  'check-target-word': [
    '13:42 error[E-VALUE] `is` must be `intact` or {changedSince: DURATION}; found the text "intac"; did you mean intact?',
  ],
  'check-unit-journal': ['13:66 error[E-NOT-SUPPORTED] `none` is not supported by this version yet'],
  'sql-two-databases': [
    '26:39 error[E-ONE-OF] `sql` needs exactly one of postgres or sqlite; found sqlite and postgres',
  ],
  'sql-two-in-one': ['26:52 error[E-SQL] these are several statements; write each as its own item'],
  'wait-for': ['26:95 error[E-WAIT] `for` (10s) must be shorter than `within` (10s), or it can never be so'],
};

describe('what is wrong with a step or a check', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('steps')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('steps', name)).toEqual({ refused: true, lines });
  });
});
