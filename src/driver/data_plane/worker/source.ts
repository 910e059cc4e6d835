/**
 * What the worker of the data path waits for.
 *
 * @module
 */

/** Whatever has a descriptor that the worker waits for. */
export interface EventSource {
  /** Something happened (`EPOLL*` events) at `now`, in milliseconds. At most one batch of packets is to be moved. */
  turn(events: number, now: number): void;
}
