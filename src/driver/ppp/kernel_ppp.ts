/**
 * PPP sessions whose packets the kernel forwards. Each session has a PPP channel and a PPP unit with its network
 * interface. One epoll set waits for the control frames of all sessions.
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

/** Longest received frame in bytes: the payload of a UDP datagram. */
const FRAME_MAX = 65_535;
/** Frames read from one descriptor per event; the kernel queues no more. */
const BATCH = 32;
/** Protocols from here on concern the link (RFC 1661 section 2); their frames go through the channel. */
const FIRST_LINK_PROTOCOL = 0xc000;
/** Network protocols whose packets a new unit lets pass. */
const NETWORK_PROTOCOLS = [PPP_IP, PPP_IPV6, PPP_IPX, PPP_AT, PPP_MPLS_UC, PPP_MPLS_MC];

const WAKE_TAG = 0;
const FIRST_PATH_TAG = 2;

/** Options of a PPP path. */
export interface KernelPppOptions {
  /** The session's socket. Borrowed: the caller closes it after disposing of the path. */
  readonly socket: Pppol2tpSocket;
  /** Interfaces of the calling thread's network namespace. Borrowed until the path is disposed of. */
  readonly interfaces: Interfaces;
  /** Name of the interface; `ppp` and the lowest free number unless given. */
  readonly interfaceName?: string | undefined;
  /** Receives the events of the path. */
  readonly user: PppPathUser;
}

/**
 * The PPP sessions of this process in the kernel, in any number of network namespaces.
 *
 * `lost` is called if the session's socket is closed or the interface deleted. The kernel sends no event if another
 * process deletes the session or its tunnel by netlink, or closes the tunnel's socket: the channel lives as long as
 * the PPPoL2TP socket, but receives no more frames. `SessionWatch` in src/client detects that.
 */
export class KernelPpp {
  readonly #epoll: Epoll;
  readonly #wake: EventFd;
  readonly #buffer = new Uint8Array(new ArrayBuffer(FRAME_MAX));
  /** By the tag of the channel, which is even; the unit's tag is the next odd number. */
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
   * Opens the epoll set, without sessions.
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
   * Reads frames and passes them to the paths' users; resolves after {@link close}. Keeps the process alive. Rejects
   * with any error that a user throws, after closing everything.
   */
  async run(): Promise<void> {
    this.#running = true;
    try {
      while (!this.#closed) {
        const ready = await this.#epoll.waitInBackground(-1);
        for (let i = 0; i < ready; i++) {
          const tag = this.#epoll.tag(i);
          // A path may have been disposed of while this batch of events was processed.
          this.#paths.get(tag - (tag & 1))?.handleEvents(tag, this.#buffer);
        }
      }
    } finally {
      this.#closed = true;
      this.#release();
    }
  }

  /** Ends {@link run} and disposes of every path. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The descriptors must stay open during a wait; `run` closes them when it returns.
    if (this.#running) this.#wake.signal();
    else this.#release();
  }

  #release(): void {
    for (const path of [...this.#paths.values()]) path[Symbol.dispose]();
    this.#epoll.close();
    this.#wake.close();
  }

  /**
   * Attaches a path to a session, in the network namespace of the calling thread and of the socket. No other process
   * may read the session's frames. The interface is down; no packet passes before {@link PppPath.pass}.
   *
   * @throws {RangeError} if the interface name is invalid
   * @throws {NetlinkError} EEXIST if the interface name is in use
   * @throws {SyscallError} as `PppChannel.open` and `PppUnit.create`; EINVAL if the session's channel has a unit
   */
  attach({ socket, interfaces, interfaceName, user }: KernelPppOptions): PppPath {
    if (this.#closed) {
      throw new ReferenceError("Cannot attach PPP session: the sessions of this process are closed");
    }
    if (interfaceName !== undefined && (!isInterfaceName(interfaceName) || interfaceName.includes("%"))) {
      throw new RangeError(`Cannot name PPP interface "${interfaceName}": it is not a valid interface name`);
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

/** The parts of a {@link KernelPppPath}. */
interface KernelPppParts {
  readonly channel: PppChannel;
  readonly unit: PppUnit;
  readonly interfaces: Interfaces;
  readonly user: PppPathUser;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Removes the descriptors from the epoll set; may be called more than once. */
  readonly unwatch: () => void;
}

/** The path of one session. */
class KernelPppPath implements PppPath {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #parts: KernelPppParts;

  constructor(parts: KernelPppParts) {
    this.interfaceName = parts.interfaceName;
    this.interfaceIndex = parts.interfaceIndex;
    this.#parts = parts;
  }

  /** Reads frames from the descriptor with this tag into the buffer. */
  handleEvents(tag: number, buffer: Uint8Array<ArrayBuffer>): void {
    const { channel, unit, user } = this.#parts;
    const fd = (tag & 1) === 0 ? channel : unit;
    for (let i = 0; i < BATCH && !fd.closed; i++) {
      const length = fd.receive(buffer);
      if (length === undefined) return;
      if (length === 0) {
        // Epoll would report the end of file again and again.
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

  /**
   * The kernel accepts compressed fields in any case, and sends its own frames uncompressed, which PPP always allows.
   */
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

/** Disconnects the channel from its unit. Closing the unit would not disconnect it. */
function disconnect(channel: PppChannel): void {
  try {
    channel.disconnect();
  } catch (error) {
    // The channel has no unit any more: its socket was closed.
    if (!(error instanceof SyscallError)) throw error;
  }
}
