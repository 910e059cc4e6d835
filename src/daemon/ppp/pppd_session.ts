/**
 * One PPP session of the kernel on which pppd runs.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { RateLimiter } from "../../base/rate_limiter.ts";
import { PppdProcess } from "../../driver/ppp/pppd_process.ts";
import { type PppdExit, pppdExitText, type PppdStatus } from "../../model/ppp/pppd.ts";
import type { HeldSession } from "./attachment.ts";
import { Backoff } from "../../base/backoff.ts";

/** Rate limit of log lines that a peer can cause. */
const LINES_AT_ONCE = 20;
const LINES_PER_SECOND = 0.2;

/** A pppd gives up after so long on a silent peer (`lcp-max-configure`, `lcp-restart`): that time is no success. */
const GIVES_UP_MS = 30_000;

/** Dependencies of a session. */
export interface PppdSessionParts {
  /** Its name in the log. */
  readonly name: string;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Absolute path of the file with pppd's arguments. */
  readonly file: string;
  /** Name for the interface; pppd chooses one unless given. */
  readonly interfaceName: string | undefined;
  /** Holds the L2TP session. */
  readonly hold: (lost: () => void) => HeldSession;
  /** Calls the action in the session's network namespace. */
  readonly inNamespace: <T>(action: () => T) => T;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
  /** Called once the L2TP session is gone; then this must be disposed of. */
  readonly lost: () => void;
}

/**
 * A session with its pppd. When pppd exits, the session stays, so that its status tells why, and pppd is restarted.
 */
export class PppdSession implements AsyncDisposable {
  readonly #parts: PppdSessionParts;
  readonly #held: HeldSession;
  readonly #pause = new Backoff();
  readonly #lines = new RateLimiter(LINES_AT_ONCE, LINES_PER_SECOND);
  #process: PppdProcess | undefined;
  #starts = 0;
  #end: PppdExit | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;

  /**
   * Holds the session and starts pppd.
   *
   * @throws {SyscallError} if the session cannot be held, or pppd cannot be started
   */
  constructor(parts: PppdSessionParts) {
    this.#parts = parts;
    using stack = new DisposableStack();
    this.#held = stack.use(parts.hold(() => {
      this.#log("the session is gone: stopping pppd");
      parts.lost();
    }));
    this.#start();
    stack.move();
  }

  /** Name of the interface; `undefined` while pppd has none. */
  get interfaceName(): string | undefined {
    return this.#process?.interfaceName;
  }

  /** The status of pppd. */
  status(): PppdStatus {
    return { file: this.#parts.file, pid: this.#process?.pid, starts: this.#starts, end: this.#end };
  }

  /** Releases the session, and stops pppd. Resolves once pppd has exited. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearTimeout(this.#timer);
    // pppd's copy of the socket keeps the session alive for its Terminate-Request.
    this.#held[Symbol.dispose]();
    await this.#process?.end();
  }

  #start(): void {
    const { tunnelId, sessionId, file, interfaceName, inNamespace } = this.#parts;
    const { socket: { fd: socket }, mtu } = this.#held;
    const process = inNamespace(() =>
      PppdProcess.start({ socket, mtu, tunnelId, sessionId, file, interfaceName })
    );
    const startedAt = performance.now();
    this.#process = process;
    this.#starts++;
    if (this.#starts === 1) this.#log(`pppd started (process ${process.pid})`);
    process.ended.then((end) => this.#ended(end, performance.now() - startedAt));
  }

  #ended(end: PppdExit, afterMs: number): void {
    this.#process = undefined;
    if (this.#disposed) return;
    const hasLasted = this.#pause.resetAfter(afterMs - GIVES_UP_MS);
    // An absent peer is logged once.
    if (hasLasted || end.status !== this.#end?.status) this.#log(`pppd exited: ${pppdExitText(end)}`);
    this.#end = end;
    this.#startLater();
  }

  #startLater(): void {
    this.#timer = setTimeout(() => {
      try {
        this.#start();
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        this.#log(`cannot start pppd: ${error.message}`);
        this.#startLater();
      }
    }, this.#pause.next());
  }

  #log(line: string): void {
    const { name, log } = this.#parts;
    if (this.#lines.take(performance.now())) log(`${name}: ${line}`);
  }
}
