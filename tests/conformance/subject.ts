/**
 * The subject of the suite: an L2TP subsystem, and access to it in a network namespace.
 *
 * @module
 */

import { NetlinkSocket } from "../../src/driver/netlink/socket.ts";
import { resolveFamily } from "../../src/client/genl_family.ts";
import { isKernelAtLeast, kernelRelease } from "../../src/driver/system/kernel_release.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { L2TP_GENL_MCGROUP, L2TP_GENL_NAME } from "../../src/wire/genl/l2tp/constants.ts";
import { NETLINK_GENERIC } from "../../src/wire/netlink/constants.ts";
import { decodeMessages, type NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { AF_NETLINK, encodeNetlink } from "../../ffi/sockets/sockaddr.ts";
import { SOCK_RAW, Socket } from "../../ffi/sockets/socket.ts";
import { Api } from "./api.ts";
import { setReceiveTimeout } from "../support/receive_timeout.ts";

/** The two subsystems. */
export type SubjectKind = "kernel" | "user";

/** A member of the multicast group. */
export interface Listener extends Disposable {
  /** The next notifications that have come, waiting for at least one; they own their memory. */
  take(): NetlinkMessage[];
}

/** An L2TP subsystem. */
export interface Subject extends AsyncDisposable {
  /** Kind of subsystem. */
  readonly kind: SubjectKind;
  /** The rules of Linux 6.10 and later apply, as they always do in userspace. */
  readonly modern: boolean;
  /** For the report: which kernel, which daemon. */
  readonly description: string;
  /** A connection in the namespace. */
  open(netns: string): Api;
  /** A connection in the calling thread's namespace, with the calling thread's privileges. */
  openHere(): Api;
  /** A member of the multicast group in the namespace. */
  listen(netns: string): Listener;
  /** Opens a connection in the calling thread's namespace, with the calling thread's privileges. */
  listenHere(): Listener;
  /** Path of the daemon's socket, for other threads; `undefined` for the kernel. */
  readonly path: string | undefined;
}

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
/** A notification that does not come must not hold the suite for ever. */
const LISTEN_TIMEOUT_MS = 10_000;

/** The kernel's own subsystem. */
export class KernelSubject implements Subject {
  readonly kind = "kernel";
  readonly path = undefined;
  readonly modern: boolean;
  readonly description: string;

  /** Notes which kernel it is. */
  constructor() {
    const release = kernelRelease();
    this.modern = isKernelAtLeast(release, 6, 10);
    this.description = `kernel ${release}`;
  }

  open(netns: string): Api {
    return inNamespace(netns, () => this.openHere());
  }

  openHere(): Api {
    const socket = NetlinkSocket.open(NETLINK_GENERIC);
    return new Api(socket, (connection) => resolveFamily(connection, L2TP_GENL_NAME), () => socket.portId);
  }

  listen(netns: string): Listener {
    return inNamespace(netns, () => this.listenHere());
  }

  listenHere(): Listener {
    using api = this.openHere();
    const group = api.family.groups.get(L2TP_GENL_MCGROUP)!;
    const socket = Socket.open(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
    socket.bind(encodeNetlink(0));
    socket.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
    setReceiveTimeout(socket, LISTEN_TIMEOUT_MS);
    const buffer = new Uint8Array(new ArrayBuffer(65_536));
    return {
      take: () =>
        decodeMessages(buffer.subarray(0, socket.receive(buffer, 0))).map((message) => ({
          ...message,
          payload: message.payload.slice(),
        })),
      [Symbol.dispose]: () => socket.close(),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
