/**
 * PPP over a serial line (RFC 1662): all that the daemon has for PPP, with a pseudo terminal and a TUN device in place
 * of an L2TP session.
 *
 * ```
 *   IP ── TUN device ──┐
 *                      ├── frames ── flags, escapes, FCS ── pty ── terminal ── pppd
 *   engine ── control ─┘
 * ```
 *
 * @module
 */

import { Epoll, EPOLLIN, EPOLLOUT } from "../../ffi/process/epoll.ts";
import { lastErrno } from "../../ffi/errno.ts";
import { EventFd } from "../../ffi/process/eventfd.ts";
import type { OwnedFd } from "../../ffi/fd.ts";
import { ioctl } from "../../ffi/kernel/ioctl.ts";
import { libc } from "../../ffi/libc.ts";
import { openNetns } from "../../ffi/kernel/netns.ts";
import { interfaceIndex } from "../../ffi/sockets/resolve.ts";
import { TunDevice } from "../../ffi/kernel/tun.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { NetworkNamespaces } from "../../src/driver/system/network_namespaces.ts";
import type { AttachedPpp, PppAttachment } from "../../src/daemon/ppp/attachment.ts";
import { PppSessions } from "../../src/daemon/ppp/sessions.ts";
import type { PppAgreement, PppPath, PppPathUser } from "../../src/driver/ppp/path.ts";
import type { PppStatus } from "../../src/model/ppp/status.ts";
import type { PppSessionSettings } from "../../src/model/ppp/settings.ts";
import { DEFAULT_MRU, PPP_CODE, PPP_PROTOCOL } from "../../src/wire/ppp/constants.ts";
import { decodePppFrame, encodePppFrame } from "../../src/wire/ppp/frame.ts";
import { DEFAULT_ACCM, encodeHdlc, HdlcDeframer } from "../support/hdlc.ts";
import { Pty } from "./pty.ts";

const KEY = { dataplane: "user", tunnelId: 1, sessionId: 1 } as const;
/** ioctl that returns the number of readable bytes (`asm-generic/ioctls.h`). */
const FIONREAD = 0x541b;
const WAKE = 0;
const LINE = 1;
const TUN = 2;
/** Address, Control and Protocol fields. */
const FIELDS_BYTES = 4;
const BUFFER_BYTES = 65_536;
/** Control frames that the line has no room for; of packets none is taken before they have gone. */
const WAITING_MAX = BUFFER_BYTES;

/** There is no L2TP here. */
function noSession(): never {
  throw new SyscallError("a serial line", Errno.ENODEV);
}

/** Our end of a serial line, in a namespace. */
export class SerialLink implements AsyncDisposable {
  readonly #pty = new Pty();
  readonly #namespaces = new NetworkNamespaces();
  readonly #key: string;
  readonly #sessions: PppSessions;
  readonly #said: string[] = [];
  #path: SerialPath | undefined;
  #begun: Promise<void> | undefined;
  #isOver = false;

  /** No PPP runs yet. */
  constructor(netns: string) {
    this.#key = this.#namespaces.hold(openNetns(netns));
    this.#sessions = new PppSessions({
      namespaces: this.#namespaces,
      attach: { user: (request) => this.#attach(request), kernel: noSession },
      hold: noSession,
      noteActivity: () => {},
      log: (line) => this.#said.push(line),
    });
  }

  /** Path of the terminal at its other end. */
  get terminal(): string {
    return this.#pty.path;
  }

  /** Log lines, as in the daemon's log. */
  get said(): string {
    return this.#said.join("\n");
  }

  /** Number of invalid frames from the line by reason. */
  get drops(): Readonly<Record<string, number>> {
    return this.#path!.drops;
  }

  /** Runs PPP until {@link end}. Starts when the other end has sent something: it receives nothing before. */
  run(settings: PppSessionSettings): void {
    this.#begun = this.#spokenTo().then((spokenTo) => {
      if (spokenTo) this.#sessions.run(this.#key, { ...KEY, settings });
    });
  }

  /** Reports whether anything was received from the line before its end. */
  async #spokenTo(): Promise<boolean> {
    const count = new Uint8Array(4);
    for (; !this.#isOver; await new Promise((resolve) => setTimeout(resolve, 5))) {
      ioctl(this.#pty.line, FIONREAD, count);
      if (count.some((byte) => byte !== 0)) return true;
    }
    return false;
  }

  /** Returns the PPP status in the form of the daemon's reply; `undefined` if no PPP runs. */
  status(): PppStatus | undefined {
    const [session] = this.#sessions.statuses(this.#key);
    return session?.status && JSON.parse(JSON.stringify(session.status));
  }

  /** Name of the interface. */
  interfaceName(): string {
    const [session] = this.#sessions.statuses(this.#key);
    return session!.interfaceName!;
  }

  /** Reads and writes the line no more, or does so again. */
  setSilent(silent: boolean): void {
    this.#path!.setSilent(silent);
  }

  /** Ends PPP, and takes the interface away. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#begun;
    await this.#sessions[Symbol.asyncDispose]();
    await this.#path?.ended;
  }

  /** Options of the peer that only a serial line uses. */
  #accm(): number {
    const [session] = this.#sessions.statuses(this.#key);
    return session?.status?.lcp.peer.accm ?? DEFAULT_ACCM;
  }

  #attach({ netns, interfaceName = "ppp%d", user, links }: PppAttachment): AttachedPpp {
    const path = this.#path = this.#namespaces.run(netns, () =>
      new SerialPath({
        line: this.#pty.line,
        interfaceName,
        user,
        accm: () => this.#accm(),
        changeMtu: (mtu) => links.changeLink(path.interfaceIndex, { mtu }),
      }));
    links.changeLink(path.interfaceIndex, { automaticLinkLocal: false });
    return { path, mtu: DEFAULT_MRU };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    this.#namespaces[Symbol.dispose]();
    this.#pty[Symbol.dispose]();
  }
}

