/**
 * Noticing that sessions are deleted by somebody else. Who holds a session's PPPoL2TP socket is not told: to the socket
 * the session looks as before, only nothing comes any more.
 *
 * @module
 */

import { sleep } from "../../driver/system/sleep.ts";
import type { L2tpEvent } from "../../model/event.ts";
import { L2tpEvents } from "../l2tp_events.ts";

/**
 * How long to wait before each look whether a session is still there, in milliseconds. The kernel announces a deletion
 * before it begins, and does not say in which network namespace: a session that stays is another one's namesake.
 */
const PAUSES_MS = [0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** A session that is watched. */
export interface WatchedSession {
  /** Our id of its tunnel. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
  /** Asks the subsystem of the session's namespace: `L2tpClient.session(…) !== undefined`. */
  readonly exists: () => boolean;
  /** Called once, when it has gone. */
  readonly gone: () => void;
}

/**
 * Watches sessions of any number of network namespaces. What is not announced it cannot notice: a tunnel that goes
 * with its socket, which its holder closes.
 */
export class SessionWatch {
  readonly #events: L2tpEvents;
  /** Each session, and which of the pauses is the next before a look at it; -1 while it is not looked at. */
  readonly #watched = new Map<WatchedSession, number>();
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  /** Takes over the events. */
  constructor(events: L2tpEvents) {
    this.#events = events;
  }

  /**
   * Starts to listen.
   *
   * @throws {FamilyMissingError} if the kernel has no L2TP and could load none
   */
  static open(): SessionWatch {
    return new SessionWatch(L2tpEvents.open());
  }

  /** Watches the session until what is returned is disposed. */
  watch(session: WatchedSession): Disposable {
    this.#watched.set(session, -1);
    return { [Symbol.dispose]: () => void this.#watched.delete(session) };
  }

  /** Watches until {@link close}. Rejects with whatever a session's `exists` or `gone` throws. */
  async run(): Promise<void> {
    const looks = new Set<Promise<void>>();
    try {
      for await (const event of this.#events) {
        for (const [session, next] of this.#watched) {
          if (!isDeletionOf(event, session)) continue;
          this.#watched.set(session, 0);
          // Whoever looks already begins anew.
          if (next >= 0) continue;
          const look = this.#look(session).catch((error) => {
            this.#failure ??= { error };
            this.close();
          });
          looks.add(look);
          look.finally(() => looks.delete(look));
        }
      }
    } finally {
      this.close();
      await Promise.all(looks);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #look(session: WatchedSession): Promise<void> {
    for (;;) {
      const next = this.#watched.get(session);
      const pauseMs = PAUSES_MS[next ?? -1];
      if (next === undefined || pauseMs === undefined) break;
      this.#watched.set(session, next + 1);
      if (pauseMs > 0) await sleep(pauseMs, this.#stop.signal);
      if (this.#stop.signal.aborted || !this.#watched.has(session)) return;
      if (session.exists()) continue;
      this.#watched.delete(session);
      return session.gone();
    }
    if (this.#watched.has(session)) this.#watched.set(session, -1);
  }

  /** Ends {@link run}. */
  close(): void {
    this.#stop.abort();
    this.#events.close();
  }
}

function isDeletionOf(event: L2tpEvent, { tunnelId, sessionId }: WatchedSession): boolean {
  switch (event.type) {
    case "eventsLost":
      return true;
    case "tunnelDeleted":
      return event.tunnel.tunnelId === tunnelId;
    case "sessionDeleted":
      return event.session.tunnelId === tunnelId && event.session.sessionId === sessionId;
    default:
      return false;
  }
}
