/**
 * One PPP session of the kernel that pppd has.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import { RateLimiter } from "../../base/rate_limiter.ts";
import { PppdProcess } from "../../driver/ppp/pppd_process.ts";
import { type PppdExit, pppdExitText, type PppdStatus } from "../../model/ppp/pppd.ts";
import type { HeldSession } from "./attachment.ts";
import { Backoff } from "../../base/backoff.ts";

/** Lines in the log that a peer can cause: so many at once, and so many a second. */
const LINES_AT_ONCE = 20;
const LINES_PER_SECOND = 0.2;

/** A pppd whose peer does not answer gives up after so long (`lcp-max-configure`, `lcp-restart`), and has not lasted. */
const GIVES_UP_MS = 30_000;

/** What a session is made of. */
export interface PppdSessionParts {
  /** What people know it by. */
  readonly name: string;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Absolute path of pppd's file of arguments. */
  readonly file: string;
  /** Name for the interface; what pppd says unless given. */
  readonly interfaceName: string | undefined;
  /** Takes hold of the L2TP session. */
  readonly hold: (lost: () => void) => HeldSession;
  /** Does something in the session's network namespace. */
  readonly inNamespace: <T>(action: () => T) => T;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
  /** Called once the L2TP session has gone; this is to be disposed then. */
  readonly lost: () => void;
}

/**
 * A session with its pppd. When pppd ends, the session stays, so that it can be told why, and pppd is started anew.
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
   * Takes hold of the session and starts pppd.
   *
   * @throws {SyscallError} if the session cannot be held, or pppd not be started
   */
  constructor(parts: PppdSessionParts) {
    this.#parts = parts;
    using stack = new DisposableStack();
    this.#held = stack.use(parts.hold(() => {
      this.#log("the session has gone: pppd is told to end");
      parts.lost();
    }));
    this.#start();
    stack.move();
  }

  /** Name of the interface, as long as there is one. */
  get interfaceName(): string | undefined {
    return this.#process?.interfaceName;
  }

  /** How pppd is doing. */
  status(): PppdStatus {
    return { file: this.#parts.file, pid: this.#process?.pid, starts: this.#starts, end: this.#end };
  }

  /** Lets go of the session, and ends pppd. Resolves once it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearTimeout(this.#timer);
    // pppd's copy of the socket keeps the session there for its last words.
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
    if (this.#starts === 1) this.#log(`pppd has it (process ${process.pid})`);
    process.ended.then((end) => this.#ended(end, performance.now() - startedAt));
  }

  #ended(end: PppdExit, afterMs: number): void {
    this.#process = undefined;
    if (this.#disposed) return;
    const hasLasted = this.#pause.resetAfter(afterMs - GIVES_UP_MS);
    // A peer that is not there for days is told of once.
    if (hasLasted || end.status !== this.#end?.status) this.#log(`pppd has ended: ${pppdExitText(end)}`);
    this.#end = end;
    this.#startLater();
  }

  #startLater(): void {
    this.#timer = setTimeout(() => {
      try {
        this.#start();
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        this.#log(`pppd cannot be started: ${error.message}`);
        this.#startLater();
      }
    }, this.#pause.next());
  }

  #log(line: string): void {
    const { name, log } = this.#parts;
    if (this.#lines.take(performance.now())) log(`${name}: ${line}`);
  }
}
