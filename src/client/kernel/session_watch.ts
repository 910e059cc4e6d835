/**
 * Detects that sessions are deleted by other programs. The kernel does not tell the holder of a session's PPPoL2TP socket:
 * the socket stays as it was, but receives nothing any more.
 *
 * @module
 */

import { sleep } from "../../driver/system/sleep.ts";
import type { L2tpEvent } from "../../model/event.ts";
import { L2tpEvents } from "../l2tp_events.ts";

/**
 * Pauses in milliseconds before each check whether a session still exists. The kernel announces a deletion before it
 * begins, and without the network namespace: a session that still exists after all checks has the same ids as one in
 * another namespace.
 */
const PAUSES_MS = [0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** A session that is watched. */
export interface WatchedSession {
  /** Our id of its tunnel. */
  readonly tunnelId: number;
  /** Our id. */
  readonly sessionId: number;
  /** Asks the subsystem in the session's namespace: `L2tpClient.session(…) !== undefined`. */
  readonly exists: () => boolean;
  /** Called once, when the session is gone. */
  readonly gone: () => void;
}

/**
 * Watches sessions of any number of network namespaces. It cannot detect deletions that the kernel does not announce: of a
 * tunnel whose socket is closed by its holder.
 */
export class SessionWatch {
  readonly #events: L2tpEvents;
  /** Each session, with the index of the pause before its next check; -1 while no check is due. */
  readonly #watched = new Map<WatchedSession, number>();
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  /** Takes ownership of the events. */
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

  /** Watches the session until the result is disposed of. */
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
          // A check that runs starts again with the first pause.
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
