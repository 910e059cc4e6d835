/**
 * Waits for descriptors without blocking the calling thread. A wait cannot be cancelled, and keeps the process alive:
 * add an `EventFd` to every set, and signal it to end the wait.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import type { OwnedFd } from "../fd.ts";
import { POLLFD } from "../layout.ts";
import { libc } from "../libc.ts";

/** Readable. */
export const POLLIN = 0x001;

/** A descriptor and the events to wait for. */
export interface PollRequest {
  /** The descriptor. It must stay open until the wait ends. */
  readonly fd: OwnedFd;
  /** `POLL*` bits. */
  readonly events: number;
}

/**
 * Waits on another thread until a descriptor is ready or the time limit is over (-1: none). Resolves to the ready
 * bits of each descriptor, in order. An interrupted wait resolves with none ready, so callers must loop.
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
