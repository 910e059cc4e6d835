/**
 * A subsystem with a fake platform, and a caller that uses the model's types.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Session } from "../../src/model/session.ts";
import type { SessionParameters } from "../../src/model/session.ts";
import type { Tunnel, TunnelParameters } from "../../src/model/tunnel.ts";
import { type Answer, type Caller, Subsystem, type SubsystemOptions } from "../../src/subsystem/subsystem.ts";
import { decodeGenl } from "../../src/wire/genl/header.ts";
import { L2TP_ATTR, L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import {
  decodeSession,
  encodeSessionCommand,
  encodeSessionCreate,
} from "../../src/wire/genl/l2tp/session.ts";
import { decodeTunnel, encodeTunnelCommand, encodeTunnelCreate } from "../../src/wire/genl/l2tp/tunnel.ts";
import { beginGenl } from "../../src/wire/genl/header.ts";
import type { AttributeWriter } from "../../src/wire/netlink/attribute.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "../../src/wire/netlink/constants.ts";
import {
  type Acknowledgement,
  decodeDone,
  decodeError,
  decodeMessages,
  type NetlinkMessage,
} from "../../src/wire/netlink/message.ts";
import { FakePlatform } from "./fake_platform.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** A usual tunnel over UDP. */
export const UDP_TUNNEL: TunnelParameters = {
  tunnelId: 3000,
  peerTunnelId: 4000,
  encap: "udp",
  local: "10.0.0.1",
  peer: "10.0.0.2",
  localPort: 5000,
  peerPort: 6000,
};

/** A usual session in it. */
export const SESSION: SessionParameters = {
  tunnelId: 3000,
  sessionId: 1000,
  peerSessionId: 2000,
};

/** Port id of the caller's socket. */
export const PORT_ID = 0x2a8;

/** An answer, read. */
export interface Heard {
  /** The answer itself. */
  readonly answer: Answer;
  /** Messages before the acknowledgement. */
  readonly messages: readonly NetlinkMessage[];
  /** The acknowledgement; `undefined` if there was none. */
  readonly ack: Acknowledgement | undefined;
}

/** A subsystem and its caller. */
export class SubsystemFixture {
  readonly platform: FakePlatform = new FakePlatform();
  readonly subsystem: Subsystem;
  /** Who calls. */
  caller: Caller = {
    netns: "a",
    portId: PORT_ID,
    privileged: true,
    takeFd: (fd) => fd < 100 ? fd : undefined,
  };
  #sequence = 0;

  constructor(options?: SubsystemOptions) {
    this.subsystem = new Subsystem(this.platform, options);
  }

