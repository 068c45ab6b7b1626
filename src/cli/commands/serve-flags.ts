import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { readFlagd } from '../../core/flags/flagd-document.ts';
import { EMPTY_MEMORY } from '../../core/memory.ts';
import { followedOn } from '../../core/model/desired.ts';
import { createLog } from '../../daemon/log.ts';
import { createServer } from '../../drivers/node-http.ts';
import { createSecretResolver, SecretError } from '../../drivers/secrets.ts';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import type { HostConfig } from '../../policy/host-config.ts';
import { authenticateBy, tokensOf } from '../../server/access.ts';
import { addressOf, closed, isLoopback, ListenError, listening, portOf } from '../../server/listen.ts';
import { EventStream } from '../../server/ofrep/event-stream.ts';
import { createOfrepHandler } from '../../server/ofrep/handler.ts';
import { OfrepMetrics } from '../../server/ofrep/ofrep-metrics.ts';
import { servedFlagd } from '../../server/ofrep/served-flagd.ts';
import { type ServedFlags, servedBy } from '../../server/ofrep/served-flags.ts';
import { rateLimitBy } from '../../server/rate-limit.ts';
import { watchFolder } from '../../source/folder/folder-watch.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { loadForHost, readFolder, textIn } from '../policies-of.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import type { Terminal } from '../terminal.ts';

export type ServeFlagsOptions = GlobalOptions & { readonly listen?: string; readonly cors?: string };

/** flagd's own port for OFREP, so that an application in development need not be told another one. */
const DEFAULT_ADDRESS = '127.0.0.1:8016';

/** Flags alone, for development: a folder of policies, or a file of flagd's, served until it is told to end. */
export async function serveFlags(path: string, options: ServeFlagsOptions, terminal: Terminal): Promise<ExitCode> {
  const config = configOf(options, terminal, process.env);
  const load = loaderOf(resolve(path), config, terminal);
  let served = await load();
  const ended = Promise.withResolvers<ExitCode>();
  // From before it says that it serves: who asks it to end at once is heard too.
  process.on('SIGINT', () => ended.resolve(EXIT.interrupted));
  process.on('SIGTERM', () => ended.resolve(EXIT.done));
  const events = new EventStream(served.tag, Date.now());
  const reload = async (): Promise<void> => {
    try {
      const { tag } = served;
      served = await load();
      if (served.tag === tag) return;
      events.publish(served.tag, Date.now());
      terminal.err(`${path}: ${served.keys.length} flags, ${served.tag.slice(0, 12)}`);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      terminal.err(`${error.message}\nThe flags of before are still served.`);
    }
  };
  const stopWatching = watchFolder(resolve(path), () => void reload().catch(ended.reject), ended.reject);
  const server = await listen(config, options, () => served, events);
  terminal.out(
    `Serving ${served.keys.length} flags of ${path} at http://${addressOf(options.listen ?? DEFAULT_ADDRESS).host}:${portOf(server)}`,
  );
  try {
    return await ended.promise;
  } finally {
    await stopWatching();
    events.close();
    await closed(server);
  }
}

async function listen(
  config: HostConfig,
  options: ServeFlagsOptions,
  flags: () => ServedFlags,
  events: EventStream,
): Promise<ReturnType<typeof createServer>> {
  const address = addressOf(options.listen ?? DEFAULT_ADDRESS);
  const { rateLimit, cors } = config.server;
  try {
    const tokens = await tokensOf(config.server, createSecretResolver(process.env).resolve);
    const handle = createOfrepHandler({
      flags,
      now: Date.now,
      authenticate: authenticateBy(tokens, isLoopback(address.host)),
      rateLimit: rateLimit === null ? null : rateLimitBy(rateLimit),
      origins: options.cors?.split(',') ?? cors,
      metrics: new OfrepMetrics(),
      events,
      log: createLog(config.log.level, process.env),
    });
    const server = createServer((request, response) => {
      if (!handle(request, response)) response.writeHead(404, { 'content-length': '0' }).end();
    });
    await listening(server, address);
    return server;
  } catch (error) {
    if (error instanceof ListenError || error instanceof SecretError) {
      throw new CliError(error.message, EXIT.error, { cause: error });
    }
    throw error;
  }
}

/** Reads it anew. Rejects with CliError if there is nothing to serve in it. */
function loaderOf(path: string, config: HostConfig, terminal: Terminal): () => Promise<ServedFlags> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new CliError(`there is no file or folder ${path}`);
  return found.isDirectory() ? () => policiesIn(path, config, terminal) : async () => flagdFile(path, terminal);
}

async function policiesIn(folder: string, config: HostConfig, terminal: Terminal): Promise<ServedFlags> {
  const loaded = loadForHost(await readFolder(folder), config);
  const texts = { colour: terminal.colour, textOf: textIn(folder) };
  if (!loaded.ok) throw new CliError(formatDiagnostics(loaded, texts));
  const desired = followedOn({ adopt: 'ask' }, loaded.desired);
  const served = servedBy({ desired: () => desired, memory: () => EMPTY_MEMORY })();
  if (served === undefined) throw new CliError(`${folder} has no policies`);
  return served;
}

/** A flag that is broken is told here, and to who asks for it. */
function flagdFile(path: string, terminal: Terminal): ServedFlags {
  const bytes = readFlags(path);
  const reading = readFlagd(parsed(path, bytes.toString('utf8')));
  if (!reading.ok) throw new CliError(`${path}: ${reading.fault}`);
  for (const [key, flag] of reading.set.flags) {
    if (!flag.ok) terminal.err(`${path}: the flag ${key}: ${flag.fault}`);
  }
  return servedFlagd(reading.set, createHash('sha256').update(bytes).digest('hex').slice(0, 32));
}

function readFlags(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} cannot be read: ${why}`, EXIT.error, { cause });
  }
}

function parsed(path: string, text: string): ReturnType<typeof JSON.parse> {
  try {
    const bare = text.replace(/^\uFEFF/, '');
    return /\.ya?ml$/i.test(path) ? parse(bare) : JSON.parse(bare);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} is not ${/\.ya?ml$/i.test(path) ? 'YAML' : 'JSON'}: ${why}`, EXIT.error, { cause });
  }
}
