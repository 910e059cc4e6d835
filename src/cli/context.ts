/**
 * State that all commands of one process share: the ports, and connections. A connection is opened when a command first
 * uses it, and stays open, so that a whole batch uses one.
 *
 * @module
 */

import type { Hooks } from "../apply/target.ts";
import type { L2tpClient } from "../client/l2tp_client.ts";
import type { LinkClient } from "../client/link_client.ts";
import type { ClientPurpose, DataplaneChoice, OpenedClient } from "../client/subsystem.ts";
import { daemonLeft, daemonStarted } from "./grammar/messages.ts";
import { readDataplane } from "./grammar/options.ts";
import type { CliPorts, LazyPorts } from "./ports.ts";

/** Output is handed over in pieces of about this many characters. */
const FLUSH_AT = 64 * 1024;

/** State that all commands of one process share. */
export class Context implements Disposable {
  /** The ports that are there from the start. */
  readonly ports: CliPorts;
  /** The subsystem that the line chooses; `undefined`: the environment's choice applies. */
  dataplane: DataplaneChoice | undefined;
  #lazy: LazyPorts | undefined;
  #l2tp: L2tpClient | undefined;
  #opened: OpenedClient | undefined;
  #links: LinkClient | undefined;
  #hooks: Hooks | undefined;
  #pending = "";

  /** Opens nothing yet. */
  constructor(ports: CliPorts) {
    this.ports = ports;
  }

  /** Loads the ports that a plain `show` does not use, once. */
  async loadLazy(): Promise<LazyPorts> {
    return this.#lazy ??= await this.ports.loadLazy();
  }

  /**
   * The ports that a plain `show` does not use.
   *
   * @throws {ReferenceError} before {@link loadLazy}
   */
  get lazy(): LazyPorts {
    if (this.#lazy === undefined) throw new ReferenceError("Cannot use the lazy ports: they are not loaded");
    return this.#lazy;
  }

  /**
   * Opens the client of the L2TP subsystem, unless it is open. A client that found no subsystem is replaced if `purpose`
   * is more than reading. A daemon that does not answer for `answerLimitMs` counts as hung; 30 seconds unless given.
   *
   * @throws {UsageError} if the environment asks for a subsystem that does not exist
   */
  async open(purpose: ClientPurpose, answerLimitMs?: number): Promise<void> {
    if (this.#opened !== undefined && !(this.hasNoSubsystem && purpose !== "read")) return;
    const choice = this.#choice();
    const opened = await this.ports.openL2tp(choice, purpose, answerLimitMs);
    const { startedPid, leftBehind } = opened;
    this.#l2tp?.[Symbol.dispose]();
    this.#l2tp = opened.isEmpty ? undefined : opened.client;
    this.#opened = opened;
    if (leftBehind !== undefined) this.ports.err(daemonLeft(leftBehind));
    if (startedPid !== undefined) this.ports.err(daemonStarted(startedPid, choice === "auto"));
  }

  /**
   * Opens a new client, of the subsystem that exists now. For use where there was no subsystem, or where it ended.
   * Prints nothing.
   *
   * @throws as {@link open}
   */
  async reopen(): Promise<void> {
    this.#l2tp?.[Symbol.dispose]();
    this.#l2tp = undefined;
    this.#opened = await this.ports.openL2tp(this.#choice(), "read");
    this.#l2tp = this.#opened.isEmpty ? undefined : this.#opened.client;
  }

  #choice(): DataplaneChoice {
    return this.dataplane ?? readDataplane(this.ports.env("L2TP_DATAPLANE") || "auto", "L2TP_DATAPLANE");
  }

  /** Whether there is no subsystem: the client then finds nothing. */
  get hasNoSubsystem(): boolean {
    return this.#opened?.isEmpty === true;
  }

  /** With {@link hasNoSubsystem}: path of the journal of a daemon that left tunnels behind. */
  get leftBehind(): string | undefined {
    return this.#opened?.leftBehind;
  }

  /**
   * The client of the L2TP subsystem.
   *
   * @throws {ReferenceError} before {@link open}
   */
  get l2tp(): L2tpClient {
    if (this.#opened === undefined) throw new ReferenceError("Cannot use the L2TP subsystem: it is not open");
    return this.#l2tp ??= this.#opened.client;
  }

  /** Whether the kernel may still be deleting something. */
  get hasDeleted(): boolean {
    return this.#l2tp?.hasDeleted ?? false;
  }

  /** The client for interfaces. */
  get links(): LinkClient {
    return this.#links ??= this.lazy.network.openLinks();
  }

  /** Text of the subsystem's debug file, as the kernel formats it; `undefined` if it cannot be read. */
  debugfs(): string | undefined {
    return this.l2tp.dataplane === "user" ? this.l2tp.debugfs() : this.lazy.system.readDebugfs();
  }

  /** Runs hooks; what they write goes to standard error. */
  get hooks(): Hooks {
    return this.#hooks ??= this.lazy.system.openHooks((line) => {
      this.flush();
      this.ports.err(`${line}\n`);
    });
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
