/**
 * `src/driver/netlink/connection.ts` against a fake kernel: sequence numbers, acknowledgements, dumps in any division
 * into datagrams, and invalid answers.
 */

import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../src/base/errno.ts";
import { DecodeError, NetlinkError, NetlinkProtocolError, SyscallError } from "../../../src/base/errors.ts";
import { NetlinkConnection } from "../../../src/driver/netlink/connection.ts";
import {
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
} from "../../../src/wire/netlink/constants.ts";
import { encodeMessage, type NetlinkMessage } from "../../../src/wire/netlink/message.ts";
import {
  ack,
  type Batching,
  dump,
  FakeTransport,
  type FakeTransportOptions,
  interrupted,
  type KernelFunction,
  noop,
  refuse,
  reply,
} from "../../support/fake_kernel.ts";
import { hexBytes } from "../../support/golden.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals, assertFields } from "../../support/assertions.ts";

const REQUEST = { operation: "TEST", type: 0x20, payload: hexBytes("01010000") };

/** A connection to the fake kernel, and its transport. */
function connect(
  kernel: KernelFunction,
  options?: FakeTransportOptions,
): { connection: NetlinkConnection; transport: FakeTransport } {
  const transport = new FakeTransport(kernel, options);
  return { connection: new NetlinkConnection(transport), transport };
}

/** Reads a message whose payload is one 32-bit number. */
function readNumber({ payload }: NetlinkMessage): number {
  if (payload.length < 4) {
    throw new DecodeError({ field: "number", offset: 0, needed: 4, had: payload.length });
  }
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

function numbers(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(new Uint32Array([i]).buffer));
}

/** Every division of answers into datagrams. */
function batchings(): Batching[] {
  return ["single", "joined", "doneAlone", new Random(1), new Random(2), new Random(3)];
}

Deno.test("request() sends type, flags, payload and a new sequence number each time, and waits for the acknowledgement", () => {
  const { connection, transport } = connect((request) => [ack(request)]);
  connection.request(REQUEST);
  connection.request({ ...REQUEST, type: 20, flags: NLM_F_CREATE | NLM_F_EXCL, payload: new Uint8Array(0) });
  const sent = transport.requests;
  assertEquals(sent.map(({ type }) => type), [0x20, 20]);
  assertDeepStrictEquals(sent.map(({ flags }) => flags), [
    NLM_F_REQUEST | NLM_F_ACK,
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
  ]);
  assertEquals(sent.map(({ sequence }) => sequence), [1, 2]);
  assertDeepStrictEquals(sent.map(({ portId }) => portId), [0, 0]);
  assertDeepStrictEquals(sent.map(({ payload }) => payload.length), [4, 0]);
  assertStrictEquals(transport.unread, 0);
});

Deno.test("request() passes on the messages before the acknowledgement, in order, in any division into datagrams", () => {
  for (const batching of batchings()) {
    const { connection } = connect(
      (request) => [...numbers(5).map((payload) => reply(request, payload)), ack(request)],
      { batching },
    );
    const seen: number[] = [];
    connection.request(REQUEST, (message) => seen.push(readNumber(message)));
    assertDeepStrictEquals(seen, [0, 1, 2, 3, 4], String(batching));
    connection.request(REQUEST);
  }
});

Deno.test("request() throws the kernel's error: number, extended acknowledgement, offset", () => {
  for (const capped of [true, false]) {
    const facts = { extack: "Attribute failed policy validation", offset: 20, capped };
    const { connection } = connect((request) => [refuse(request, Errno.ERANGE, facts)]);
    const error = assertThrows(() => connection.request(REQUEST), NetlinkError);
    assertEquals([error.operation, error.errno, error.code], ["TEST", 34, "ERANGE"]);
    assertEquals([error.extack, error.attributeOffset], [facts.extack, 20]);
  }
  const { connection } = connect((request) => [refuse(request, Errno.EEXIST)]);
  assertFields(assertThrows(() => connection.request(REQUEST)), {
    name: "NetlinkError",
    errno: 17,
    extack: undefined,
  });
});

Deno.test("request() works after an error, also after one that follows replies", () => {
  let refusing = true;
  const { connection } = connect((request) =>
    refusing ? [reply(request, numbers(1)[0]!), refuse(request, Errno.EPERM)] : [ack(request)]
  );
  assertFields(assertThrows(() => connection.request(REQUEST)), { errno: Errno.EPERM });
  refusing = false;
  connection.request(REQUEST);
});

