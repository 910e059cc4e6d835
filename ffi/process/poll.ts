/**
 * Waiting for descriptors without holding the calling thread. A wait cannot be cancelled and keeps the process
 * alive: put an {@link EventFd} into every set and signal it to end the wait.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import type { OwnedFd } from "../fd.ts";
import { POLLFD } from "../layout.ts";
import { libc } from "../libc.ts";

/** There is something to read. */
export const POLLIN = 0x001;
/** There is room to write. */
export const POLLOUT = 0x004;
/** An error is pending. */
export const POLLERR = 0x008;

/** What to wait for on one descriptor. */
export interface PollRequest {
  /** The descriptor. It must stay open until the wait ends. */
  readonly fd: OwnedFd;
  /** `POLL*` bits. */
  readonly events: number;
}

/**
 * Waits on another thread until one of the descriptors is ready or the time is over (-1: forever); resolves to the
 * ready bits of each, in order. An interrupted wait resolves with none ready, so callers loop anyway.
 */
export async function poll(requests: readonly PollRequest[], timeoutMs: number): Promise<number[]> {
  const set = new Uint8Array(new ArrayBuffer(requests.length * POLLFD.size));
  const view = new DataView(set.buffer);
  for (const [i, request] of requests.entries()) {
    view.setInt32(i * POLLFD.size + POLLFD.fields.fd.offset, request.fd.number, HOST_IS_LITTLE_ENDIAN);
    view.setInt16(i * POLLFD.size + POLLFD.fields.events.offset, request.events, HOST_IS_LITTLE_ENDIAN);
  }
  await libc.poll(set, BigInt(requests.length), timeoutMs);
  return requests.map((_, i) =>
    view.getInt16(i * POLLFD.size + POLLFD.fields.revents.offset, HOST_IS_LITTLE_ENDIAN)
  );
}
