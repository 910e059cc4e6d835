/**
 * What the commands of one process share: the ports, and the connections that are opened at the first need and
 * kept, one for a whole batch.
 *
 * @module
 */

import type { L2tpClient } from "../client/l2tp_client.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { CliPorts, MorePorts } from "./ports.ts";

/** Output is handed over in pieces of about this many characters. */
const FLUSH_AT = 64 * 1024;

/** What the commands of one process share. */
export class Context implements Disposable {
  /** The world. */
  readonly ports: CliPorts;
  #more: MorePorts | undefined;
  #l2tp: L2tpClient | undefined;
  #links: LinkClient | undefined;
  #pending = "";

  /** Opens nothing yet. */
  constructor(ports: CliPorts) {
    this.ports = ports;
  }

  /** Loads the rest of the world. */
  async loadMore(): Promise<void> {
    this.#more ??= await this.ports.loadMore();
  }

  /**
   * The rest of the world.
   *
   * @throws {ReferenceError} before {@link loadMore}
   */
  get more(): MorePorts {
    if (this.#more === undefined) {
      throw new ReferenceError("Cannot use the rest of the world: it is not loaded");
    }
    return this.#more;
  }

  /** The client of the L2TP subsystem. */
  get l2tp(): L2tpClient {
    return this.#l2tp ??= this.ports.openL2tp();
  }

  /** The client for interfaces. */
  get links(): LinkClient {
    return this.#links ??= this.more.openLinks();
  }

  /** Adds to the output. */
  print(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= FLUSH_AT) this.flush();
  }

  /** Hands over the output that is still held. */
  flush(): void {
    const text = this.#pending;
    this.#pending = "";
    if (text !== "") this.ports.out(text);
  }

  /** Closes what was opened. */
  [Symbol.dispose](): void {
    this.#l2tp?.[Symbol.dispose]();
    this.#links?.[Symbol.dispose]();
  }
}
