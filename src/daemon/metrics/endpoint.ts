/**
 * An HTTP server for metrics, on this machine alone. Unlike the runtime's server, it bounds the number of connections and
 * the duration of a request; it answers one request a connection, and collects metrics for one request at a time. It runs
 * on the main thread and yields between pieces of the text; workers move the packets.
 *
 * @module
 */

import { HEAD_MAX, type HttpResponseHead, readRequest } from "../../metrics/http_request.ts";
import type { ListenAddress } from "../../metrics/listen_address.ts";

/** Most connections at a time; further ones get status 503. */
const CONNECTIONS_MAX = 16;
/** Time limit for the head of a request. */
const HEAD_LIMIT_MS = 5000;
/** Time limit for the whole connection. */
const ANSWER_LIMIT_MS = 30_000;
/** Time and byte limit for reading on after the answer: closing with unread bytes resets the connection. */
const LINGER_MS = 500;
const LINGER_BYTES = 64 * 1024;
/** Pause after accepting a connection has failed. */
const ACCEPT_PAUSE_MS = 1000;

const REASONS: Readonly<Record<HttpResponseHead["status"] | 408 | 500 | 503, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Dependencies of {@link MetricsEndpoint}. */
export interface EndpointParts {
  /** Collects the metrics; returns their text in pieces. */
  readonly text: () => AsyncIterable<string>;
  /** Their media type. */
  readonly type: string;
  /** Group whose members may use a local socket; root alone unless given. */
  readonly group: number | undefined;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/** The server; runs until it is disposed of. */
export class MetricsEndpoint implements Disposable {
  readonly #parts: EndpointParts;
  readonly #listener: Deno.Listener;
  readonly #path: string | undefined;
  readonly #connections = new Set<Deno.Conn>();
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(listener: Deno.Listener, path: string | undefined, parts: EndpointParts) {
    this.#listener = listener;
    this.#path = path;
    this.#parts = parts;
    void this.#accept();
  }

  /**
   * Listens at the address.
   *
   * @throws {Error} one of `Deno.errors` if the address is in use or cannot be bound
   */
  static async listen(address: ListenAddress, parts: EndpointParts): Promise<MetricsEndpoint> {
    if (address.transport === "tcp") {
      return new MetricsEndpoint(Deno.listen({ ...address }), undefined, parts);
    }
    const { path } = address;
    await removeDead(path);
    // No client can connect before mode and group are set.
    const umask = Deno.umask(0o177);
    let listener: Deno.Listener;
    try {
      listener = Deno.listen({ transport: "unix", path });
    } finally {
      Deno.umask(umask);
    }
    if (parts.group !== undefined) {
      Deno.chownSync(path, null, parts.group);
      Deno.chmodSync(path, 0o660);
    }
    return new MetricsEndpoint(listener, path, parts);
  }

  /** Closes the socket and all connections. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const connection of this.#connections) closeQuietly(connection);
    if (this.#path !== undefined) removeQuietly(this.#path);
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const connection = await this.#listener.accept();
        void this.#serve(connection);
      } catch (error) {
        if (this.#closed) return;
        this.#parts.log(
          `metrics: not accepting connections for 1 s: ${error instanceof Error ? error.message : error}`,
        );
        await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ACCEPT_PAUSE_MS)));
      }
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const isFull = this.#connections.size >= CONNECTIONS_MAX;
    this.#connections.add(connection);
    try {
      using _limit = deadline(connection, ANSWER_LIMIT_MS);
      if (isFull) return await answer(connection, 503, "Retry-After: 1\r\n");
      const verdict = await readHead(connection);
      if (verdict === undefined) return;
      if (verdict.status === 200) await this.#answer(connection, verdict);
      else await answer(connection, verdict.status, verdict.status === 405 ? "Allow: GET, HEAD\r\n" : "");
      await linger(connection);
    } catch (error) {
      // Errors of the connection itself need no log: the client has gone, or was too slow.
      if (!isOfConnection(error)) {
        this.#parts.log(`metrics: ${error instanceof Error ? error.message : error}`);
      }
    } finally {
      this.#connections.delete(connection);
      closeQuietly(connection);
    }
  }

  async #answer(connection: Deno.Conn, { headOnly }: HttpResponseHead): Promise<void> {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${this.#parts.type}\r\nConnection: close\r\n\r\n`;
    if (headOnly) return await write(connection, head);
    const pieces = await this.#text();
    if (pieces === undefined) return await answer(connection, 500, "");
    await write(connection, head);
    for (const piece of pieces) await write(connection, piece);
  }

  /** Collects the text after earlier requests have theirs; `undefined` on failure, which is logged. */
  #text(): Promise<string[] | undefined> {
    const text = this.#turn.then(async () => {
      try {
        const pieces: string[] = [];
        for await (const piece of this.#parts.text()) {
          pieces.push(piece);
          // Serve API clients between two pieces.
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        return pieces;
      } catch (error) {
        this.#parts.log(`metrics: cannot collect: ${error instanceof Error ? error.message : error}`);
        return undefined;
      }
    });
    this.#turn = text.then(() => {});
    return text;
  }
}

/** Reads until the head is complete or refused; `undefined` if the client has gone or is too slow. */
async function readHead(connection: Deno.Conn): Promise<HttpResponseHead | undefined> {
  const buffer = new Uint8Array(HEAD_MAX);
  let length = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void answer(connection, 408, "").catch(() => {}).finally(() => closeQuietly(connection));
  }, HEAD_LIMIT_MS);
  try {
    for (;;) {
      const count = await connection.read(buffer.subarray(length));
      if (count === null || isLate) return undefined;
      length += count;
      const verdict = readRequest(buffer.subarray(0, length));
      if (verdict !== undefined) return verdict;
    }
  } finally {
    clearTimeout(timer);
  }
}

async function answer(
  connection: Deno.Conn,
  status: keyof typeof REASONS,
  fields: string,
): Promise<void> {
  const body = `${REASONS[status]}\n`;
  await write(
    connection,
    `HTTP/1.1 ${status} ${
      REASONS[status]
    }\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n` +
      `${fields}Connection: close\r\n\r\n${body}`,
  );
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

async function linger(connection: Deno.Conn): Promise<void> {
  await connection.closeWrite();
  using _limit = deadline(connection, LINGER_MS);
  const buffer = new Uint8Array(4096);
  for (let left = LINGER_BYTES; left > 0;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    left -= count;
  }
}

/** Closes the connection after `limitMs`, unless the result is disposed of before. */
function deadline(connection: Deno.Conn, limitMs: number): Disposable {
  const timer = setTimeout(() => closeQuietly(connection), limitMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function isOfConnection(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, ConnectionAborted, Interrupted, NotConnected } =
    Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, ConnectionAborted, Interrupted, NotConnected]
    .some((kind) => error instanceof kind);
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes a socket on which no process listens. Any other file stays, and listening fails. */
async function removeDead(path: string): Promise<void> {
  try {
    if (!Deno.lstatSync(path).isSocket) return;
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) removeQuietly(path);
    else if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
