import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const SERVER = resolve(import.meta.dirname, '../../../node_modules/yaml-language-server/bin/yaml-language-server');

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
};

export type Position = { readonly line: number; readonly character: number };
export type Problem = { readonly message: string; readonly range: { readonly start: Position } };

/**
 * Red Hat's yaml-language-server over stdio, as editors run it. Unless the settings say
 * otherwise it asks nobody for schemas.
 */
export class LanguageServer {
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #problems = new Map<string, (problems: readonly Problem[]) => void>();
  readonly #settings: unknown;
  #buffer = Buffer.alloc(0);
  #last = 0;

  private constructor(process: ChildProcess, settings: unknown) {
    this.#process = process;
    this.#settings = settings;
    process.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** `yaml` are the settings of that name, as an editor has them. */
  static async start(root: string, yaml: Readonly<Record<string, unknown>> = {}): Promise<LanguageServer> {
    const child = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const alone = { schemaStore: { enable: false }, kubernetesCRDStore: { enable: false } };
    const settings = { validate: true, hover: true, completion: true, ...alone, ...yaml };
    const server = new LanguageServer(child, settings);
    await server.#ask('initialize', {
      processId: process.pid,
      rootUri: `file://${root}`,
      capabilities: { workspace: { configuration: true }, textDocument: { publishDiagnostics: {} } },
    });
    server.#send({ method: 'initialized', params: {} });
    return server;
  }

  /** Opens a document, and gives back what the server finds wrong in it. */
  async open(uri: string, text: string): Promise<readonly Problem[]> {
    const found = new Promise<readonly Problem[]>((done) => this.#problems.set(uri, done));
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
    return await found;
  }

  async hover(uri: string, position: Position): Promise<unknown> {
    return await this.#ask('textDocument/hover', { textDocument: { uri }, position });
  }

  async complete(uri: string, position: Position): Promise<unknown> {
    return await this.#ask('textDocument/completion', { textDocument: { uri }, position });
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    await this.#ask('shutdown', null);
    this.#send({ method: 'exit' });
    await ended;
  }

  async #ask(method: string, params: unknown): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    const answered = new Promise<Message>((done) => this.#answers.set(id, done));
    this.#send({ id, method, params });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#process.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffer.subarray(0, end).toString())?.[1]);
      if (this.#buffer.length < end + 4 + length) return;
      const body = this.#buffer.subarray(end + 4, end + 4 + length).toString();
      this.#buffer = this.#buffer.subarray(end + 4 + length);
      this.#take(JSON.parse(body) as Message);
    }
  }

  #take(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) {
      if (id !== undefined) this.#answers.get(id)?.(message);
    } else if (id !== undefined) {
      this.#send({ id, result: method === 'workspace/configuration' ? this.#settingsFor(params) : null });
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { readonly uri: string; readonly diagnostics: readonly Problem[] };
      this.#problems.get(uri)?.(diagnostics);
    }
  }

  /** One answer for each section that is asked for. */
  #settingsFor(params: unknown): readonly unknown[] {
    const { items } = params as { readonly items: readonly { readonly section?: string }[] };
    return items.map(({ section }) => (section === 'yaml' ? this.#settings : {}));
  }
}
