/** `ffi/sockets/steering.ts` over the loopback interface of a namespace: each peer's packets reach one socket. */

import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { AF_INET, AF_INET6 } from "../../src/base/inet.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { openNetns, withNetns } from "../../ffi/kernel/netns.ts";
import { packetLibc } from "../../ffi/packet_libc.ts";
import { PacketArena, ReceiveVector, Remote, SendVector } from "../../ffi/packets/mod.ts";
import { decodeInet, encodeInet } from "../../ffi/sockets/sockaddr.ts";
import type { Socket } from "../../ffi/sockets/socket.ts";
import { shareAddress, steerByPeer, steeredIndex } from "../../ffi/sockets/steering.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { parseIpAddress } from "../../src/base/ip_address.ts";
import { assertNoLeaks } from "../support/descriptors.ts";
import { Namespace } from "../support/namespaces.ts";
import { EMULATED } from "./emulated.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
packetLibc();

const PEERS = 24;
const SHARES = 3;

for (
  const { family, local, peer } of [
    { family: AF_INET, local: "127.0.0.1", peer: (i: number) => `127.${i}.${i * 3}.${i + 1}` },
    { family: AF_INET6, local: "::1", peer: (i: number) => `fd00:${i * 41}::${i * 7}:${i + 1}` },
  ] as const
) {
  // qemu-user does not know the option SO_ATTACH_REUSEPORT_CBPF (ENOPROTOOPT).
  Deno.test(`steerByPeer() at ${local}: what comes from an address reaches the socket it was said to`, {
    ignore: EMULATED,
  }, async () => {
    await using scratch = await Namespace.create("l2tp-ffi");
    if (family === AF_INET6) {
      for (let i = 0; i < PEERS; i++) await scratch.ip(`addr add ${peer(i)}/128 dev lo nodad`);
    }
    await assertNoLeaks(() => {
      using netns = openNetns(scratch.name);
      using stack = new DisposableStack();
      const open = (address: string, port: number, reusePort: boolean): Socket =>
        stack.use(withNetns(
          netns,
          () => openUdp(family, { local: { address: parseIpAddress(address)!, port }, reusePort }),
        ));
      const first = open(local, 0, false);
      const { port } = decodeInet(first.localName());
      assertThrows(() => open(local, port, true), SyscallError, undefined, "not shared yet");
      shareAddress(first);
      const sockets = [first, open(local, port, true), open(local, port, true)];
      assertThrows(
        () => open(local, port, false),
        SyscallError,
        undefined,
        "only with those that share, too",
      );
      steerByPeer(first, family, SHARES);
      const arena = new PacketArena({ slots: PEERS, slotSize: 64 });
      const receive = new ReceiveVector(arena);
      const to = new Remote(encodeInet({ address: parseIpAddress(local)!, port }));
      const counts = new Array<number>(SHARES).fill(0);
      for (let i = 0; i < PEERS; i++) {
        const send = new SendVector(arena, { messages: 1 });
        send.begin(to);
        send.add(0, 8);
        using from = open(peer(i), 0, false);
        assertStrictEquals(send.send(from.number, 0, 1), 1);
        const index = steeredIndex(parseIpAddress(peer(i))!, SHARES);
        assertDeepStrictEquals(
          sockets.map((socket) => Math.max(receive.receive(socket.number), 0)),
          [0, 1, 2].map((each) => each === index ? 1 : 0),
          peer(i),
        );
        counts[index]!++;
      }
      assert(counts.every((count) => count > 0), `each has some: ${counts}`);
    });
  });
}

Deno.test("steeredIndex() is the exclusive or of the address's words, modulo the count", () => {
  const index = (text: string, count: number): number => steeredIndex(parseIpAddress(text)!, count);
  assertStrictEquals(index("0.0.0.7", 4), 3);
  assertStrictEquals(index("255.255.255.255", 10), 5);
  assertStrictEquals(index("::7", 4), 3);
  assertStrictEquals(index("0:1::0:4", 8), 5);
  assertStrictEquals(index("10.1.2.3", 1), 0);
});
