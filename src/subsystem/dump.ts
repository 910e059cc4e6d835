/**
 * Dumps: messages are encoded when they are asked for, so a dump of any length needs the memory of one
 * datagram.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { encodeDone } from "../wire/netlink/answer.ts";
import { NLM_F_MULTI } from "../wire/netlink/constants.ts";
import { encodeMessage } from "../wire/netlink/message.ts";
import type { ReplyHeader } from "./effects.ts";

/**
 * Longest datagram of several messages, in bytes: receivers of netlink messages have buffers of this size.
 */
export const DUMP_DATAGRAM_MAX = 32 * 1024;

/**
 * A datagram with less room than this, in bytes, is full: every message of the family is shorter. So no
 * message is encoded before the datagram that carries it is asked for.
 */
const MESSAGE_ROOM = 1024;

/**
 * Packs a message for each payload into datagrams. The last datagram is NLMSG_DONE alone, as from the kernel.
 * If the iterator of payloads throws `SyscallError`, NLMSG_DONE carries its error number.
 */
export function* dumpDatagrams(
  header: ReplyHeader,
  payloads: Iterable<Uint8Array>,
): Generator<Uint8Array, void, void> {
  let errno = 0;
  let batch: Uint8Array[] = [];
  let length = 0;
  try {
    for (const payload of payloads) {
      const message = encodeMessage({ ...header, flags: NLM_F_MULTI, payload });
      batch.push(message);
      length += message.length;
      if (length + MESSAGE_ROOM > DUMP_DATAGRAM_MAX) {
        yield join(batch, length);
        batch = [];
        length = 0;
      }
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    errno = error.errno;
  }
  if (batch.length > 0) yield join(batch, length);
  yield encodeDone(header.sequence, header.portId, errno);
}

function join(messages: readonly Uint8Array[], length: number): Uint8Array {
  const datagram = new Uint8Array(length);
  let at = 0;
  for (const message of messages) {
    datagram.set(message, at);
    at += message.length;
  }
  return datagram;
}