Deno.test("request() accepts an empty extended acknowledgement on success", () => {
  const { connection } = connect((request) => [refuse(request, 0, { extack: "just a warning" })]);
  connection.request(REQUEST);
});

Deno.test("request() and dump() skip NLMSG_NOOP", () => {
  for (const batching of batchings()) {
    const { connection } = connect(
      (request) => [noop(request), ...dump(request, numbers(2)), noop(request)],
      {
        batching,
      },
    );
    assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0, 1]);
    const { connection: other } = connect((request) => [noop(request), noop(request), ack(request)], {
      batching,
    });
    const seen: NetlinkMessage[] = [];
    other.request(REQUEST, (message) => seen.push(message));
    assertEquals(seen, []);
  }
});

Deno.test("request() and dump() skip the rest of earlier exchanges", () => {
  for (const batching of batchings()) {
    const { connection } = connect((request) => [
      reply({ ...request, sequence: request.sequence - 1 }, numbers(1)[0]!),
      ack({ ...request, sequence: request.sequence - 1 }),
      // An error of an earlier request does not fail this one.
      refuse({ ...request, sequence: request.sequence - 3 }, Errno.EPERM),
      ack(request),
    ], { batching });
    for (let i = 0; i < 5; i++) {
      const seen: NetlinkMessage[] = [];
      connection.request(REQUEST, (message) => seen.push(message));
      assertEquals(seen, [], "nothing of another exchange is handed over");
    }
    const { connection: other } = connect((request) => [
      ...dump({ ...request, sequence: request.sequence - 1 }, numbers(3)),
      ...dump(request, numbers(2)),
    ], { batching });
    assertDeepStrictEquals(other.dump(REQUEST, readNumber), [0, 1]);
  }
});

Deno.test("request() refuses an answer to a request that was never made", () => {
  for (const ahead of [1, 2, 1000, 0x7fff_fffe]) {
    const { connection } = connect((request) => [ack({ ...request, sequence: request.sequence + ahead })]);
    const error = assertThrows(() => connection.request(REQUEST), NetlinkProtocolError);
    assertStrictEquals(error.operation, "TEST");
    assertMatch(error.message, new RegExp(`sequence number is ${1 + ahead}, expected 1`));
  }
});

Deno.test("dump() asks for the whole table without an acknowledgement, and decodes each message", () => {
  for (const batching of batchings()) {
    for (const count of [0, 1, 2, 17]) {
      const { connection, transport } = connect((request) => dump(request, numbers(count)), { batching });
      assertDeepStrictEquals(
        connection.dump(REQUEST, readNumber),
        Array.from({ length: count }, (_, i) => i),
      );
      assertStrictEquals(transport.requests[0]!.flags, NLM_F_REQUEST | NLM_F_DUMP);
      assertStrictEquals(transport.requests.length, 1);
      assertStrictEquals(transport.unread, 0);
    }
  }
});

Deno.test("dump() reads 10,000 messages in any division into datagrams", () => {
  const payloads = numbers(10_000);
  for (const batching of batchings()) {
    const { connection } = connect((request) => dump(request, payloads), { batching });
    const items = connection.dump(REQUEST, readNumber);
    assertStrictEquals(items.length, 10_000);
    assert(items.every((item, i) => item === i));
  }
});

Deno.test("dump() repeats while the table changes, and returns the first complete listing", () => {
  for (const batching of batchings()) {
    for (const changes of [1, 2, 7]) {
      let left = changes;
      const { connection, transport } = connect((request) => {
        // The listing differs each time, so that a mixture of two is recognised.
        const messages = dump(request, numbers(3 + left));
        return left-- > 0 ? interrupted(messages) : messages;
      }, { batching });
      assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0, 1, 2]);
      assertStrictEquals(transport.requests.length, changes + 1);
      assertStrictEquals(new Set(transport.requests.map(({ sequence }) => sequence)).size, changes + 1);
    }
  }
});

Deno.test("dump() notices a change that only the last message reports", () => {
  let left = 1;
  const { connection, transport } = connect((request) => {
    const messages = dump(request, numbers(2));
    return left-- > 0 ? [...messages.slice(0, -1), ...interrupted(messages.slice(-1))] : messages;
  });
  assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0, 1]);
  assertStrictEquals(transport.requests.length, 2);
});

Deno.test("dump() gives up after eight attempts and returns the last listing", () => {
  let tries = 0;
  const { connection, transport } = connect((request) => interrupted(dump(request, numbers(++tries))));
  assertStrictEquals(connection.dump(REQUEST, readNumber).length, 8);
  assertStrictEquals(transport.requests.length, 8);
});

