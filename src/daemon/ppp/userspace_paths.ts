/**
 * Attaches PPP to userspace sessions. IP packets stay in the worker, between TUN device and tunnel; only control frames
 * reach the main thread.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { UNNEGOTIATED } from "../../dataplane/mod.ts";
import { DataPlaneClosed, type PppHandle } from "../../driver/data_plane/mod.ts";
import type { PppAgreement, PppPath, PppPathUser } from "../../driver/ppp/path.ts";
import { DEFAULT_PPP_INTERFACE_NAME } from "../../model/interface_name.ts";
import type { Subsystem } from "../../subsystem/subsystem.ts";
import type { AttachedPpp, PppAttachment } from "./attachment.ts";
import type { Devices, PppDevice } from "../platform/devices.ts";
import type { LinuxPlatform } from "../platform/linux_platform.ts";
import { deviceFacts, type PlaneSession } from "../platform/session_path.ts";

/** Dependencies of {@link PppPaths}. All is borrowed. */
export interface PppPathsParts {
  /** Has the sessions. */
  readonly subsystem: Subsystem;
  /** Has their data-plane sessions. */
  readonly platform: LinuxPlatform;
  /** Creates devices. */
  readonly devices: Devices;
}

/** A session to attach PPP to, with the receiver of control frames and events. */
export interface PppPathRequest extends PppPathUser {
  /** Key of the network namespace of session and device. */
  readonly netns: string;
  /** The tunnel, by our id. */
  readonly tunnelId: number;
  /** The session, by our id. */
  readonly sessionId: number;
  /** Name of the device; one `%d` becomes the lowest free number. `ppp%d` unless given. */
  readonly interfaceName?: string | undefined;
  /** Whether to lower the MSS of TCP connections to the negotiated MTU. Default false. */
  readonly clampMss?: boolean | undefined;
}

/** Attaches PPP to sessions of the userspace subsystem. */
export class PppPaths {
  readonly #parts: PppPathsParts;

  /** Borrows the parts. */
  constructor(parts: PppPathsParts) {
    this.#parts = parts;
  }

  /**
   * Attaches PPP to a session. The device is down, has no addresses, and no protocol passes. It is deleted when the path is
   * disposed of, after which the session drops what it receives, or when the session is deleted. In the latter case, and
   * when another program deletes the device, `lost` is called.
   *
   * @throws {SyscallError} ENODEV without such a session, EPROTONOSUPPORT if it is not a PPP session, EBUSY if PPP is
   * attached already, EINVAL if no packet can be made for it (an id is 0), EEXIST if the name is taken, and others; then
   * nothing has changed
   * @throws {RangeError} if the name is longer than 15 bytes
   * @throws {DataPlaneClosed}
   */
  attach(request: PppPathRequest): PppPath {
    const { netns, tunnelId, sessionId, interfaceName, clampMss = false } = request;
    const { subsystem, platform, devices } = this.#parts;
    const refused = (errno: number): SyscallError =>
      new SyscallError(`session ${sessionId} in tunnel ${tunnelId}`, errno);
    const session = subsystem.sessionPath(netns, tunnelId, sessionId);
    if (session === undefined) throw refused(Errno.ENODEV);
    const planeSession = platform.planeSessionOf(session);
    if (planeSession === undefined) throw refused(Errno.EINVAL);
    if (!planeSession.isPpp) throw refused(Errno.EPROTONOSUPPORT);
    if (planeSession.handle.ppp !== undefined) throw refused(Errno.EBUSY);
    using stack = new DisposableStack();
    const device = devices.createPpp(netns, interfaceName ?? DEFAULT_PPP_INTERFACE_NAME);
    stack.use(device.tun);
    const handle = planeSession.plane.attachPpp(planeSession.handle, {
      tunFd: device.tun.number,
      device: deviceFacts(device.offloads),
      clampMss,
      ending: request.ending,
      receive: request.receive,
      lost: () => {
        path.close();
        request.lost();
      },
    });
    const path = new UserPppPath({ netns, devices, device, planeSession, handle });
    stack.move();
    return path;
  }

  /** {@link attach} for the daemon's PPP sessions. */
  attachLink({ netns, tunnelId, sessionId, interfaceName, clampMss, user }: PppAttachment): AttachedPpp {
    const path = this.attach({ netns, tunnelId, sessionId, interfaceName, clampMss, ...user });
    return { path, mtu: this.#parts.subsystem.pppMtu(netns, tunnelId, sessionId)! };
  }
}

/** Dependencies of a path. */
interface UserPppPathParts {
  readonly netns: string;
  readonly devices: Devices;
  readonly device: PppDevice;
  readonly planeSession: PlaneSession;
  readonly handle: PppHandle;
}

/** Calls the action, except after a crash of the data plane, which ends the daemon anyway. */
function unlessClosed(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof DataPlaneClosed)) throw error;
  }
}

/** A session's PPP path with its device, which it owns. */
class UserPppPath implements PppPath {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #parts: UserPppPathParts;
  #agreed: PppAgreement = UNNEGOTIATED;
  #closed = false;

  constructor(parts: UserPppPathParts) {
    this.#parts = parts;
    const { device, planeSession } = parts;
    this.interfaceName = device.tun.name;
    this.interfaceIndex = device.index;
    planeSession.offloads = device.offloads;
  }

  send(frame: Uint8Array): void {
    unlessClosed(() => this.#parts.handle.send(frame));
  }

  pass(protocol: "ipv4" | "ipv6", on: boolean): void {
    unlessClosed(() => this.#parts.handle.change({ [protocol]: on }));
  }

  /**
   * @throws {RangeError} if a length is out of range; then nothing changes
   * @throws {SyscallError} if the MTU cannot be set; then nothing changes
   */
  configure(agreed: PppAgreement): void {
    if (this.#closed) return;
    const { handle, devices, netns, device } = this.#parts;
    unlessClosed(() => handle.change({ agreed }));
    try {
      devices.setPppMtu(netns, device, agreed.mtu);
    } catch (error) {
      // The device was deleted, so `lost` follows; or it was moved to another namespace, where too long packets are dropped.
      if (!(error instanceof SyscallError) || error.errno !== Errno.ENODEV) {
        unlessClosed(() => handle.change({ agreed: this.#agreed }));
        throw error;
      }
    }
    this.#agreed = agreed;
  }

  /** Deletes the device. */
  close(): void {
    // The session may have another path already.
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.planeSession.offloads = undefined;
    this.#parts.device.tun.close();
  }

  [Symbol.dispose](): void {
    unlessClosed(() => this.#parts.handle.remove());
    this.close();
  }
}
