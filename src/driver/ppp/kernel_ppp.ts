/**
 * PPP sessions whose packets the kernel moves: of each session a channel, a unit with its network interface on the
 * channel, and one wait for the control frames of all of them.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { isInterfaceName } from "../../model/interface_name.ts";
import { Epoll, EPOLLIN } from "../../../ffi/process/epoll.ts";
import { EventFd } from "../../../ffi/process/eventfd.ts";
import {
  NPMODE_DROP,
  NPMODE_PASS,
  PPP_AT,
  PPP_IP,
  PPP_IPV6,
  PPP_IPX,
  PPP_MPLS_MC,
  PPP_MPLS_UC,
  PppChannel,
  PppUnit,
} from "../../../ffi/kernel/ppp.ts";
import type { Interfaces } from "../netlink/ports.ts";
import type { PppAgreement, PppPath, PppPathUser } from "./path.ts";
import type { Pppol2tpSocket } from "./pppol2tp_socket.ts";

/** Longest frame that a session can bring: what a UDP datagram holds. */
const FRAME_MAX = 65_535;
/** So many frames of one descriptor are read in a turn, which is as many as the kernel keeps. */
const BATCH = 32;
/** Frames of this protocol and of those above are the link's own (RFC 1661 section 2): the channel has them. */
const FIRST_LINK_PROTOCOL = 0xc000;
/** The network protocols whose packets a new unit lets pass. */
const NETWORK_PROTOCOLS = [PPP_IP, PPP_IPV6, PPP_IPX, PPP_AT, PPP_MPLS_UC, PPP_MPLS_MC];

const WAKE_TAG = 0;
const FIRST_PATH_TAG = 2;

/** What a path is made of. */
export interface KernelPppOptions {
  /** The session's socket. Borrowed: to be closed after the path is disposed. */
  readonly socket: Pppol2tpSocket;
  /** The interfaces of the calling thread's network namespace. Borrowed for as long as the path lives. */
  readonly interfaces: Interfaces;
  /** Name for the interface; `ppp` and the lowest free number unless given. */
  readonly interfaceName?: string | undefined;
  /** Who is told what happens. */
  readonly user: PppPathUser;
}

/**
 * The PPP sessions of this process in the kernel, of any number of network namespaces.
 *
 * A user is told `lost` when the session's socket is closed or the interface deleted. The kernel does not tell when
 * somebody deletes the session or its tunnel by netlink, or closes the tunnel's socket: the channel lives on with the
 * PPPoL2TP socket, and only nothing comes any more. That is for `SessionWatch` in the client's room.
 */
export class KernelPpp {
  readonly #epoll: Epoll;
  readonly #wake: EventFd;
  readonly #buffer = new Uint8Array(new ArrayBuffer(FRAME_MAX));
  /** By the tag of the channel, which is even; the unit's is the next. */
  readonly #paths = new Map<number, KernelPppPath>();
  #nextTag = FIRST_PATH_TAG;
  #running = false;
  #closed = false;

  private constructor(epoll: Epoll, wake: EventFd) {
    this.#epoll = epoll;
    this.#wake = wake;
    epoll.add(wake.number, EPOLLIN, WAKE_TAG);
  }

  /**
   * With no session yet.
   *
   * @throws {SyscallError}
   */
  static open(): KernelPpp {
    using stack = new DisposableStack();
    const opened = new KernelPpp(stack.use(Epoll.open()), stack.use(EventFd.open()));
    stack.move();
    return opened;
  }

  /**
   * Reads what comes and hands it to the users; resolves after {@link close}. Keeps the process alive. Rejects with
   * whatever a user throws, and has closed everything then.
   */
  async run(): Promise<void> {
    this.#running = true;
    try {
      while (!this.#closed) {
        const ready = await this.#epoll.waitInBackground(-1);
        for (let i = 0; i < ready; i++) {
          const tag = this.#epoll.tag(i);
          // A path that another one's user has disposed meanwhile is not here any more.
          this.#paths.get(tag - (tag & 1))?.turn(tag, this.#buffer);
        }
      }
    } finally {
      this.#closed = true;
      this.#release();
    }
  }