Deno.test("dump() throws an error at its start, at its end, and in its middle", () => {
  const kernels: KernelFunction[] = [
    (request) => [refuse(request, Errno.EPERM)],
    (request) => dump(request, numbers(3), { errno: Errno.EPERM }),
    (request) => [...dump(request, numbers(3)).slice(0, -1), refuse(request, Errno.EPERM)],
  ];
  for (const kernel of kernels) {
    for (const batching of batchings()) {
      const { connection } = connect(kernel, { batching });
      assertFields(assertThrows(() => connection.dump(REQUEST, readNumber)), {
        name: "NetlinkError",
        errno: Errno.EPERM,
      });
    }
  }
});

Deno.test("dump() does not repeat an interrupted listing that ends with an error", () => {
  const { connection, transport } = connect((request) =>
    interrupted(dump(request, numbers(1), { errno: Errno.ENOMEM }))
  );
  assertFields(assertThrows(() => connection.dump(REQUEST, readNumber)), { errno: Errno.ENOMEM });
  assertStrictEquals(transport.requests.length, 1);
});

Deno.test("dump() and request(): a message that cannot be decoded leaves the connection usable", () => {
  for (const batching of batchings()) {
    let bad = true;
    const { connection } = connect((request) => {
      const payloads = numbers(6);
      if (bad) payloads[2] = new Uint8Array(1);
      return dump(request, payloads);
    }, { batching });
    assertThrows(() => connection.dump(REQUEST, readNumber), DecodeError);
    bad = false;
    assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0, 1, 2, 3, 4, 5], String(batching));
    assertThrows(() =>
      connection.dump(REQUEST, () => {
        throw new TypeError("reader's own");
      }), TypeError);
    assertStrictEquals(connection.dump(REQUEST, readNumber).length, 6);
  }
});

Deno.test("request(): a datagram without a valid message is a DecodeError, and the next request works", () => {
  const { connection, transport } = connect((request) => [ack(request)]);
  transport.inject(hexBytes("ffffffff 0000"));
  assertThrows(() => connection.request(REQUEST), DecodeError);
  connection.request(REQUEST);
  assertStrictEquals(transport.requests.length, 2);
});

Deno.test("request(): an acknowledgement that is too short is a DecodeError", () => {
  const { connection } = connect((request) => [reply(request, new Uint8Array(8), { type: 2 })]);
  assertFields(assertThrows(() => connection.request(REQUEST)), { name: "DecodeError", field: "nlmsgerr" });
});

Deno.test("request(): an empty datagram is skipped", () => {
  const { connection, transport } = connect(() => []);
  transport.inject(new Uint8Array(0));
  const sequence = 1;
  const payload = new Uint8Array(20);
  transport.inject(encodeMessage({ type: 2, flags: 0x100, sequence, portId: 4711, payload }));
  connection.request(REQUEST);
});

Deno.test("request() and dump() pass on an error of the socket", () => {
  const { connection, transport } = connect(() => []);
  transport.inject(new SyscallError("recvmsg", Errno.ENOBUFS));
  assertFields(assertThrows(() => connection.request(REQUEST)), {
    name: "SyscallError",
    errno: Errno.ENOBUFS,
  });
  transport.inject(new SyscallError("recvmsg", Errno.EBADF));
  assertFields(assertThrows(() => connection.dump(REQUEST, readNumber)), {
    name: "SyscallError",
    errno: Errno.EBADF,
  });
});

Deno.test("dump() ignores messages behind the end of the dump", () => {
  const { connection } = connect((request) => {
    const messages = dump(request, numbers(1));
    return [...messages, { ...messages[0]!, payload: new Uint8Array(0) }];
  }, { batching: "joined" });
  assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0]);
});

Deno.test("dump() of an old kernel, whose last message has no error number", () => {
  const { connection } = connect((request) => [
    ...dump(request, numbers(2)).slice(0, -1),
    reply(request, new Uint8Array(0), { type: NLMSG_DONE, flags: NLM_F_MULTI }),
  ]);
  assertDeepStrictEquals(connection.dump(REQUEST, readNumber), [0, 1]);
});

Deno.test("NetlinkConnection closes its transport", () => {
  const { connection, transport } = connect((request) => [ack(request)]);
  connection[Symbol.dispose]();
  assertStrictEquals(transport.disposals, 1);
});
