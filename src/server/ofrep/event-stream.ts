import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Millis } from '../../core/units.ts';

/** Proxies and browsers give up connections on which nothing comes for long. */
const HEARTBEAT_MS: Millis = 15_000;
const MOST_STREAMS = 1_000;
/** A client that does not read is let go. */
const MOST_UNREAD_BYTES = 64 * 1024;

/** Tells whoever listens that flags have changed (OFREP, ADR 8): they ask again then. */
export class EventStream {
  readonly #clients = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  #tag: string | undefined;
  #changedAt: Millis;

  constructor(tag: string | undefined, now: Millis) {
    this.#tag = tag;
    this.#changedAt = now;
    this.#heartbeat = setInterval(() => this.#send(': heartbeat\n\n'), HEARTBEAT_MS).unref();
  }

  get size(): number {
    return this.#clients.size;
  }

  /** False if there are too many listeners. Who has missed a change is told at once. */
  open(request: IncomingMessage, response: ServerResponse, headers: Readonly<Record<string, string>>): boolean {
    if (this.#clients.size >= MOST_STREAMS) return false;
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    const seen = request.headers['last-event-id'];
    if (this.#tag !== undefined)
      response.write(seen === undefined || seen === this.#tag ? `id: ${this.#tag}\n\n` : this.#event(this.#tag));
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
    return true;
  }

  /** Tells them if the tag is another than the last one. */
  publish(tag: string, now: Millis): void {
    if (tag === this.#tag) return;
    this.#tag = tag;
    this.#changedAt = now;
    this.#send(this.#event(tag));
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.end();
  }

  #event(tag: string): string {
    const lastModified = Math.floor(this.#changedAt / 1000);
    return `id: ${tag}\nevent: message\ndata: ${JSON.stringify({ type: 'refetchEvaluation', etag: tag, lastModified })}\n\n`;
  }

  #send(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MOST_UNREAD_BYTES) client.destroy();
      else client.write(text);
    }
  }
}

const TICKET_MS: Millis = 3_600_000;

/**
 * Tickets for the stream: browsers cannot send a token with an EventSource. One is good for one to two hours, for listening
 * to changes and nothing else, and is the same within an hour, so that clients keep their connection.
 */
export class StreamTickets {
  readonly #key = randomBytes(32);

  issue(now: Millis): string {
    const until = (Math.floor(now / TICKET_MS) + 2) * TICKET_MS;
    return `${until}.${this.#sign(until)}`;
  }

  isGood(ticket: string, now: Millis): boolean {
    const [until = '', signature = ''] = ticket.split('.');
    const wanted = Buffer.from(this.#sign(Number(until)));
    const given = Buffer.from(signature);
    return given.length === wanted.length && timingSafeEqual(given, wanted) && Number(until) > now;
  }

  #sign(until: Millis): string {
    return createHmac('sha256', this.#key).update(String(until)).digest('base64url');
  }
}
