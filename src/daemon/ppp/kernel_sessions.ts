/**
 * PPP on L2TP sessions of the kernel: the daemon holds them by their sockets, and watches for their end.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { FamilyMissingError, NetlinkError, SyscallError } from "../../base/errors.ts";
import { L2tpClient } from "../../client/l2tp_client.ts";
import { SessionWatch } from "../../client/kernel/session_watch.ts";
import { KernelPpp } from "../../driver/ppp/kernel_ppp.ts";
import { pathToPeer } from "../../driver/system/inspection.ts";
import { Pppol2tpSocket } from "../../driver/ppp/pppol2tp_socket.ts";
import type { Session } from "../../model/session.ts";
import type { Tunnel } from "../../model/tunnel.ts";
import { overheadFacts, pppMtu } from "../../model/session_mtu.ts";
import type { NetworkNamespaces } from "../../driver/system/network_namespaces.ts";
import type { AttachedPpp, HeldSession, PppAttachment, PppHoldRequest } from "./attachment.ts";

/** Shared by all sessions. */
interface Kernel {
  readonly ppp: KernelPpp;
  readonly watch: SessionWatch;
}

/** The kernel's PPP sessions that this process holds. */
export class KernelPppSessions implements Disposable {
  readonly #namespaces: NetworkNamespaces;
  readonly #log: (line: string) => void;
  #kernel: Kernel | undefined;

  /** Opens the kernel's PPP lazily, for the first session. */
  constructor(namespaces: NetworkNamespaces, log: (line: string) => void) {
    this.#namespaces = namespaces;
    this.#log = log;
  }

  /**
   * Holds a session, whose frames go nowhere yet.
   *
   * @throws {SyscallError} ENODEV without such a session or without L2TP in the kernel, EEXIST if another process holds it,
   * EPROTOTYPE if it is not a PPP session
   */
  hold({ netns, tunnelId, sessionId, lost }: PppHoldRequest): HeldSession {
    const { watch } = this.#kernel ??= open(this.#log);
    const { socket, mtu } = this.#namespaces.run(netns, () => {
      const { tunnel, session, mtu } = find(tunnelId, sessionId);
      return { socket: Pppol2tpSocket.openSession(tunnel, session), mtu };
    });
    const watching = watch.watch({
      tunnelId,
      sessionId,
      exists: () => this.#namespaces.run(netns, () => isThere(tunnelId, sessionId)),
      gone: lost,
    });
    return {
      socket,
      mtu,
      [Symbol.dispose]: () => {
        watching[Symbol.dispose]();
        socket[Symbol.dispose]();
      },
    };
  }

  /**
   * Holds a session, and attaches this process' PPP to it.
   *
   * @throws {SyscallError} as {@link hold}, and as `KernelPpp.attach`
   * @throws {NetlinkError} EEXIST if the interface's name is in use
   */
  attach({ interfaceName, links, user, ...which }: PppAttachment): AttachedPpp {
    using stack = new DisposableStack();
    const held = stack.use(this.hold({ ...which, lost: user.lost }));
    const { socket, mtu } = held;
    const path = this.#namespaces.run(
      which.netns,
      () => this.#kernel!.ppp.attach({ socket, interfaces: links, interfaceName, user }),
    );
    stack.move();
    return {
      mtu,
      path: {
        interfaceName: path.interfaceName,
        interfaceIndex: path.interfaceIndex,
        send: (frame) => path.send(frame),
        pass: (protocol, on) => path.pass(protocol, on),
        configure: (agreed) => path.configure(agreed),
        [Symbol.dispose]: () => {
          path[Symbol.dispose]();
          held[Symbol.dispose]();
        },
      },
    };
  }

  /** Closes what sessions share. All sessions must be disposed of before. */
  [Symbol.dispose](): void {
    this.#kernel?.watch.close();
    this.#kernel?.ppp.close();
  }
}

function open(log: (line: string) => void): Kernel {
  using stack = new DisposableStack();
  const ppp = KernelPpp.open();
  stack.defer(() => ppp.close());
  try {
    const watch = SessionWatch.open();
    stack.move();
    const failed = (error: unknown): void => log(`PPP on kernel sessions ended: ${error}`);
    ppp.run().catch(failed);
    watch.run().catch(failed);
    return { ppp, watch };
  } catch (error) {
    if (error instanceof FamilyMissingError) throw new SyscallError("L2TP of the kernel", Errno.ENODEV);
    throw error;
  }
}

/** Reports whether the session exists. If the kernel cannot be asked, the session is kept. */
function isThere(tunnelId: number, sessionId: number): boolean {
  try {
    using l2tp = L2tpClient.open();
    return l2tp.session({ tunnelId, sessionId }) !== undefined;
  } catch (error) {
    if (error instanceof NetlinkError || error instanceof SyscallError) return true;
    throw error;
  }
}

/** Looks up the session in the calling thread's namespace. */
function find(
  tunnelId: number,
  sessionId: number,
): { readonly tunnel: Tunnel; readonly session: Session; readonly mtu: number } {
  using l2tp = L2tpClient.open();
  const tunnel = l2tp.tunnel(tunnelId);
  const session = l2tp.session({ tunnelId, sessionId });
  if (tunnel === undefined || session === undefined) {
    throw new SyscallError(`session ${sessionId} in tunnel ${tunnelId}`, Errno.ENODEV);
  }
  const way = pathToPeer(tunnel);
  const mtu = pppMtu({
    // The kernel does not report the sublayer.
    ...overheadFacts({ ...tunnel, encap: tunnel.encap ?? "udp" }, session, undefined, "default"),
    version: tunnel.version,
    sendSeq: session.sendSeq,
    pathMtu: way !== undefined && "mtu" in way ? way.mtu : undefined,
  });
  return { tunnel, session, mtu };
}
