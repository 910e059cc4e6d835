/**
 * rtnetlink of one network namespace, in memory: interfaces and their addresses, as far as tunnels need them.
 *
 * @module
 */

import { ByteWriter, HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { formatHex } from "../../src/base/hex.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import type { Link, LinkAddress } from "../../src/model/link.ts";
import { AttributeReader, AttributeWriter } from "../../src/wire/netlink/attribute.ts";
import { NLM_F_DUMP } from "../../src/wire/netlink/constants.ts";
import type { NetlinkMessage } from "../../src/wire/netlink/message.ts";
import {
  decodeAddress,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
} from "../../src/wire/rtnl/link.ts";
import { RTM_DELROUTE, RTM_NEWROUTE } from "../../src/wire/rtnl/route.ts";
import { ack, dump, type RefusalFacts, refuse, reply } from "./fake_kernel.ts";

const IFF_UP = 1;
const OPERSTATES = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/** Payload of RTM_NEWLINK as the kernel sends it. */
export function encodeLink(link: Link): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u16(0);
  out.u16(1);
  out.u32(link.index);
  out.u32(link.up ? IFF_UP | 0x1002 : 0x1002);
  out.u32(0);
  const attributes = new AttributeWriter(out)
    .string(3, link.name)
    .u8(16, OPERSTATES.indexOf(link.state))
    .u32(4, link.mtu);
  if (link.master !== undefined) attributes.u32(10, link.master);
  const { kind } = link;
  if (kind !== undefined) attributes.nested(18, (info) => void info.string(1, kind), false);
  return attributes.written.slice();
}

/** Payload of RTM_NEWADDR as the kernel sends it: IPv6 has no IFA_LOCAL, unless there is a peer. */
export function encodeAddress(
  { index, address, prefixLength, peer, automatic }: LinkAddress,
): Uint8Array<ArrayBuffer> {
  const bytes = parseIpAddress(address)!;
  const out = new ByteWriter({ littleEndian: HOST_IS_LITTLE_ENDIAN });
  out.u8(bytes.length === 4 ? 2 : 10);
  out.u8(prefixLength);
  out.u8(automatic ? 0 : 0x80);
  out.u8(0);
  out.u32(index);
  const attributes = new AttributeWriter(out).bytes(1, peer === undefined ? bytes : parseIpAddress(peer)!);
  if (bytes.length === 4 || peer !== undefined) attributes.bytes(2, bytes);
  return attributes.written.slice();
}

/** Reason of a refusal. */
export interface StepRefusal extends RefusalFacts {
  /** Positive error number. */
  readonly errno: number;
}

/** The interfaces of one namespace. */
export class FakeLinks {
  /** The interfaces, by number. */
  readonly links: Map<number, Link> = new Map();
  /** The addresses of all of them. */
  addresses: LinkAddress[] = [];
  /**
   * Received requests, one line each: `get NAME`, `list`, `name N`, `mtu N`, `master N`, `up`, `down`, `netns FD`,
   * `address A/N`, `address A peer B/N`, `no address A/N`, `addresses`, `route HEX`, `no route HEX`.
   */
  readonly steps: string[] = [];
  /** Refuses the steps that it has a refusal for. */
  refusal: (step: string) => StepRefusal | undefined = () => undefined;
  /** Finds the namespace behind a descriptor. */
  namespaceOf: (fd: number) => FakeLinks | undefined = () => undefined;
  readonly #indexOf = new Map<string, number>();
  #lastIndex = 0;

  /** A namespace with its loopback interface. */
  constructor() {
    this.add("lo", { up: true, mtu: 65536 });
    this.addresses.push({ index: 1, address: "127.0.0.1", prefixLength: 8 });
  }

  /** Adds an interface under the next free number. */
  add(name: string, properties: Partial<Omit<Link, "index" | "name">> = {}): Link {
    const index = ++this.#lastIndex;
    const link = { index, name, up: false, state: "unknown", mtu: 1500, master: undefined, ...properties };
    this.links.set(index, link);
    this.#indexOf.set(name, index);
    return link;
  }

  /** Adds an address to an interface. */
  addAddress(name: string, address: string, prefixLength: number): void {
    this.addresses.push({ index: this.byName(name)!.index, address, prefixLength });
  }

  /** The interface with this name. */
  byName(name: string): Link | undefined {
    const index = this.#indexOf.get(name);
    return index === undefined ? undefined : this.links.get(index);
  }

  /** Takes an interface away, with its addresses. */
  remove(name: string): void {
    const link = this.byName(name);
    if (link === undefined) return;
    this.links.delete(link.index);
    this.#indexOf.delete(name);
    this.addresses = this.addresses.filter(({ index }) => index !== link.index);
  }

  /** Answers a request. */
  readonly handle = (request: NetlinkMessage): NetlinkMessage[] => {
    const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    switch (request.type) {
      case RTM_GETLINK:
        return isDump ? this.#list(request) : this.#get(request);
      case RTM_NEWLINK:
        return this.#change(request);
      case RTM_GETADDR:
        this.steps.push("addresses");
        return dump(request, this.addresses.map(encodeAddress), { type: RTM_NEWADDR });
      case RTM_NEWADDR:
        return this.#addAddress(request);
      case RTM_DELADDR:
        return this.#deleteAddress(request);
      case RTM_NEWROUTE:
        return this.#route(request, "route");
      case RTM_DELROUTE:
        return this.#route(request, "no route");
      default:
        return [refuse(request, Errno.EOPNOTSUPP)];
    }
  };

