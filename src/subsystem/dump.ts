/**
 * Dumps: messages made one after another as they are asked for, so that a dump of any length needs the memory of one
 * datagram. Pure.
 *
 * @module
 */

import { SyscallError } from "../base/errors.ts";
import { encodeDone } from "../wire/netlink/answer.ts";
import { NLM_F_MULTI } from "../wire/netlink/constants.ts";
import { encodeMessage } from "../wire/netlink/message.ts";
import type { ReplyHeader } from "./work.ts";

/** Most bytes of a datagram of several messages: what receivers of netlink messages have room for. */
export const DUMP_DATAGRAM_MAX = 32 * 1024;

/**
 * A datagram with less room than this is full: no message of ours is as long. So none is made before there is a
 * datagram for it, and what is told was true when its datagram was asked for.
 */
const MESSAGE_ROOM = 1024;

/**
 * Packs a message for each payload into datagrams, the last of which is the end of the dump alone, as the kernel sends
 * it. If a payload cannot be made, the end tells the error number.
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
