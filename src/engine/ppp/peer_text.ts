/**
 * Texts that come from the peer.
 *
 * @module
 */

const MAX_TEXT_BYTES = 256;

/** Shared: a decoder keeps no state between texts. */
let decoder: TextDecoder | undefined;

/** The text of bytes in UTF-8, as it is; what is no UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  decoder ??= new TextDecoder();
  return decoder.decode(bytes);
}

/** At most 256 bytes of a text to be shown: control characters, which could speak to a terminal, become U+FFFD. */
export function peerText(bytes: Uint8Array): string {
  return decodeText(bytes.subarray(0, MAX_TEXT_BYTES)).replace(/\p{Cc}/gu, "\ufffd");
}
