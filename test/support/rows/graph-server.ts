import { loopback } from '../loopback.ts';

export type GraphServer = AsyncDisposable & { readonly url: string; readonly indexes: ReadonlySet<string> };

const CREDENTIALS = `Basic ${btoa('neo4j:graph password')}`;
const STATEMENT =
  /^(?:CREATE INDEX (?<create>\w+)(?<unless> IF NOT EXISTS)? FOR \(\w+:\w+\) ON \(\w+\.\w+\)|DROP INDEX (?<drop>\w+)(?<ifThere> IF EXISTS)?|MATCH .*)$/;

/**
 * As Neo4j's HTTP API answers, which cannot be had here: 200 whatever becomes of the statements, with what went wrong at the
 * end of the body; then nothing of the transaction has happened. It remembers indexes, and one of them may be broken: while
 * it is there every search fails.
 */
export async function startGraph(indexes: readonly string[], broken: string): Promise<GraphServer> {
  let present: ReadonlySet<string> = new Set(indexes);
  const server = await loopback((request, response) => {
    if (request.method === 'GET') return void response.end('{}');
    if (request.headers.authorization !== CREDENTIALS) return void response.writeHead(401).end();
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { statements } = JSON.parse(Buffer.concat(pieces).toString()) as {
        readonly statements: readonly { readonly statement: string }[];
      };
      const after = new Set(present);
      const errors = statements.flatMap(({ statement }) => faultOf(statement, after, broken));
      if (errors.length === 0) present = after;
      const results = errors.length > 0 ? [] : statements.map(() => ({ columns: ['n'], data: [{ row: [3] }] }));
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ results, errors }));
    });
  });
  return {
    url: server.origin,
    get indexes() {
      return present;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function faultOf(
  statement: string,
  indexes: Set<string>,
  broken: string,
): readonly { code: string; message: string }[] {
  const groups = STATEMENT.exec(statement)?.groups;
  if (groups === undefined) return [{ code: 'Neo.ClientError.Statement.SyntaxError', message: statement }];
  const { create, unless, drop, ifThere } = groups;
  if (create !== undefined) {
    if (indexes.has(create) && unless === undefined) return [{ code: 'IndexAlreadyExists', message: create }];
    indexes.add(create);
  } else if (drop !== undefined) {
    if (!indexes.delete(drop) && ifThere === undefined) return [{ code: 'IndexNotFound', message: drop }];
  } else if (indexes.has(broken)) {
    return [{ code: 'Neo.DatabaseError.Schema.IndexFailed', message: broken }];
  }
  return [];
}
