/**
 * The userspace data path: the rules of the kernel's `l2tp_core`, applied to batches of packets.
 *
 * ```ts ignore
 * const path = new DataPath({ seed });
 * const endpoint = new Endpoint("udp4", view());
 * const tunnel = path.addTunnel({ tunnelId: 1, peerTunnelId: 2, version: 3, endpoint, peer, counters: view() });
 * path.addSession(tunnel, { sessionId: 1, peerSessionId: 2, pseudowire: "eth", consumer: tap, counters: view() });
 * const out = {
 *   frames: new FrameVector(256, writeFrames),
 *   control: new ControlVector(64, passOn),
 *   ppp: new FrameVector(64, passToPpp),
 * };
 * // On each wake-up, fill the batch by recvmmsg, then:
 * path.receive(endpoint, batch, now, out);
 * out.frames.flush();
 * out.control.flush();
 * out.ppp.flush();
 * ```
 *
 * @module
 */

export { DROP_REASONS, type DropReason } from "./drop_reasons.ts";
export { type CoalesceOptions, Coalescer } from "./offload/coalescer.ts";
export {
  COUNTERS_BYTES,
  COUNTERS_LENGTH,
  DROP,
  LIVE_LAST_RECEIVED,
  type LiveState,
  readCounters,
  readDrops,
  readLiveState,
} from "./counters.ts";
export { DataPath, type DataPathOptions, DEFAULT_REORDER_LIMITS } from "./data_path.ts";
export { Endpoint, type EndpointKind } from "./sessions/endpoint.ts";
export { type Checksummer, PlainChecksum } from "./checksum/internet_checksum.ts";
export { type CoalescedFrame, MAX_COALESCED } from "./offload/coalesced_frame.ts";
export { PacketBatch, type PacketBatchOptions, type PacketMemory } from "./buffers/packet_batch.ts";
export { type GsoLimits, LONGEST_SEGMENT, PacketVector } from "./buffers/packet_vector.ts";
export type { ReorderLimits } from "./receive/reorder_store.ts";
export { copyPppFrame } from "./receive/ppp_frame.ts";
export { type PppAgreement, type PppChanges, type PppFraming, UNNEGOTIATED } from "./sessions/ppp_framing.ts";
export type { DataSession, DataSessionChanges, SessionSpec } from "./sessions/session.ts";
export type { PacketTraceEvent, TraceSink } from "./trace.ts";
export type { DataTunnel, PeerAddress, TunnelSpec } from "./sessions/tunnel.ts";
export { openWasmChecksum } from "./checksum/wasm_checksum.ts";
export { ControlVector, FrameVector, type ReceiveOutput } from "./buffers/vectors.ts";
