/**
 * Batched I/O of packets between descriptors and one memory. A {@link PacketArena} is that memory, divided into
 * slots. A {@link ReceiveVector} receives datagrams from a socket into slots, a {@link SendVector} sends any parts of
 * the memory, a {@link FrameWriter} writes them to a device. Nothing is allocated per packet, and no call blocks,
 * whatever the descriptor's mode.
 *
 * After a result of -1, `lastErrno` has the reason. Callers should go back to waiting in any case: EAGAIN is by far
 * the most frequent, and a socket's pending error is cleared by the call that reports it.
 *
 * @module
 */

export { FrameWriter } from "./frame_writer.ts";
export { NAME_STRIDE } from "../sockets/message_header.ts";
export { PacketArena, type PacketArenaOptions } from "./packet_arena.ts";
export { ReceiveVector, type ReceiveVectorOptions } from "./receive_vector.ts";
export { type PacketSource, Remote, SendVector, type SendVectorOptions } from "./send_vector.ts";
