/**
 * Attaches a BPF program to a device: by a BPF link, which ends with its descriptor, or before Linux 6.6 by a traffic
 * control filter, which outlives the process. A filter's handle is the process id, so that the next process can
 * remove filters of processes that have ended.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { NetlinkError, SyscallError } from "../../base/errors.ts";
import { NETLINK_ROUTE, NLM_F_CREATE, NLM_F_EXCL } from "../../wire/netlink/constants.ts";
import { decodeLink, encodeLinkDump, RTM_GETLINK } from "../../wire/rtnl/link.ts";
import {
  type BpfFilter,
  decodeFilter,
  encodeAddFilter,
  encodeClsact,
  encodeFilter,
  encodeFilterDump,
  RTM_DELQDISC,
  RTM_DELTFILTER,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  RTM_NEWTFILTER,
} from "../../wire/rtnl/traffic_control.ts";
import { attachBpfProgram, type BpfAttachPoint } from "../../../ffi/kernel/bpf.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { isKernelAtLeast, kernelRelease } from "../system/kernel_release.ts";
import { NetlinkConnection } from "../netlink/connection.ts";
import { NetlinkSocket } from "../netlink/socket.ts";

/** Priority of these filters: L2TP's port number, which other programs are unlikely to use. */
const PRIORITY = 1701;
const POINTS: readonly BpfAttachPoint[] = ["ingress", "egress"];
/** Name of these filters. */
const NAME = "l2tp";

/**
 * Attaches the program to the device until the result is disposed of. The calling thread must be in the device's
 * network namespace.
 *
 * @throws {SyscallError}
 * @throws {NetlinkError}
 */
export function attachProgram(program: OwnedFd, device: number, point: BpfAttachPoint): Disposable {
  try {
    return attachBpfProgram(program, device, point);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== Errno.EINVAL) throw error;
    return FilterAttachment.attach(program, device, point);
  }
}

/** A traffic control filter. */
export class FilterAttachment implements Disposable {
  readonly #connection: NetlinkConnection;
  readonly #filter: BpfFilter;
  /** This object added the device's clsact qdisc. */
  readonly #addedClsact: boolean;

  private constructor(connection: NetlinkConnection, filter: BpfFilter, isFirst: boolean) {
    this.#connection = connection;
    this.#filter = filter;
    this.#addedClsact = isFirst;
  }

  /**
   * Same as {@link attachProgram}, by a filter in any case.
   *
   * @param process Id of the process that owns the filter; this one unless given
   */
  static attach(
    program: OwnedFd,
    device: number,
    point: BpfAttachPoint,
    process: number = Deno.pid,
  ): FilterAttachment {
    using stack = new DisposableStack();
    const connection = stack.use(new NetlinkConnection(NetlinkSocket.open(NETLINK_ROUTE)));
    const isFirst = connection.requestUnless(Errno.EEXIST, {
      operation: "RTM_NEWQDISC",
      type: RTM_NEWQDISC,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encodeClsact(device),
    });
    const filter = { device, point, priority: PRIORITY, handle: process };
    removeLeftovers(connection, filter);
    connection.request({
      operation: "RTM_NEWTFILTER",
      type: RTM_NEWTFILTER,
      flags: NLM_F_CREATE,
      payload: encodeAddFilter(filter, program.number, NAME),
    });
    stack.move();
    return new FilterAttachment(connection, filter, isFirst);
  }

  /**
   * Removes the filter, and the clsact qdisc that was added for it unless it is still in use. A deleted device took
   * both with it.
   */
  [Symbol.dispose](): void {
    const { device } = this.#filter;
    try {
      remove(this.#connection, this.#filter);
      const inUse = POINTS.some((point) => filtersOf(this.#connection, device, point).length > 0);
      if (!this.#addedClsact || inUse) return;
      const payload = encodeClsact(device);
      this.#connection.request({ operation: "RTM_DELQDISC", type: RTM_DELQDISC, payload });
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
    } finally {
      this.#connection[Symbol.dispose]();
    }
  }
}

/**
 * Removes the filters of processes that have ended, at all devices of the calling thread's network namespace. Does
 * nothing on kernels with BPF links, which leave no filters.
 *
 * @throws {SyscallError} {NetlinkError}
 */
export function removeFilterLeftovers(): void {
  if (isKernelAtLeast(kernelRelease(), 6, 6)) return;
  using connection = new NetlinkConnection(NetlinkSocket.open(NETLINK_ROUTE));
  const request = { operation: "RTM_GETLINK", type: RTM_GETLINK, payload: encodeLinkDump() };
  for (const { index } of connection.dump(request, ({ payload }) => decodeLink(payload))) {
    for (const point of POINTS) removeLeftovers(connection, { device: index, point });
  }
}

/** Removes the filters of ended processes at one device. */
function removeLeftovers(
  connection: NetlinkConnection,
  { device, point }: Pick<BpfFilter, "device" | "point">,
): void {
  for (const { priority, handle, name } of filtersOf(connection, device, point)) {
    if (priority !== PRIORITY || name !== NAME || isAlive(handle)) continue;
    remove(connection, { device, point, priority, handle });
  }
}

function filtersOf(
  connection: NetlinkConnection,
  device: number,
  point: BpfAttachPoint,
): ReturnType<typeof decodeFilter>[] {
  const payload = encodeFilterDump(device, point);
  const request = { operation: "RTM_GETTFILTER", type: RTM_GETTFILTER, payload };
  return connection.dump(request, (message) => decodeFilter(message.payload));
}

function remove(connection: NetlinkConnection, filter: BpfFilter): void {
  connection.requestUnless(Errno.ENOENT, {
    operation: "RTM_DELTFILTER",
    type: RTM_DELTFILTER,
    payload: encodeFilter(filter),
  });
}

function isAlive(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}
