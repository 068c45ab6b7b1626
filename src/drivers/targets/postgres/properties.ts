import { type Connection, literal, quoted } from './connection.ts';

/** What belongs to a database itself, which no archive brings back under another name. */
export type DatabaseProperties = {
  readonly encoding: string;
  readonly owner: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c` or `i` (ICU) and its locale; servers before version 15 have only the first. */
  readonly provider: string;
  readonly locale: string | null;
  readonly connectionLimit: number;
  readonly comment: string | null;
  /** `role` is empty for all of them; `text` is `name=value`. */
  readonly settings: readonly { readonly role: string; readonly text: string }[];
  /** null: nobody changed what everybody may do. `grantee` is empty for everybody. */
  readonly grants: readonly Grant[];
  readonly hasGrants: boolean;
};

type Grant = { readonly grantee: string; readonly privilege: string; readonly isGrantable: boolean };

export async function propertiesOf({ rows, version }: Connection): Promise<DatabaseProperties> {
  const locale = version >= 170_000 ? 'datlocale' : version >= 150_000 ? 'daticulocale' : 'NULL';
  const provider = version >= 150_000 ? 'datlocprovider' : "'c'";
  const [found = []] = await rows(
    `SELECT pg_encoding_to_char(encoding), pg_get_userbyid(datdba), datcollate, datctype, ${provider}, ${locale},
       datconnlimit, shobj_description(oid, 'pg_database'), datacl IS NOT NULL
     FROM pg_database WHERE datname = current_database()`,
  );
  const [encoding, owner, collate, ctype, by, icu, limit, comment, hasGrants] = found;
  const settings = await rows(
    `SELECT coalesce(r.rolname, ''), unnest(s.setconfig) FROM pg_db_role_setting s
     JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
     WHERE d.datname = current_database() ORDER BY 1, 2`,
  );
  const grants = await rows(
    `SELECT coalesce(r.rolname, ''), a.privilege_type, a.is_grantable FROM pg_database d
     CROSS JOIN LATERAL aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
     WHERE d.datname = current_database() ORDER BY 1, 2`,
  );
  return {
    encoding: encoding ?? '',
    owner: owner ?? '',
    collate: collate ?? '',
    ctype: ctype ?? '',
    provider: by ?? 'c',
    locale: icu ?? null,
    connectionLimit: Number(limit),
    comment: comment ?? null,
    settings: settings.map(([role, text]) => ({ role: role ?? '', text: text ?? '' })),
    hasGrants: hasGrants === 't',
    grants: grants.map(([grantee, privilege, grantable]) => ({
      grantee: grantee ?? '',
      privilege: privilege ?? '',
      isGrantable: grantable === 't',
    })),
  };
}

/** Makes an empty database of these properties; everybody but its owner and superusers is kept out of it by its name. */
export async function createDatabase(
  { rows, version }: Connection,
  name: string,
  { encoding, owner, collate, ctype, provider, locale, connectionLimit }: DatabaseProperties,
): Promise<void> {
  const icu = provider === 'i' && locale !== null && version >= 150_000;
  const options = [
    'TEMPLATE template0',
    `OWNER ${quoted(owner)}`,
    `ENCODING ${literal(encoding)}`,
    `LC_COLLATE ${literal(collate)}`,
    `LC_CTYPE ${literal(ctype)}`,
    ...(icu ? ['LOCALE_PROVIDER icu', `ICU_LOCALE ${literal(locale)}`] : []),
    ...(provider === 'b' && locale !== null ? ['LOCALE_PROVIDER builtin', `BUILTIN_LOCALE ${literal(locale)}`] : []),
    `CONNECTION LIMIT ${connectionLimit}`,
  ];
  await rows(`CREATE DATABASE ${quoted(name)} ${options.join(' ')}`);
}

/** Settings, grants and the comment: what the statement that makes a database does not take. */
export async function applyProperties(
  { rows }: Connection,
  name: string,
  { settings, grants, hasGrants, comment }: DatabaseProperties,
): Promise<void> {
  const database = quoted(name);
  for (const { role, text } of settings) {
    const split = text.indexOf('=');
    const [key, value] = [text.slice(0, split), text.slice(split + 1)];
    const to = `SET ${key.split('.').map(quoted).join('.')} = ${valueText(key, value)}`;
    const whose = role === '' ? `ALTER DATABASE ${database}` : `ALTER ROLE ${quoted(role)} IN DATABASE ${database}`;
    await rows(`${whose} ${to}`);
  }
  if (hasGrants) {
    await rows(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    for (const { grantee, privilege, isGrantable } of grants) {
      const to = grantee === '' ? 'PUBLIC' : quoted(grantee);
      await rows(`GRANT ${privilege} ON DATABASE ${database} TO ${to}${isGrantable ? ' WITH GRANT OPTION' : ''}`);
    }
  }
  if (comment !== null) await rows(`COMMENT ON DATABASE ${database} IS ${literal(comment)}`);
}

/** Settings whose values are lists are kept with their quotes: GUC_LIST_QUOTE of PostgreSQL's guc.h. */
const LISTS = new Set([
  'search_path',
  'temp_tablespaces',
  'session_preload_libraries',
  'shared_preload_libraries',
  'local_preload_libraries',
  'unix_socket_directories',
]);

function valueText(key: string, value: string): string {
  if (!LISTS.has(key.toLowerCase())) return literal(value);
  return value === '' ? "''" : value;
}
