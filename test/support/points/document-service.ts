import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Loopback, loopback } from '../loopback.ts';

export type Exchange = { readonly method: string; readonly headers: IncomingMessage['headers'] };

/** A service with JSON documents under their names: GET, PUT with If-Match, and a counter of its own in each answer. */
export class DocumentService {
  readonly #server: Loopback;
  readonly #texts = new Map<string, string>();
  readonly exchanges: Exchange[] = [];
  /** Does something before a PUT is looked at. */
  beforePut: () => void = () => undefined;
  /** Does something after a PUT was taken. */
  onWritten: () => void = () => undefined;
  givesEtags = true;
  /** Whether it says in a refusal what it was sent, as careless services do. */
  echoes = false;
  /** Answered to everything instead. */
  status: number | null = null;
  #served = 0;

  private constructor(server: Loopback) {
    this.#server = server;
  }

  static async start(): Promise<DocumentService> {
    const server = await loopback((request, response) => void service.#answer(request, response));
    const service: DocumentService = new DocumentService(server);
    return service;
  }

  get origin(): string {
    return this.#server.origin;
  }

  /** The documents of stages are told apart by their folders. */
  set(live: string, value: unknown): void {
    this.setText(basename(dirname(live)), JSON.stringify(value));
  }

  setText(name: string, content: string): void {
    this.#texts.set(name, content);
  }

  textOf(name: string): string | undefined {
    return this.#texts.get(name);
  }

  delete(live: string): void {
    this.#texts.delete(basename(dirname(live)));
  }

  async close(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.exchanges.push({ method, headers });
    const name = url.slice(1);
    const body = await text(request);
    if (this.status !== null)
      return void response.writeHead(this.status).end(this.echoes ? JSON.stringify(headers) : '');
    if (method === 'PUT') this.beforePut();
    const content = this.#texts.get(name);
    const etag = content === undefined ? undefined : `"${createHash('sha256').update(content).digest('hex')}"`;
    if (this.givesEtags && etag !== undefined) response.setHeader('etag', etag);
    if (method === 'PUT') {
      const match = headers['if-match'];
      if (match !== undefined && match !== etag) return void response.writeHead(412).end();
      this.#texts.set(name, body);
      this.onWritten();
      return void response.writeHead(204).end();
    }
    if (content === undefined) return void response.writeHead(404).end('there is no such document');
    if (headers['if-none-match'] === etag) return void response.writeHead(304).end();
    this.#served += 1;
    const own = content.startsWith('{') ? content.replace(/\}$/, `,"served":${this.#served}}`) : content;
    response.writeHead(200, { 'content-type': 'application/json' }).end(own);
  }
}