  #list(request: NetlinkMessage): NetlinkMessage[] {
    this.steps.push("list");
    return dump(request, [...this.links.values()].map(encodeLink), { type: RTM_NEWLINK });
  }

  #get(request: NetlinkMessage): NetlinkMessage[] {
    const attributes = new AttributeReader(request.payload, 16);
    let name = "";
    while (attributes.next()) if (attributes.type === 3) name = attributes.string();
    const refused = this.#step(request, `get ${name}`);
    if (refused !== undefined) return [refused];
    const link = this.byName(name);
    if (link === undefined) return [refuse(request, Errno.ENODEV)];
    return [reply(request, encodeLink(link), { type: RTM_NEWLINK }), ack(request)];
  }

  #change(request: NetlinkMessage): NetlinkMessage[] {
    const view = new DataView(request.payload.buffer, request.payload.byteOffset);
    const index = view.getInt32(4, HOST_IS_LITTLE_ENDIAN);
    let link = this.links.get(index);
    if (link === undefined) return [refuse(request, Errno.ENODEV)];
    const [flags, change] = [
      view.getUint32(8, HOST_IS_LITTLE_ENDIAN),
      view.getUint32(12, HOST_IS_LITTLE_ENDIAN),
    ];
    const attributes = new AttributeReader(request.payload, 16);
    while (attributes.next()) {
      if (attributes.type === 3) {
        const name = attributes.string();
        const refused = this.#step(request, `name ${name}`);
        if (refused !== undefined) return [refused];
        if (this.byName(name) !== undefined) return [refuse(request, Errno.EEXIST)];
        this.#indexOf.delete(link.name);
        this.#indexOf.set(name, index);
        link = { ...link, name };
        continue;
      }
      const value = attributes.u32();
      const step = new Map([[4, `mtu ${value}`], [10, `master ${value}`], [28, `netns ${value}`]]);
      const refused = this.#step(request, step.get(attributes.type) ?? `attribute ${attributes.type}`);
      if (refused !== undefined) return [refused];
      if (attributes.type === 4) link = { ...link, mtu: value };
      else if (attributes.type === 10) link = { ...link, master: value === 0 ? undefined : value };
      else return [this.#move(request, link, value)];
    }
    if ((change & IFF_UP) !== 0) {
      const up = (flags & IFF_UP) !== 0;
      const refused = this.#step(request, up ? "up" : "down");
      if (refused !== undefined) return [refused];
      link = { ...link, up };
    }
    this.links.set(index, link);
    return [ack(request)];
  }

  #move(request: NetlinkMessage, link: Link, fd: number): NetlinkMessage {
    const target = this.namespaceOf(fd);
    if (target === undefined) return refuse(request, Errno.EBADF);
    if (target.byName(link.name) !== undefined) return refuse(request, Errno.EEXIST);
    this.remove(link.name);
    // An interface that moves is taken down and leaves its bridge.
    target.add(link.name, { mtu: link.mtu, state: link.state });
    return ack(request);
  }

  #deleteAddress(request: NetlinkMessage): NetlinkMessage[] {
    const { index, address, prefixLength, peer } = decodeAddress(request.payload);
    const refused = this.#step(request, `no address ${withPeer(address, peer)}/${prefixLength}`);
    if (refused !== undefined) return [refused];
    const left = this.addresses.filter((other) =>
      other.index !== index || other.address !== address || other.peer !== peer
    );
    if (left.length === this.addresses.length) return [refuse(request, Errno.EADDRNOTAVAIL)];
    this.addresses = left;
    return [ack(request)];
  }

  #addAddress(request: NetlinkMessage): NetlinkMessage[] {
    const { index, address, prefixLength, peer } = decodeAddress(request.payload);
    const refused = this.#step(request, `address ${withPeer(address, peer)}/${prefixLength}`);
    if (refused !== undefined) return [refused];
    if (!this.links.has(index)) return [refuse(request, Errno.ENODEV)];
    if (this.addresses.some((other) => other.index === index && other.address === address)) {
      return [refuse(request, Errno.EEXIST)];
    }
    this.addresses.push({ index, address, prefixLength, ...(peer !== undefined && { peer }) });
    return [ack(request)];
  }

  /** Routes are noted as they were asked for, and not kept. */
  #route(request: NetlinkMessage, verb: string): NetlinkMessage[] {
    const refused = this.#step(request, `${verb} ${formatHex(request.payload)}`);
    return [refused ?? ack(request)];
  }

  #step(request: NetlinkMessage, step: string): NetlinkMessage | undefined {
    this.steps.push(step);
    const refusal = this.refusal(step);
    return refusal === undefined ? undefined : refuse(request, refusal.errno, refusal);
  }
}

function withPeer(address: string, peer: string | undefined): string {
  return peer === undefined ? address : `${address} peer ${peer}`;
}
