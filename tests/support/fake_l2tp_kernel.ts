/**
 * The L2TP subsystem of one network namespace, in memory: tables of tunnels and sessions, and the kernel's rules for
 * what it refuses (`net/l2tp/l2tp_netlink.c`, `l2tp_core.c`), as far as clients and commands can see them.
 *
 * @module
 */

import { Errno } from "../../src/base/errno.ts";
import { formatHex } from "../../src/base/hex.ts";
import { formatIpAddress } from "../../src/base/ip_address.ts";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { Session } from "../../src/model/session.ts";
import type { Tunnel } from "../../src/model/tunnel.ts";
import { encodeFamily, GENL_ID_CTRL } from "../../src/wire/genl/ctrl.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { encodeSession } from "../../src/wire/genl/l2tp/session.ts";
import { encodeTunnel } from "../../src/wire/genl/l2tp/tunnel.ts";
import { AttributeReader } from "../../src/wire/netlink/attribute.ts";
import { NLM_F_DUMP } from "../../src/wire/netlink/constants.ts";
import { encodeMessage, type NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { ack, dump, type RefusalFacts, refuse, reply } from "./fake_kernel.ts";
import type { FakeLinks } from "./fake_links.ts";
import type { FakeNotifications } from "./fake_notifications.ts";

/** Message type of the family, as in the captures. */
export const FAMILY_ID = 0x20;
/** The family's multicast group, as in the captures. */
export const GROUP_ID = 9;

const COMMAND_NAMES = new Map(Object.entries(L2TP_CMD).map(([name, number]) => [number as number, name]));

/** Refuses a request: what the rules below throw. */
class Refusal {
  readonly errno: number;
  readonly facts: RefusalFacts;

  constructor(errno: number, facts: RefusalFacts = {}) {
    this.errno = errno;
    this.facts = facts;
  }
}

/** The attributes of a request, by number. */
class Attributes {
  readonly #payloads = new Map<number, AttributeReader>();

  constructor(payload: Uint8Array) {
    const reader = new AttributeReader(payload, 4);
    while (reader.next()) {
      const start = reader.bytes().byteOffset - payload.byteOffset - 4;
      const own = new AttributeReader(payload, start, start + 4 + reader.length);
      own.next();
      this.#payloads.set(reader.type, own);
    }
  }

  get(type: number): AttributeReader | undefined {
    return this.#payloads.get(type);
  }

  /** Requires the attribute. */
  need(type: number): AttributeReader {
    const found = this.#payloads.get(type);
    if (found === undefined) throw new Refusal(Errno.EINVAL);
    return found;
  }

  bit(type: number): boolean | undefined {
    const reader = this.get(type);
    return reader === undefined ? undefined : (reader.u8() & 1) !== 0;
  }
}

/** A socket that a test passes by descriptor (L2TP_ATTR_FD). */
export interface FakeTunnelSocket {
  readonly local: string;
  readonly peer: string;
  readonly localPort: number | undefined;
  readonly peerPort: number | undefined;
}

/** The L2TP subsystem of one namespace. */
export class FakeL2tpKernel {
  /** The tunnels, by our id. */
  readonly tunnels: Map<number, Tunnel> = new Map();
  /** The sessions, in the order of their creation. */
  sessions: Session[] = [];
  /** The sublayer of each session, by "tunnel/session"; netlink does not tell it. */
  readonly l2specs: Map<string, number> = new Map();
  /** Every request: its command's name, in order. */
  readonly commands: string[] = [];
  /** The family exists. */
  hasFamily = true;
  /** The caller has CAP_NET_ADMIN. */
  privileged = true;
  /** The modules that are there beside `l2tp_netlink`. */
  readonly modules: Set<string> = new Set(["l2tp_ip", "l2tp_ip6", "l2tp_eth", "l2tp_ppp"]);
  /** A UDP tunnel may have two sessions with the same id, as from Linux 6.10 on. */
  acceptsDuplicates = false;
  /** Peers that no route leads to. */
  readonly unreachable: Set<string> = new Set();
  /** UDP ports that other programs have. */
  readonly takenPorts: Set<number> = new Set();
  /** Sockets by descriptor. */
  readonly sockets: Map<number, FakeTunnelSocket> = new Map();
  /** For how many requests after a deletion what was deleted is still in the way. */
  lingering = 0;
  /** Gets the notifications. */
  readonly listeners: Set<FakeNotifications> = new Set();
  readonly #links: FakeLinks;
  readonly #refusals: { readonly command: string; readonly refusal: Refusal }[] = [];
  #leftToLinger = 0;

  /** Makes its interfaces among `links`. */
  constructor(links: FakeLinks) {
    this.#links = links;
  }

  /** Refuses the next request of a command (`"TUNNEL_CREATE"`), whatever the rules say. */
  refuseNext(command: keyof typeof L2TP_CMD, errno: number, facts: RefusalFacts = {}): void {
    this.#refusals.push({ command, refusal: new Refusal(errno, facts) });
  }

  /** Answers a request. */
  readonly handle = (request: NetlinkMessage): NetlinkMessage[] => {
    if (request.type === GENL_ID_CTRL) return this.#getFamily(request);
    if (request.type !== FAMILY_ID) return [refuse(request, Errno.ENOENT)];
    const command = request.payload[0]!;
    const name = COMMAND_NAMES.get(command) ?? String(command);
    this.commands.push(name);
    try {
      const forced = this.#refusals.findIndex((entry) => entry.command === name);
      if (forced >= 0) throw this.#refusals.splice(forced, 1)[0]!.refusal;
      if (!this.privileged && command !== L2TP_CMD.NOOP) throw new Refusal(Errno.EPERM);
      return this.#dispatch(request, command);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [refuse(request, error.errno, error.facts)];
    }
  };

  #getFamily(request: NetlinkMessage): NetlinkMessage[] {
    if (!this.hasFamily) return [refuse(request, Errno.ENOENT)];
    const payload = encodeFamily({ name: "l2tp", id: FAMILY_ID, groups: new Map([["l2tp", GROUP_ID]]) });
    return [reply(request, payload), ack(request)];
  }

  #dispatch(request: NetlinkMessage, command: number): NetlinkMessage[] {
    const given = new Attributes(request.payload);
    const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    switch (command) {
      case L2TP_CMD.NOOP:
        return [reply(request, Uint8Array.of(0, 1, 0, 0)), ack(request)];
      case L2TP_CMD.TUNNEL_CREATE: {
        const tunnel = this.#newTunnel(given);
        this.tunnels.set(tunnel.tunnelId, tunnel);
        this.#notify(request, encodeTunnel(command, tunnel));
        return [ack(request)];
      }
      case L2TP_CMD.TUNNEL_DELETE: {
        const tunnel = this.#findTunnel(given);
        this.#notify(request, encodeTunnel(command, tunnel));
        this.deleteTunnel(tunnel.tunnelId);
        return [ack(request)];
      }
      case L2TP_CMD.TUNNEL_MODIFY:
        this.#notify(request, encodeTunnel(command, this.#findTunnel(given)));
        return [ack(request)];
      case L2TP_CMD.TUNNEL_GET: {
        const body = (tunnel: Tunnel): Uint8Array => encodeTunnel(command, tunnel);
        // The kernel sets flag 4 on this reply, which means nothing.
        return isDump
          ? dump(request, [...this.tunnels.values()].sort((a, b) => a.tunnelId - b.tunnelId).map(body))
          : [reply(request, body(this.#findTunnel(given)), { flags: 4 }), ack(request)];
      }
      case L2TP_CMD.SESSION_CREATE: {
        const session = this.#newSession(given);
        this.sessions.push(session);
        this.#notify(request, encodeSession(command, session));
        return [ack(request)];
      }
      case L2TP_CMD.SESSION_DELETE: {
        const session = this.#findSession(given);
        this.#notify(request, encodeSession(command, session));
        this.#deleteSession(session);
        return [ack(request)];
      }
      case L2TP_CMD.SESSION_MODIFY: {
        const old = this.#findSession(given);
        const session = { ...old, ...modifiable(given, old) };
        this.sessions[this.sessions.indexOf(old)] = session;
        this.#notify(request, encodeSession(command, session));
        return [ack(request)];
      }
      case L2TP_CMD.SESSION_GET: {
        const body = (session: Session): Uint8Array => encodeSession(command, session);
        return isDump
          ? dump(request, this.sessions.map(body))
          : [reply(request, body(this.#findSession(given))), ack(request)];
      }
      default:
        throw new Refusal(Errno.EOPNOTSUPP);
    }
  }

  /** Deletes a tunnel and its sessions, without notifications about the sessions. */
  deleteTunnel(tunnelId: number): void {
    this.tunnels.delete(tunnelId);
    for (const session of this.sessions.filter((session) => session.tunnelId === tunnelId)) {
      this.#deleteSession(session);
    }
    this.#leftToLinger = this.lingering;
  }

  #deleteSession(session: Session): void {
    this.sessions = this.sessions.filter((other) => other !== session);
    if (session.interfaceName !== undefined) this.#links.remove(session.interfaceName);
    this.#leftToLinger = this.lingering;
  }

  #notify(request: NetlinkMessage, payload: Uint8Array): void {
    const { sequence, portId } = request;
    const datagram = encodeMessage({ type: FAMILY_ID, flags: 4, sequence, portId, payload });
    for (const listener of this.listeners) listener.push(datagram);
  }

  #stillThere(): void {
    if (this.#leftToLinger > 0) {
      this.#leftToLinger--;
      throw new Refusal(Errno.EEXIST);
    }
  }

  #newTunnel(given: Attributes): Tunnel {
    const tunnelId = given.need(L2TP_ATTR.CONN_ID).u32();
    const peerTunnelId = given.need(L2TP_ATTR.PEER_CONN_ID).u32();
    const version = given.need(L2TP_ATTR.PROTO_VERSION).u8();
    const encapType = given.need(L2TP_ATTR.ENCAP_TYPE).u16();
    const ends = this.#ends(given, encapType);
    if (encapType > 1) throw new Refusal(Errno.EINVAL);
    if (this.tunnels.has(tunnelId)) throw new Refusal(Errno.EEXIST);
    this.#stillThere();
    const ipv6 = ends.peer.includes(":");
    if (!given.get(L2TP_ATTR.FD)) this.#checkAddresses(ends, encapType, ipv6);
    const udp = encapType === 0;
    return {
      tunnelId,
      peerTunnelId,
      version,
      encap: udp ? "udp" : "ip",
      ...ends,
      // The value is not looked at.
      udpChecksum: udp && !ipv6 ? given.get(L2TP_ATTR.UDP_CSUM) !== undefined : undefined,
      checksumTx: udp && ipv6 ? given.get(L2TP_ATTR.UDP_ZERO_CSUM6_TX) === undefined : undefined,
      checksumRx: udp && ipv6 ? given.get(L2TP_ATTR.UDP_ZERO_CSUM6_RX) === undefined : undefined,
      usingIpsec: false,
      counters: ZERO_COUNTERS,
    };
  }

  #ends(given: Attributes, encapType: number): FakeTunnelSocket {
    const fd = given.get(L2TP_ATTR.FD);
    if (fd !== undefined) {
      const socket = this.sockets.get(fd.u32());
      if (socket === undefined) throw new Refusal(Errno.EBADF);
      return socket;
    }
    const local = given.get(L2TP_ATTR.IP6_SADDR) ?? given.get(L2TP_ATTR.IP_SADDR);
    const peer = given.get(L2TP_ATTR.IP6_DADDR) ?? given.get(L2TP_ATTR.IP_DADDR);
    if (local === undefined || peer === undefined || local.length !== peer.length) {
      throw new Refusal(Errno.EINVAL);
    }
    const text = formatIpAddress(local.bytes());
    const any = text === "0.0.0.0" || text === "::";
    return {
      local: any ? this.#chosen(local.length) : text,
      peer: formatIpAddress(peer.bytes()),
      localPort: encapType === 0 ? given.get(L2TP_ATTR.UDP_SPORT)?.u16() ?? 49152 : undefined,
      peerPort: encapType === 0 ? given.get(L2TP_ATTR.UDP_DPORT)?.u16() ?? 0 : undefined,
    };
  }

  /** The address that the kernel takes for one that leaves the choice to it. */
  #chosen(length: number): string {
    const mine = this.#links.addresses.filter(({ index, address }) =>
      index !== 1 && address.includes(":") === (length === 16)
    );
    return mine[0]?.address ?? (length === 16 ? "::1" : "127.0.0.1");
  }

  #checkAddresses({ local, peer, localPort }: FakeTunnelSocket, encapType: number, ipv6: boolean): void {
    if (encapType === 1 && !this.modules.has(ipv6 ? "l2tp_ip6" : "l2tp_ip")) {
      throw new Refusal(Errno.EPROTONOSUPPORT);
    }
    // Netlink has no scope to say.
    if (/^fe80:/.test(local) || /^fe80:/.test(peer)) throw new Refusal(Errno.EINVAL);
    if (!this.#links.addresses.some(({ address }) => address === local)) {
      throw new Refusal(Errno.EADDRNOTAVAIL);
    }
    if (localPort !== undefined) {
      const taken = this.takenPorts.has(localPort) ||
        [...this.tunnels.values()].some((other) => other.local === local && other.localPort === localPort);
      if (taken) throw new Refusal(Errno.EADDRINUSE);
    }
    if (this.unreachable.has(peer)) throw new Refusal(Errno.ENETUNREACH);
  }

  #findTunnel(given: Attributes): Tunnel {
    const tunnel = this.tunnels.get(given.need(L2TP_ATTR.CONN_ID).u32());
    if (tunnel === undefined) throw new Refusal(Errno.ENODEV);
    return tunnel;
  }

  /** By interface name, which wins, or by both ids; anything less finds nothing. */
  #findSession(given: Attributes): Session {
    const name = given.get(L2TP_ATTR.IFNAME)?.string();
    const tunnelId = given.get(L2TP_ATTR.CONN_ID)?.u32();
    const sessionId = given.get(L2TP_ATTR.SESSION_ID)?.u32();
    const session = name === undefined
      ? this.sessions.find((session) => session.tunnelId === tunnelId && session.sessionId === sessionId)
      : this.sessions.find((session) => session.interfaceName === name);
    if (session === undefined) throw new Refusal(Errno.ENODEV);
    return session;
  }

  #newSession(given: Attributes): Session {
    const tunnel = this.#findTunnel(given);
    const sessionId = given.need(L2TP_ATTR.SESSION_ID).u32();
    const peerSessionId = given.need(L2TP_ATTR.PEER_SESSION_ID).u32();
    const pseudowireType = given.need(L2TP_ATTR.PW_TYPE).u16();
    if (pseudowireType >= 12) throw new Refusal(Errno.EINVAL);
    if (tunnel.version === 2 && pseudowireType !== 7) throw new Refusal(Errno.EPROTONOSUPPORT);
    const l2spec = given.get(L2TP_ATTR.L2SPEC_TYPE)?.u8() ?? 1;
    if (l2spec > 1) throw new Refusal(Errno.EINVAL);
    const cookie = given.get(L2TP_ATTR.COOKIE)?.bytes().slice();
    const peerCookie = given.get(L2TP_ATTR.PEER_COOKIE)?.bytes().slice();
    if ((cookie?.length ?? 0) > 8 || (peerCookie?.length ?? 0) > 8) throw new Refusal(Errno.ERANGE);
    const module = new Map([[5, "l2tp_eth"], [7, "l2tp_ppp"]]).get(pseudowireType);
    if (module === undefined || !this.modules.has(module)) throw new Refusal(Errno.EPROTONOSUPPORT);
    this.#stillThere();
    if (this.#isTaken(tunnel, sessionId)) throw new Refusal(Errno.EEXIST);
    const interfaceName = pseudowireType === 5 ? this.#newInterface(given, tunnel) : undefined;
    this.l2specs.set(`${tunnel.tunnelId}/${sessionId}`, l2spec);
    const fresh = { sendSeq: false, recvSeq: false, lnsMode: false, reorderTimeoutMs: 0 };
    return {
      tunnelId: tunnel.tunnelId,
      sessionId,
      peerTunnelId: tunnel.peerTunnelId,
      peerSessionId,
      pseudowireType,
      interfaceName,
      cookie,
      peerCookie,
      ...modifiable(given, fresh),
      usingIpsec: false,
      counters: ZERO_COUNTERS,
    };
  }

  /** Tunnels over IP share their session ids with all others; those over UDP have their own. */
  #isTaken(tunnel: Tunnel, sessionId: number): boolean {
    return this.sessions.some((other) => {
      if (other.sessionId !== sessionId) return false;
      const ip = tunnel.encap === "ip" || this.tunnels.get(other.tunnelId)?.encap === "ip";
      return ip || (other.tunnelId === tunnel.tunnelId && !this.acceptsDuplicates);
    });
  }

  #newInterface(given: Attributes, tunnel: Tunnel): string {
    const wanted = given.get(L2TP_ATTR.IFNAME)?.string() ?? "l2tpeth%d";
    if (wanted === "." || wanted === ".." || /[/:\s]/.test(wanted)) throw new Refusal(Errno.EINVAL);
    let name = wanted;
    for (let n = 0; wanted.includes("%d") && (name === wanted || this.#links.byName(name)); n++) {
      name = wanted.replace("%d", String(n));
    }
    if (this.#links.byName(name) !== undefined) throw new Refusal(Errno.EEXIST);
    const outer = (tunnel.peer.includes(":") ? 40 : 20) + (tunnel.encap === "udp" ? 12 : 0);
    this.#links.add(name, { mtu: 1500 - outer - 4 - 4 - 14 });
    return name;
  }

  /** The text of debugfs' `l2tp/tunnels`. */
  debugfs(): string {
    let text = "TUNNEL ID, peer ID from IP to IP\n";
    for (const tunnel of this.tunnels.values()) {
      text +=
        `\nTUNNEL ${tunnel.tunnelId} peer ${tunnel.peerTunnelId} from ${tunnel.local} to ${tunnel.peer}\n`;
      for (const session of this.sessions.filter((session) => session.tunnelId === tunnel.tunnelId)) {
        const type = this.l2specs.get(`${session.tunnelId}/${session.sessionId}`) ?? 1;
        text += `  SESSION ${session.sessionId}, peer ${session.peerSessionId}, ETH\n`;
        text += `   offset 0 l2specific ${type}/${4 * type}\n`;
        if (session.cookie !== undefined) text += `   cookie ${formatHex(session.cookie)}\n`;
      }
    }
    return text;
  }
}

type Modifiable = Pick<Session, "sendSeq" | "recvSeq" | "lnsMode" | "reorderTimeoutMs">;

function modifiable(given: Attributes, old: Modifiable): Modifiable {
  const timeout = given.get(L2TP_ATTR.RECV_TIMEOUT)?.u64();
  return {
    sendSeq: given.bit(L2TP_ATTR.SEND_SEQ) ?? old.sendSeq,
    recvSeq: given.bit(L2TP_ATTR.RECV_SEQ) ?? old.recvSeq,
    lnsMode: given.bit(L2TP_ATTR.LNS_MODE) ?? old.lnsMode,
    reorderTimeoutMs: timeout === undefined ? old.reorderTimeoutMs : Number(timeout),
  };
}
