/**
 * Decodes texts received from the peer.
 *
 * @module
 */

const MAX_TEXT_BYTES = 256;

/** Shared by all links: a decoder keeps no state between texts. */
let decoder: TextDecoder | undefined;

/** Decodes UTF-8 without removing anything; invalid sequences become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  decoder ??= new TextDecoder();
  return decoder.decode(bytes);
}

/** Decodes at most 256 bytes for display. Control characters, which a terminal would interpret, become U+FFFD. */
export function peerText(bytes: Uint8Array): string {
  return decodeText(bytes.subarray(0, MAX_TEXT_BYTES)).replace(/\p{Cc}/gu, "\ufffd");
}