  /** Ends {@link run} and disposes every path. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The descriptors must outlive a wait for them; `run` closes them when it is back.
    if (this.#running) this.#wake.signal();
    else this.#release();
  }

  #release(): void {
    for (const path of [...this.#paths.values()]) path[Symbol.dispose]();
    this.#epoll.close();
    this.#wake.close();
  }

  /**
   * Makes the path of a session that nobody reads yet, in the network namespace of the calling thread and of the
   * socket. Its interface is down; no packet passes it before {@link PppPath.pass}.
   *
   * @throws {RangeError} if an interface cannot be called so
   * @throws {NetlinkError} EEXIST if another one is
   * @throws {SyscallError} as `PppChannel.open` and `PppUnit.create`; EINVAL if the session's channel has a unit
   */
  attach({ socket, interfaces, interfaceName, user }: KernelPppOptions): PppPath {
    if (this.#closed) {
      throw new ReferenceError("Cannot attach PPP session: the sessions of this process are closed");
    }
    if (interfaceName !== undefined && (!isInterfaceName(interfaceName) || interfaceName.includes("%"))) {
      throw new RangeError(`Cannot name PPP interface "${interfaceName}": it is no name of an interface`);
    }
    using stack = new DisposableStack();
    const channel = stack.use(PppChannel.open(socket.fd));
    const unit = stack.use(PppUnit.create());
    for (const protocol of NETWORK_PROTOCOLS) unit.setNpMode(protocol, NPMODE_DROP);
    const firstName = `ppp${unit.unit}`;
    const index = interfaces.link(firstName)?.index;
    if (index === undefined) throw new SyscallError(`interface "${firstName}"`, Errno.ENODEV);
    if (interfaceName !== undefined) interfaces.changeLink(index, { name: interfaceName });
    channel.connect(unit.unit);
    stack.defer(() => disconnect(channel));
    const tag = this.#nextTag;
    this.#epoll.add(channel.number, EPOLLIN, tag);
    this.#epoll.add(unit.number, EPOLLIN, tag + 1);
    this.#nextTag += 2;
    stack.move();
    const path = new KernelPppPath({
      ...{ channel, unit, interfaces, user },
      interfaceName: interfaceName ?? firstName,
      interfaceIndex: index,
      unwatch: () => {
        this.#epoll.forget(channel.number);
        this.#epoll.forget(unit.number);
        this.#paths.delete(tag);
      },
    });
    this.#paths.set(tag, path);
    return path;
  }
}

/** What a {@link KernelPppPath} is made of. */
interface KernelPppParts {
  readonly channel: PppChannel;
  readonly unit: PppUnit;
  readonly interfaces: Interfaces;
  readonly user: PppPathUser;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Waits for its descriptors no more; more than once does no harm. */
  readonly unwatch: () => void;
}

/** One session. */
class KernelPppPath implements PppPath {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #parts: KernelPppParts;

  constructor(parts: KernelPppParts) {
    this.interfaceName = parts.interfaceName;
    this.interfaceIndex = parts.interfaceIndex;
    this.#parts = parts;
  }

  /** Something is to be read from the descriptor with this tag, into the buffer. */
  turn(tag: number, buffer: Uint8Array<ArrayBuffer>): void {
    const { channel, unit, user } = this.#parts;
    const fd = (tag & 1) === 0 ? channel : unit;
    for (let i = 0; i < BATCH && !fd.closed; i++) {
      const length = fd.receive(buffer);
      if (length === undefined) return;
      if (length === 0) {
        // The end would be reported again and again.
        this.#parts.unwatch();
        return user.lost();
      }
      user.receive(buffer.subarray(0, length));
    }
  }

  send(frame: Uint8Array): void {
    const { channel, unit } = this.#parts;
    const bytes = frame.buffer instanceof ArrayBuffer ? frame as Uint8Array<ArrayBuffer> : frame.slice();
    const protocol = 256 * (frame[0] ?? 0) + (frame[1] ?? 0);
    (protocol >= FIRST_LINK_PROTOCOL ? channel : unit).send(bytes);
  }

  pass(protocol: "ipv4" | "ipv6", on: boolean): void {
    this.#parts.unit.setNpMode(protocol === "ipv4" ? PPP_IP : PPP_IPV6, on ? NPMODE_PASS : NPMODE_DROP);
  }

  /** The kernel takes frames however they are compressed, and sends its own uncompressed, as it may always do. */
  configure({ mtu, mru }: PppAgreement): void {
    const { unit, interfaces } = this.#parts;
    interfaces.changeLink(this.interfaceIndex, { mtu });
    unit.setMru(mru);
  }

  [Symbol.dispose](): void {
    const { channel, unit, unwatch } = this.#parts;
    if (channel.closed) return;
    unwatch();
    disconnect(channel);
    unit.close();
    channel.close();
  }
}

/** Takes the channel from its unit, which it would not leave when the unit is closed. */
function disconnect(channel: PppChannel): void {
  try {
    channel.disconnect();
  } catch (error) {
    // It has none any more: its socket was closed.
    if (!(error instanceof SyscallError)) throw error;
  }
}
