/**
 * The interface of objects whose descriptor the worker's epoll watches.
 *
 * @module
 */

/** An object with a descriptor in the worker's epoll set. */
export interface EventSource {
  /** Handles `EPOLL*` events at `now`, in milliseconds. Moves at most one batch of packets. */
  handleEvents(events: number, now: number): void;
}
