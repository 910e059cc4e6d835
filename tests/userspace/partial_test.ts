/**
 * Frames that never crossed a wire have incomplete checksums and pending segmentation. Peers on the same machine send
 * such frames. The test is such a peer, and the hub forwards its frames through another tunnel:
 *
 * ```
 *   b: socket 1 ── tunnel 1 ── w1 ─┐
 *                                  bridge (a)
 *   b: socket 2 ── tunnel 2 ── w2 ─┘
 * ```
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AF_INET } from "../../src/base/inet.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { localLibc, packetLibc } from "../../ffi/packet_libc.ts";
import { PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets/mod.ts";
import { encodeInet } from "../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../ffi/sockets/socket.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { TestDaemon } from "../support/daemon.ts";
import { buildFrame, FLAG, type FrameSpec, isIntact, partialFrame } from "../support/inner_frames.ts";
import { Pair } from "../support/namespaces.ts";
import { Random } from "../support/random.ts";
import { joinBytes, RawFrame } from "../support/raw_frame.ts";
import { until } from "../support/until.ts";

// Opened here, because a library that is opened within a test counts as a leak of it.
bindLibc();
localLibc();
packetLibc();

/** UDP, version 3, session 7, without cookie and sublayer. */
const HEADER = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 7);
const HUB_PORT = 1701;
const PORTS = [5001, 5002] as const;
const MTU = 1400;

/** A hub in a whose tunnels end in sockets of the test in b. */
class Hub implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #arena = new PacketArena({ slots: 64, slotSize: 65_536 });
  readonly #receive = new ReceiveVector(this.#arena, { firstSlot: 1 });
  readonly #sockets: readonly Socket[];

  private constructor(stack: AsyncDisposableStack, sockets: readonly Socket[]) {
    this.#stack = stack;
    this.#sockets = sockets;
  }

  static async open(): Promise<Hub> {
    await using stack = new AsyncDisposableStack();
    const pair = stack.use(await Pair.create());
    const daemon = stack.use(await TestDaemon.start({ args: ["offload", "all"] }));
    const client = stack.use(daemon.client(pair.a.name));
    await pair.a.ip("link add bridge0 type bridge mcast_snooping 0");
    for (const [i, port] of PORTS.entries()) {
      const tunnelId = i + 1;
      client.createTunnel({
        ...{ tunnelId, peerTunnelId: tunnelId, encap: "udp", local: "10.0.0.1", peer: "10.0.0.2" },
        ...{ localPort: HUB_PORT, peerPort: port },
      });
      const interfaceName = `w${i + 1}`;
      client.createSession({ tunnelId, sessionId: 7, peerSessionId: 7, l2spec: "none", interfaceName });
      await pair.a.ip(`link set ${interfaceName} mtu ${MTU} master bridge0 up`);
    }
    await pair.a.ip("link set bridge0 up");
    const sockets = PORTS.map((port) =>
      stack.use(inNamespace(
        pair.b.name,
        () => openUdp(AF_INET, { local: { address: parseIpAddress("10.0.0.2")!, port } }),
      ))
    );
    return new Hub(stack.move(), sockets);
  }

  /** Sends a frame through tunnel 1. */
  send(frame: Uint8Array): void {
    this.#arena.bytes.set(joinBytes(HEADER, frame));
    const send = new SendVector(this.#arena, { messages: 1 });
    send.begin(new Remote(encodeInet({ address: parseIpAddress("10.0.0.1")!, port: HUB_PORT })));
    send.add(0, HEADER.length + frame.length);
    assertStrictEquals(send.send(this.#sockets[0]!.number, 0, 1), 1);
  }

  /** Frames of the flow that have come out of tunnel 2: others, such as the bridge's own, are passed over. */
  take(spec: FrameSpec): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const count = this.#receive.receive(this.#sockets[1]!.number);
      for (let i = 0; i < count; i++) {
        const start = this.#receive.start(i) + HEADER.length;
        const bytes = this.#arena.bytes.slice(start, start + this.#receive.length(i) - HEADER.length);
        const raw = RawFrame.read(bytes);
        if (raw?.isUdp === (spec.isUdp === true) && raw.isIpv6 === (spec.isIpv6 === true)) frames.push(bytes);
      }
      if (count <= 0) return frames;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

async function takeUntil(hub: Hub, spec: FrameSpec, payload: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const bytes = (): number =>
    frames.reduce((sum, each) => sum + each.length - RawFrame.read(each)!.payload, 0);
  await until(() => {
    frames.push(...hub.take(spec));
    return bytes() >= payload;
  }, `${payload} bytes of payload, ${bytes()} so far`);
  return frames;
}

Deno.test("offloaded checksums and TCP segmentation are completed before sending", async () => {
  await using hub = await Hub.open();
  const random = new Random(0x9a7);
  const cases: [what: string, spec: FrameSpec, length: number][] = [];
  for (const isIpv6 of [false, true]) {
    cases.push([`UDP ${isIpv6}`, { isIpv6, isUdp: true }, 1000]);
    cases.push([`TCP ${isIpv6}`, { isIpv6, flags: FLAG.ack }, 1000]);
    cases.push([`TCP without payload ${isIpv6}`, { isIpv6, flags: FLAG.syn }, 0]);
    cases.push([
      `TCP with options ${isIpv6}`,
      { isIpv6, flags: FLAG.ack, tcpOptions: new Uint8Array(12) },
      999,
    ]);
    cases.push([`long TCP ${isIpv6}`, { isIpv6, flags: FLAG.ack | FLAG.psh, sequence: 0xffff_f000 }, 20_001]);
  }
  for (const [what, spec, length] of cases) {
    const payload = random.bytes(length);
    const { bytes } = partialFrame({ ...spec, payload });
    assertStrictEquals(isIntact(bytes), false, what);
    hub.send(bytes);
    const frames = length === 0 ? [] : await takeUntil(hub, spec, length);
    if (length === 0) await until(() => frames.push(...hub.take(spec)) > 0, what);
    for (const frame of frames) assert(isIntact(frame) && frame.length <= 14 + MTU, what);
    const pieces = frames.map((frame) => frame.slice(RawFrame.read(frame)!.payload));
    assertEquals(joinBytes(...pieces), payload, what);
    assertStrictEquals(frames.length > 1, length > MTU, what);
  }
});

Deno.test("damaged packets are not repaired", async () => {
  await using hub = await Hub.open();
  const payload = new Random(5).bytes(600);
  for (const isUdp of [false, true]) {
    const spec = { isUdp, flags: FLAG.ack, payload };
    const damaged = buildFrame(spec);
    damaged[damaged.length - 1]! ^= 1;
    hub.send(damaged);
    const [frame] = await takeUntil(hub, spec, payload.length);
    assertEquals(frame, damaged);
  }
});
