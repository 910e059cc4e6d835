/**
 * A subsystem without tunnels, in this process: commands that read or delete use it where no daemon runs.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import type { NetlinkTransport } from "../../driver/netlink/ports.ts";
import { encodeFamily, GENL_ID_CTRL } from "../../wire/genl/ctrl.ts";
import { L2TP_CMD, L2TP_GENL_NAME } from "../../wire/genl/l2tp/constants.ts";
import { USERSPACE_L2TP_FAMILY_ID } from "../../wire/l2tpd/constants.ts";
import { encodeAcknowledgement, encodeDone } from "../../wire/netlink/answer.ts";
import { NLM_F_DUMP } from "../../wire/netlink/constants.ts";
import { decodeMessages, encodeMessage, type NetlinkMessage } from "../../wire/netlink/message.ts";
import { resolveFamily } from "../genl_family.ts";
import { L2tpClient } from "../l2tp_client.ts";

/** A client of a subsystem in userspace that has no tunnels, behind which no daemon runs. */
export function emptyL2tpClient(): L2tpClient {
  const connection = new NetlinkConnection(new EmptySubsystem());
  return new L2tpClient(connection, resolveFamily(connection, L2TP_GENL_NAME), { dataplane: "user" });
}

/** Answers requests as a subsystem does that has no tunnels. */
export class EmptySubsystem implements NetlinkTransport {
  readonly #answers: Uint8Array[] = [];

  send(datagram: Uint8Array<ArrayBuffer>): void {
    for (const message of decodeMessages(datagram)) this.#answers.push(...answersTo(message));
  }

  /** @throws {ReferenceError} if nothing was asked */
  receive(): Uint8Array {
    const answer = this.#answers.shift();
    if (answer === undefined) throw new ReferenceError("Cannot receive: nothing was asked");
    return answer;
  }

  [Symbol.dispose](): void {
    this.#answers.length = 0;
  }
}

function answersTo(request: NetlinkMessage): Uint8Array[] {
  const { type, sequence } = request;
  const end = (errno: number): Uint8Array =>
    encodeAcknowledgement(request, 0, { errno, extack: undefined, attributeOffset: undefined });
  if (type === GENL_ID_CTRL) {
    const payload = encodeFamily({ name: L2TP_GENL_NAME, id: USERSPACE_L2TP_FAMILY_ID, groups: new Map() });
    return [encodeMessage({ type, flags: 0, sequence, portId: 0, payload }), end(0)];
  }
  if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP) return [encodeDone(sequence, 0, 0)];
  return [end(type === USERSPACE_L2TP_FAMILY_ID && request.payload[0] === L2TP_CMD.NOOP ? 0 : Errno.ENODEV)];
}
