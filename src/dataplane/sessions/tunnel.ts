/**
 * A tunnel of the data path: the source that it accepts packets from, and the counters that sum up its sessions.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../../base/inet.ts";
import { HOST_IS_LITTLE_ENDIAN, NETWORK_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";
import { checkCounters } from "../counters.ts";
import type { Endpoint } from "./endpoint.ts";
import type { DataSession } from "./session.ts";

/** The only source from which a tunnel accepts packets. */
export interface PeerAddress {
  /** 4 or 16 bytes in network order, of the endpoint's family. */
  readonly address: Uint8Array;
  /** UDP port; any port of the address if omitted. Ignored for IP. */
  readonly port?: number | undefined;
  /** IPv6: interface index of a link-local address; any interface if omitted or 0. */
  readonly scopeId?: number | undefined;
}

/** Options of a tunnel. */
export interface TunnelSpec {
  /** Local tunnel id: 1 to 0xffffffff (version 2: 0xffff). */
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  /** Protocol version. Version 2 requires UDP. */
  readonly version: 2 | 3;
  readonly endpoint: Endpoint;
  /** Source from which packets are accepted; any source if omitted. */
  readonly peer?: PeerAddress | undefined;
  /**
   * Counter view (layout in `counters.ts`), filled with zeros. The caller owns it and lends it until the tunnel's
   * removal.
   */
  readonly counters: Float64Array;
}

/** Bytes of `struct sockaddr_in6`. */
const NAME_BYTES = 28;
/** Index of the scope id among the words of an IPv6 socket address. */
export const SCOPE_WORD = 6;

/** The peer's socket address in the layout of `PacketBatch.names`. */
function nameWords(peer: PeerAddress, isIpv6: boolean): Int32Array {
  const name = new DataView(new ArrayBuffer(NAME_BYTES));
  name.setUint16(0, isIpv6 ? AF_INET6 : AF_INET, HOST_IS_LITTLE_ENDIAN);
  name.setUint16(2, peer.port ?? 0, NETWORK_IS_LITTLE_ENDIAN);
  new Uint8Array(name.buffer).set(peer.address, isIpv6 ? 8 : 4);
  name.setUint32(24, peer.scopeId ?? 0, HOST_IS_LITTLE_ENDIAN);
  return new Int32Array(name.buffer);
}

/** A tunnel. Created by `DataPath.addTunnel`. Only the data path writes its members. */
export class DataTunnel {
  readonly tunnelId: number;
  readonly peerTunnelId: number;
  readonly version: 2 | 3;
  readonly endpoint: Endpoint;
  /** Sums over the tunnel's sessions, and RX_INVALID (layout in `counters.ts`). */
  readonly counters: Float64Array;
  readonly sessions: Set<DataSession> = new Set();
  /** The part of a packet's source that is compared: 0 nothing, 1 the address, 2 address and port. */
  readonly strictness: 0 | 1 | 2;
  /** The peer's socket address in the layout of `PacketBatch.names`; unknown parts are zero. */
  readonly name: Int32Array;
  /** IPv6: the only interface that packets may come from, as a signed integer; 0 for any. */
  readonly scopeId: number;
  readonly #isIpv6: boolean;

  /**
   * Creates a tunnel without sessions.
   *
   * @throws {RangeError} if the specification contradicts itself
   */
  constructor(spec: TunnelSpec) {
    checkCounters(spec.counters);
    const { endpoint, peer } = spec;
    const limit = spec.version === 2 ? 0xffff : 0xffffffff;
    for (const id of [spec.tunnelId, spec.peerTunnelId]) {
      if (!Number.isInteger(id) || id < 0 || id > limit) {
        throw new RangeError(`Tunnel id ${id} is out of range`);
      }
    }
    if (spec.version === 2 && !endpoint.isUdp) throw new RangeError("L2TP version 2 requires UDP");
    if (peer !== undefined && peer.address.length !== (endpoint.isIpv6 ? 16 : 4)) {
      throw new RangeError(
        `Peer address of ${peer.address.length} bytes does not fit endpoint kind ${endpoint.kind}`,
      );
    }
    this.tunnelId = spec.tunnelId;
    this.peerTunnelId = spec.peerTunnelId;
    this.version = spec.version;
    this.endpoint = endpoint;
    this.counters = spec.counters;
    this.#isIpv6 = endpoint.isIpv6;
    if (peer === undefined) this.strictness = 0;
    else this.strictness = endpoint.isUdp && peer.port !== undefined ? 2 : 1;
    this.name = peer === undefined ? new Int32Array(NAME_BYTES / 4) : nameWords(peer, endpoint.isIpv6);
    this.scopeId = endpoint.isIpv6 ? this.name[SCOPE_WORD]! : 0;
  }

  /** Returns true if the tunnel accepts packets from the source at `names[word]`. */
  accepts(names: Int32Array, word: number): boolean {
    if (this.strictness === 0) return true;
    const own = this.name;
    // Family and port form one word: one comparison.
    if (this.strictness === 2 && names[word] !== own[0]) return false;
    if (!this.#isIpv6) return names[word + 1] === own[1];
    return names[word + 2] === own[2] && names[word + 3] === own[3] && names[word + 4] === own[4] &&
      names[word + 5] === own[5] && (this.scopeId === 0 || names[word + SCOPE_WORD] === this.scopeId);
  }
}
