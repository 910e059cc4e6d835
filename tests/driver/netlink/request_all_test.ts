/**
 * `NetlinkConnection.requestAll()` against a fake kernel: many requests in one datagram, of which only the last asks
 * for an acknowledgement.
 */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { NetlinkError, NetlinkProtocolError, SyscallError } from "../../../src/base/errors.ts";
import { NetlinkConnection, type NetlinkRequest } from "../../../src/driver/netlink/connection.ts";
import { NLM_F_ACK, NLM_F_REQUEST } from "../../../src/wire/netlink/constants.ts";
import {
  ack,
  type Batching,
  FakeTransport,
  type KernelFunction,
  noop,
  refuse,
  reply,
} from "../../support/fake_kernel.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

/** Requests with their index as the payload. */
function requests(count: number): NetlinkRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    operation: `REQUEST_${i}`,
    type: 0x20,
    payload: Uint8Array.of(i, i >> 8, 0, 0),
  }));
}

/** A kernel that refuses the requests with these indexes. */
function refusing(places: ReadonlySet<number>): KernelFunction {
  return (request) => {
    const place = request.payload[0]! | (request.payload[1]! << 8);
    return [places.has(place) ? refuse(request, Errno.EEXIST, { extack: `place ${place}` }) : ack(request)];
  };
}

function refusedPlaces(outcomes: readonly (NetlinkError | undefined)[]): number[] {
  return outcomes.flatMap((outcome, i) => (outcome === undefined ? [] : [i]));
}

const MODES: readonly { batching: Batching; background: boolean }[] = [
  { batching: "single", background: false },
  { batching: "joined", background: true },
  { batching: new Random(11), background: false },
  { batching: new Random(12), background: true },
];

Deno.test("requestAll() sends one datagram, numbers its requests, and asks only the last for an acknowledgement", async () => {
  for (const options of MODES) {
    const transport = new FakeTransport(refusing(new Set()), options);
    let sent = 0;
    const send = transport.send.bind(transport);
    transport.send = (datagram) => {
      sent++;
      send(datagram);
    };
    const connection = new NetlinkConnection(transport);
    connection.request(requests(1)[0]!);
    assertEquals(await connection.requestAll(requests(3)), [undefined, undefined, undefined]);
    assertStrictEquals(sent, 2);
    assertEquals(transport.requests.map(({ sequence }) => sequence), [1, 2, 3, 4]);
    assertDeepStrictEquals(transport.requests.map(({ flags }) => flags), [
      NLM_F_REQUEST | NLM_F_ACK,
      NLM_F_REQUEST,
      NLM_F_REQUEST,
      NLM_F_REQUEST | NLM_F_ACK,
    ]);
    assertStrictEquals(transport.unread, 0);
  }
});

Deno.test("requestAll() without requests sends nothing", async () => {
  const transport = new FakeTransport(refusing(new Set()));
  assertEquals(await new NetlinkConnection(transport).requestAll([]), []);
  assertStrictEquals(transport.requests.length, 0);
});

Deno.test("requestAll() returns each error at its index: first, last, all, none, some", async () => {
  const random = new Random(3);
  const some = new Set(Array.from({ length: 40 }, () => random.below(200)));
  const all = new Set(Array.from({ length: 200 }, (_, i) => i));
  for (const options of MODES) {
    for (const places of [new Set<number>(), new Set([0]), new Set([199]), new Set([0, 199]), some, all]) {
      const connection = new NetlinkConnection(new FakeTransport(refusing(places), options));
      const outcomes = await connection.requestAll(requests(200));
      assertStrictEquals(outcomes.length, 200);
      assertDeepStrictEquals(refusedPlaces(outcomes), [...places].sort((a, b) => a - b));
      for (const place of places) {
        const { operation, errno, extack } = outcomes[place]!;
        assertEquals([operation, errno, extack], [`REQUEST_${place}`, Errno.EEXIST, `place ${place}`]);
      }
      // The next exchange works, and sees nothing of this one.
      connection.request(requests(300)[299]!);
    }
  }
});

Deno.test("requestAll() skips replies, NLMSG_NOOP, and the rest of earlier exchanges", async () => {
  const kernel: KernelFunction = (request) => [
    noop(request),
    refuse({ ...request, sequence: request.sequence - 5 }, Errno.EPERM),
    reply(request, new Uint8Array(8)),
    ack(request),
  ];
  for (const options of MODES) {
    const connection = new NetlinkConnection(new FakeTransport(kernel, options));
    for (let i = 0; i < 5; i++) connection.request(requests(1)[0]!);
    assertDeepStrictEquals(await connection.requestAll(requests(4)), Array(4).fill(undefined));
  }
});

Deno.test("requestAll() refuses answers to requests that were never made", async () => {
  const ahead = new FakeTransport((request) => [ack({ ...request, sequence: request.sequence + 1 })]);
  await assertRejects(() => new NetlinkConnection(ahead).requestAll(requests(2)), NetlinkProtocolError);
});

Deno.test("requestAll() passes on an error of the socket", async () => {
  for (const background of [false, true]) {
    const transport = new FakeTransport(() => [], { background });
    transport.inject(new SyscallError("recvmsg", Errno.ENOBUFS));
    const connection = new NetlinkConnection(transport);
    assertFields(await assertRejects(() => connection.requestAll(requests(2))), {
      name: "SyscallError",
      errno: Errno.ENOBUFS,
    });
  }
});
