import * as library from '../library/daemon-client.ts';
import { CliError, EXIT } from './exit-code.ts';

export type Client = library.Client;

/** Undefined if no daemon listens there. Its methods, as this, reject with CliError. */
export async function connect(socket: string): Promise<Client | undefined> {
  const client = await asCommand(() => library.connect(socket));
  if (client === undefined) return undefined;
  return {
    get: <T>(path: string) => asCommand(() => client.get<T>(path)),
    post: <T>(path: string, body: unknown) => asCommand(() => client.post<T>(path, body)),
  };
}

async function asCommand<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof library.DaemonError)) throw error;
    const isRefused = error.code === 'refused' || error.code === 'notPermitted';
    throw new CliError(error.message, isRefused ? EXIT.refused : EXIT.error, { cause: error });
  }
}
