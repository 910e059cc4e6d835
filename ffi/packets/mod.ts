/**
 * Packets in batches between descriptors and one piece of memory. A {@link PacketArena} is that memory, cut into slots;
 * a {@link ReceiveVector} takes datagrams from a socket into slots, a {@link SendVector} sends any parts of the memory, a
 * {@link FrameWriter} writes them to a device. Nothing is allocated per packet, and no call blocks, whatever the
 * descriptor's mode.
 *
 * A result of -1 is the errno's story (`lastErrno`), but the safe reading of it is "go back to waiting": EAGAIN is by
 * far the most frequent, and a socket's pending error is consumed by the call that it fails.
 *
 * @module
 */

export { FrameWriter } from "./frame_writer.ts";
export { NAME_STRIDE } from "../sockets/message_header.ts";
export { PacketArena, type PacketArenaOptions } from "./packet_arena.ts";
export { ReceiveVector, type ReceiveVectorOptions } from "./receive_vector.ts";
export { type PacketSource, Remote, SendVector, type SendVectorOptions } from "./send_vector.ts";
