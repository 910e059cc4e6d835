/**
 * Attaching a BPF program to a device: by a link, which goes with its descriptor, or before Linux 6.6 by a filter of
 * traffic control, which stays when the process dies. A filter carries the number of the process, so that those of
 * processes that are no more are taken away when the next one comes.
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

/** Of our filters; the port of L2TP, as others take what they think nobody else takes. */
const PRIORITY = 1701;
const POINTS: readonly BpfAttachPoint[] = ["ingress", "egress"];
/** Of our filters. */
const NAME = "l2tp";

/**
 * Has the program see the device's packets until what is returned is disposed of. The calling thread is in the device's
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

/** A filter of traffic control. */
export class FilterAttachment implements Disposable {
  readonly #connection: NetlinkConnection;
  readonly #filter: BpfFilter;
  /** Whether the device had no clsact before. */
  readonly #isFirst: boolean;

  private constructor(connection: NetlinkConnection, filter: BpfFilter, isFirst: boolean) {
    this.#connection = connection;
    this.#filter = filter;
    this.#isFirst = isFirst;
  }

  /**
   * As {@link attachProgram}.
   *
   * @param process Number of the process that the filter belongs to; this one unless given
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

  /** Takes the filter away, and the clsact that was made for it, if nobody else uses it; a device that has gone took both. */
  [Symbol.dispose](): void {
    const { device } = this.#filter;
    try {
      remove(this.#connection, this.#filter);
      const inUse = POINTS.some((point) => filtersOf(this.#connection, device, point).length > 0);
      if (!this.#isFirst || inUse) return;
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
 * Takes the filters away that processes have left which are no more, at all devices of the calling thread's network
 * namespace. Nothing is left on kernels that have links.
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

/** Takes away what processes have left at a device that are no more. */
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