interface SerialPathParts {
  readonly line: OwnedFd;
  readonly interfaceName: string;
  readonly user: PppPathUser;
  /** Control characters that the peer wants escaped (ACCM). */
  readonly accm: () => number;
  readonly changeMtu: (mtu: number) => void;
}

class SerialPath implements PppPath {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Resolves when everything is closed. */
  readonly ended: Promise<void>;
  readonly #parts: SerialPathParts;
  readonly #tun: TunDevice;
  readonly #epoll = Epoll.open();
  readonly #wake = EventFd.open();
  readonly #deframer = new HdlcDeframer(FIELDS_BYTES + DEFAULT_MRU);
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  readonly #passing = new Set<number>();
  #waiting: Uint8Array<ArrayBuffer> = new Uint8Array();
  #isSilent = false;
  #isClosed = false;

  /** In the namespace of the calling thread. */
  constructor(parts: SerialPathParts) {
    this.#parts = parts;
    this.#tun = TunDevice.open(parts.interfaceName, { exclusive: true });
    this.interfaceName = this.#tun.name;
    this.interfaceIndex = interfaceIndex(this.#tun.name)!;
    this.#epoll.add(this.#wake.number, EPOLLIN, WAKE);
    this.#epoll.add(parts.line.number, EPOLLIN, LINE);
    this.#epoll.add(this.#tun.number, EPOLLIN, TUN);
    this.ended = this.#run();
  }

  get drops(): Readonly<Record<string, number>> {
    return this.#deframer.drops;
  }

  send(frame: Uint8Array): void {
    const { protocol, payload } = decodePppFrame(frame);
    // As if nothing had been agreed on (RFC 1661 section 5).
    const isPlain = protocol === PPP_PROTOCOL.LCP && payload[0]! <= PPP_CODE.CODE_REJECT;
    this.#write(encodeHdlc(frame, isPlain ? DEFAULT_ACCM : this.#parts.accm()));
  }

  pass(protocol: "ipv4" | "ipv6", on: boolean): void {
    const number = protocol === "ipv4" ? PPP_PROTOCOL.IP : PPP_PROTOCOL.IPV6;
    if (on) this.#passing.add(number);
    else this.#passing.delete(number);
  }

  /** A serial line takes frames however they are compressed; ours never are. */
  configure({ mtu }: PppAgreement): void {
    this.#parts.changeMtu(mtu);
  }

  setSilent(silent: boolean): void {
    this.#isSilent = silent;
    this.#watch();
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tun.close();
    this.#wake.signal();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const ready = await this.#epoll.waitInBackground(-1);
      for (let i = 0; i < ready && !this.#isClosed; i++) {
        const events = this.#epoll.events(i);
        if (this.#epoll.tag(i) === TUN) this.#takePacket();
        else if (this.#epoll.tag(i) === LINE) {
          if ((events & EPOLLOUT) !== 0) this.#write(new Uint8Array());
          if ((events & EPOLLIN) !== 0) this.#takeBytes();
        }
      }
    }
    this.#epoll.close();
    this.#wake.close();
  }

  /** Waits for room on the line instead of packets while something waits for it. */
  #watch(): void {
    const { line } = this.#parts;
    const isFull = this.#waiting.length > 0;
    this.#epoll.modify(line.number, this.#isSilent ? 0 : EPOLLIN | (isFull ? EPOLLOUT : 0), LINE);
    this.#epoll.modify(this.#tun.number, this.#isSilent || isFull ? 0 : EPOLLIN, TUN);
  }

  #write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isSilent || this.#waiting.length + bytes.length > WAITING_MAX) return;
    const wasFull = this.#waiting.length > 0;
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    const written = Number(libc.write(this.#parts.line.number, all, BigInt(all.length)));
    if (written < 0 && lastErrno() !== Errno.EAGAIN) throw new SyscallError("write", lastErrno());
    this.#waiting = all.subarray(Math.max(0, written));
    if (wasFull !== this.#waiting.length > 0) this.#watch();
  }

  #takePacket(): void {
    const length = Number(libc.read(this.#tun.number, this.#buffer, BigInt(BUFFER_BYTES)));
    if (length <= 0) return;
    const packet = this.#buffer.subarray(0, length);
    const protocol = packet[0]! >> 4 === 4 ? PPP_PROTOCOL.IP : PPP_PROTOCOL.IPV6;
    if (this.#passing.has(protocol)) {
      this.#write(encodeHdlc(encodePppFrame(protocol, packet), this.#parts.accm()));
    }
  }

  #takeBytes(): void {
    const length = Number(libc.read(this.#parts.line.number, this.#buffer, BigInt(BUFFER_BYTES)));
    if (length <= 0) return;
    for (const frame of this.#deframer.take(this.#buffer.subarray(0, length))) {
      if (this.#isClosed) return;
      const { protocol, payload } = decodePppFrame(frame);
      if (protocol !== PPP_PROTOCOL.IP && protocol !== PPP_PROTOCOL.IPV6) this.#parts.user.receive(frame);
      else if (this.#passing.has(protocol)) {
        libc.write(this.#tun.number, payload.slice(), BigInt(payload.length));
      }
    }
  }
}