  /** A request's message. */
  message(payload: Uint8Array, flags = NLM_F_REQUEST | NLM_F_ACK): NetlinkMessage {
    return { type: USERSPACE_L2TP_FAMILY_ID, flags, sequence: ++this.#sequence, portId: 0, payload };
  }

  /** Sends a message and reads what is answered. */
  send(message: NetlinkMessage): Heard {
    const answer = this.subsystem.request(message, this.caller);
    const messages = answer.replies.flatMap((reply) => decodeMessages(reply));
    for (const reply of messages) {
      assertDeepStrictEquals([reply.sequence, reply.portId], [message.sequence, this.caller.portId]);
    }
    const last = messages.at(-1);
    if (last?.type !== NLMSG_ERROR) return { answer, messages, ack: undefined };
    return { answer, messages: messages.slice(0, -1), ack: decodeError(last) };
  }

  /** Sends a payload as a request that asks for an acknowledgement. */
  ask(payload: Uint8Array): Heard {
    return this.send(this.message(payload));
  }

  /** Sends a command with any attributes. */
  command(command: number, write: (attributes: AttributeWriter) => unknown = () => {}): Heard {
    const out = beginGenl(command, 1);
    write(out);
    return this.ask(out.written);
  }

  /** The error number a command with any attributes is answered with. */
  errno(command: number, write?: (attributes: AttributeWriter) => unknown): number | undefined {
    return this.command(command, write).ack?.errno;
  }

  /** Sends a payload that must succeed. */
  succeed(payload: Uint8Array): Heard {
    const heard = this.ask(payload);
    assertDeepStrictEquals(heard.ack, { errno: 0, extack: undefined, attributeOffset: undefined });
    return heard;
  }

  /** Creates a tunnel. */
  addTunnel(changes: Partial<TunnelParameters> = {}): Heard {
    return this.succeed(encodeTunnelCreate({ ...UDP_TUNNEL, ...changes }));
  }

  /** Creates a session. */
  addSession(changes: Partial<SessionParameters> = {}): Heard {
    return this.succeed(encodeSessionCreate({ ...SESSION, ...changes }));
  }

  /** The tunnel as the subsystem tells it. */
  tunnel(tunnelId: number): Tunnel {
    const { messages } = this.succeed(encodeTunnelCommand(L2TP_CMD.TUNNEL_GET, tunnelId));
    return decodeTunnel(decodeGenl(messages[0]!.payload).attributes);
  }

  /** The session as the subsystem tells it. */
  session(tunnelId: number, sessionId: number): Session {
    const key = { tunnelId, sessionId };
    const { messages } = this.succeed(encodeSessionCommand(L2TP_CMD.SESSION_GET, key));
    return decodeSession(decodeGenl(messages[0]!.payload).attributes);
  }

  /** Starts a dump. */
  startDump(command: number): Iterator<Uint8Array, void, void> {
    const message = this.message(beginGenl(command, 1).written, NLM_F_REQUEST | NLM_F_DUMP);
    const { replies, dump } = this.subsystem.request(message, this.caller);
    assertEquals(replies, []);
    assert(dump !== undefined);
    return dump;
  }

  /** "tunnel" or "tunnel/session" of everything in a dump. */
  list(command: typeof L2TP_CMD.TUNNEL_GET | typeof L2TP_CMD.SESSION_GET): string[] {
    return readDump(this.startDump(command));
  }

  /** Asserts that platform, tables and journal agree. */
  assertConsistent(): void {
    const records = [...this.subsystem.records()];
    const tunnels = records.filter((record) => record.kind === "tunnel");
    const sessions = records.filter((record) => record.kind === "session");
    assertStrictEquals(this.subsystem.tunnelCount, tunnels.length);
    assertStrictEquals(this.subsystem.sessionCount, sessions.length);
    assertStrictEquals(this.platform.sockets.size, tunnels.length, "sockets");
    assertStrictEquals(this.platform.paths.size, sessions.length, "paths");
    const devices = sessions.filter((session) => session.interfaceName !== undefined)
      .map((session) => `${session.netns}/${session.interfaceName}`).sort();
    assertEquals([...this.platform.devices.keys()].sort(), devices);
    assertEquals(
      [...this.subsystem.namespaces].sort(),
      [...new Set(tunnels.map((tunnel) => tunnel.netns))].sort(),
    );
  }
}

/** Reads the rest of a dump: "tunnel" or "tunnel/session" of everything, which must end well. */
export function readDump(dump: Iterator<Uint8Array, void, void>): string[] {
  const ids: string[] = [];
  let ended = false;
  for (let step = dump.next(); step.done !== true; step = dump.next()) {
    for (const message of decodeMessages(step.value)) {
      assertStrictEquals(ended, false, "nothing follows the end");
      assertStrictEquals(message.flags, 2);
      if (message.type === NLMSG_DONE) {
        ended = true;
        assertStrictEquals(decodeDone(message).errno, 0);
      } else ids.push(idOf(message));
    }
  }
  assertStrictEquals(ended, true, "the dump ends");
  return ids;
}

/** "tunnel" or "tunnel/session" of a message. */
export function idOf({ payload }: NetlinkMessage): string {
  const { attributes } = decodeGenl(payload);
  let tunnelId = 0;
  let sessionId: number | undefined;
  while (attributes.next()) {
    if (attributes.type === L2TP_ATTR.CONN_ID) tunnelId = attributes.u32();
    else if (attributes.type === L2TP_ATTR.SESSION_ID) sessionId = attributes.u32();
  }
  return sessionId === undefined ? String(tunnelId) : `${tunnelId}/${sessionId}`;
}
