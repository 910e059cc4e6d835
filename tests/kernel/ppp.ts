/**
 * What the tests of PPP on a real kernel share: users of paths that note what they are told, and paths in namespaces.
 *
 * @module
 */

import { formatHex } from "../../src/base/hex.ts";
import type { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/namespace.ts";
import type { KernelPpp } from "../../src/driver/kernel_ppp.ts";
import type { PppPath, PppPathUser } from "../../src/driver/ppp_path.ts";
import type { Pppol2tpSocket } from "../../src/driver/pppol2tp_socket.ts";
import type { Namespace } from "../support/namespaces.ts";
import { packetLibc } from "../../ffi/packet_libc.ts";
import { until } from "./kernel.ts";

// Opened once and for good: inside of a test it would count as its leak.
packetLibc();

/** Notes what a path tells. */
export class Notes implements PppPathUser {
  /** The frames that came, in hex, in order. */
  readonly frames: string[] = [];
  /** How often the path was lost. */
  losses = 0;

  receive(frame: Uint8Array): void {
    this.frames.push(formatHex(frame));
  }

  lost(): void {
    this.losses++;
  }

  /** Waits for so many frames, and takes them. */
  async take(count: number): Promise<string[]> {
    await until(`${count} frames come`, () => this.frames.length >= count);
    return this.frames.splice(0);
  }
}

/** The path of a session in the namespace. */
export function attachIn(
  { name }: Namespace,
  ppp: KernelPpp,
  parts: { socket: Pppol2tpSocket; interfaces: LinkClient; user: PppPathUser; interfaceName?: string },
): PppPath {
  return inNamespace(name, () => ppp.attach(parts));
}
