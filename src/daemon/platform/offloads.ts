/**
 * Sets up the offloads of devices and sockets. An offload that the kernel refuses is not used, which is logged once.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import type { Offload, Offloads } from "../../model/offloads.ts";
import type { Socket } from "../../../ffi/sockets/socket.ts";
import {
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_TSO_ECN,
  TUN_F_USO4,
  TUN_F_USO6,
  tunHasVnetHeader,
  type TunTapDevice,
  type TunTapOptions,
} from "../../../ffi/kernel/tun.ts";
import { probeUdpSegment, setUdpGro } from "../../../ffi/sockets/udp.ts";

const TSO = TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
const USO = TUN_F_USO4 | TUN_F_USO6;

/** Offloads of a device. */
export type DeviceOffloads = Pick<Offloads, "tap" | "tso" | "uso" | "coalesce">;

/** Offloads of a socket. */
export type SocketOffloads = Pick<Offloads, "gso" | "gro">;

/** A device without offloads. */
const NO_DEVICE_OFFLOADS: DeviceOffloads = { tap: false, tso: false, uso: false, coalesce: false };

/** A socket without offloads. */
export const NO_SOCKET_OFFLOADS: SocketOffloads = { gso: false, gro: false };

/** Sets up devices and sockets with the offloads that are wanted and available. */
export class SystemOffloads {
  readonly #wanted: Offloads;
  readonly #log: (line: string) => void;
  readonly #reported = new Set<Offload>();

  /** `log` writes a line for the administrator. */
  constructor(wanted: Offloads, log: (line: string) => void) {
    this.#wanted = wanted;
    this.#log = log;
  }

  /** Whether WebAssembly shall compute checksums. */
  get simd(): boolean {
    return this.#wanted.simd;
  }

  /** Whether BPF programs shall carry the sessions that they can. */
  get bpf(): boolean {
    return this.#wanted.bpf;
  }

  /** Options to open devices with. */
  deviceOptions(): Pick<TunTapOptions, "vnetHeader"> {
    if (!this.#wanted.tap) return { vnetHeader: false };
    const vnetHeader = tunHasVnetHeader();
    if (!vnetHeader) this.refused("tap", "the TUN/TAP driver has no virtio headers");
    return { vnetHeader };
  }

  /** Sets up a device that was opened with {@link deviceOptions}. */
  setUpDevice(device: TunTapDevice): DeviceOffloads {
    if (!device.hasVnetHeader) return NO_DEVICE_OFFLOADS;
    const { coalesce } = this.#wanted;
    const tso = this.#wanted.tso && this.#offers(device, "tso", TUN_F_CSUM | TSO);
    const base = TUN_F_CSUM | (tso ? TSO : 0);
    const uso = this.#wanted.uso && this.#offers(device, "uso", base | USO);
    if (!uso) this.#offers(device, "tap", base);
    return { tap: true, tso, uso, coalesce };
  }

  #offers(device: TunTapDevice, offload: Offload, features: number): boolean {
    try {
      device.setOffload(features);
      return true;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.refused(offload, `${device.name}: ${error.message}`);
      return false;
    }
  }

  /** Sets up a UDP socket. GRO stays off for a socket whose packets BPF programs process, which see each packet alone. */
  setUpUdp(socket: Socket, isForBpf: boolean): SocketOffloads {
    const gso = this.#wanted.gso && this.#tries("gso", () => probeUdpSegment(socket));
    const gro = this.#wanted.gro && !(isForBpf && this.#wanted.bpf) &&
      this.#tries("gro", () => setUdpGro(socket, true));
    return { gso, gro };
  }

  #tries(offload: Offload, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.refused(offload, error.message);
      return false;
    }
  }

  /** Logs, once for each offload, that the system refuses it. */
  refused(offload: Offload, reason: string): void {
    if (this.#reported.has(offload)) return;
    this.#reported.add(offload);
    this.#log(`offload ${offload} unavailable: ${reason}`);
  }
}
