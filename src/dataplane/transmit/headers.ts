/**
 * Header templates: built once per session, copied in front of every frame.
 *
 * @module
 */

import { PPP_ALLSTATIONS, PPP_UI, SUBLAYER_BYTES } from "../../wire/l2tp/constants.ts";
import { encodeV2DataHeader } from "../../wire/l2tp/data_header_v2.ts";
import { encodeV3DataHeader, type V3DataShape } from "../../wire/l2tp/data_header_v3.ts";
import type { SessionSpec } from "../sessions/session.ts";
import type { DataTunnel } from "../sessions/tunnel.ts";

/**
 * The header of a session's packets, except for the sequence number. Plain arrays, because there may be a million
 * templates: a typed array would take several times the memory of the few bytes in it.
 */
export interface HeaderTemplate {
  /** Length of the header in bytes. */
  readonly length: number;
  /** The header as integers for `DataView.setInt32` in network order; empty unless the length is a multiple of 4. */
  readonly words: readonly number[];
  /** The header as bytes; empty if the length is a multiple of 4. */
  readonly bytes: readonly number[];
}

/** The headers of one kind of frame. */
export interface Headers {
  /** Header of packets without a sequence number. */
  readonly plain: HeaderTemplate;
  /** Header of packets with a sequence number. */
  readonly sequenced: HeaderTemplate;
  /** Offset of the sequence number in the sequenced header, in bytes. */
  readonly sequenceOffset: number;
}

/** Offset of Ns in a version 2 header without the Length field. */
const V2_NS_OFFSET = 6;
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

/**
 * Address and Control fields, which begin a PPP frame unless both ends negotiated their omission (RFC 1662 section
 * 3.1).
 */
const ADDRESS_AND_CONTROL: readonly number[] = [PPP_ALLSTATIONS, PPP_UI];

/** Builds a template. Its arrays are copies, since an array that grew by `push` has spare capacity. */
export function template(bytes: readonly number[]): HeaderTemplate {
  if (bytes.length % 4 !== 0) return { length: bytes.length, words: NOTHING, bytes: bytes.slice() };
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 4) {
    words.push((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!);
  }
  return { length: bytes.length, words: words.slice(), bytes: NOTHING };
}

/** Headers of a session's frames. PPP frames begin at their Protocol field. `shape` is used in version 3 only. */
export function sessionHeaders(
  tunnel: DataTunnel,
  spec: SessionSpec,
  shape: V3DataShape,
): Headers {
  const ppp = spec.pseudowire === "ppp" ? ADDRESS_AND_CONTROL : [];
  if (tunnel.version === 2) {
    const header = { tunnelId: tunnel.peerTunnelId, sessionId: spec.peerSessionId, priority: false };
    return {
      plain: template([...encodeV2DataHeader(header), ...ppp]),
      sequenced: template([...encodeV2DataHeader({ ...header, ns: 0, nr: 0 }), ...ppp]),
      sequenceOffset: V2_NS_OFFSET,
    };
  }
  const header = encodeV3DataHeader(shape, {
    sessionId: spec.peerSessionId,
    cookie: spec.cookie ?? NO_BYTES,
  });
  // The sequence number fills the whole word of the sublayer, so one template serves both cases.
  const both = template([...header, ...ppp]);
  return { plain: both, sequenced: both, sequenceOffset: header.length - SUBLAYER_BYTES };
}

/**
 * Headers of a PPP session's packets of one protocol.
 *
 * @param headers Headers of the session's frames that begin at their Protocol field
 * @param protocol Protocol number below 0x100
 * @param acfc Omit the Address and Control fields
 * @param pfc Compress the Protocol field to one byte
 */
export function pppHeaders(headers: Headers, protocol: number, acfc: boolean, pfc: boolean): Headers {
  const ending = [...(acfc ? [] : ADDRESS_AND_CONTROL), ...(pfc ? [] : [0]), protocol];
  const changed = (from: HeaderTemplate): HeaderTemplate =>
    template([...bytesOf(from).slice(0, -ADDRESS_AND_CONTROL.length), ...ending]);
  const { plain, sequenced, sequenceOffset } = headers;
  const changedPlain = changed(plain);
  return {
    plain: changedPlain,
    sequenced: sequenced === plain ? changedPlain : changed(sequenced),
    sequenceOffset,
  };
}

function bytesOf({ words, bytes }: HeaderTemplate): readonly number[] {
  return words.length === 0
    ? bytes
    : words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
}
