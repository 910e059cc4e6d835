/**
 * Converts between bytes and hexadecimal text.
 *
 * @module
 */

/** The two digits of each byte value, filled on first use. */
const PAIRS: string[] = [];

/** Formats bytes as lower-case hex digits without separators. */
export function formatHex(bytes: Uint8Array): string {
  for (let byte = PAIRS.length; byte < 256; byte++) PAIRS.push(byte.toString(16).padStart(2, "0"));
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i]!];
  return text;
}

/** Parses an even number of hex digits of either case. Returns `undefined` for any other text. */
export function parseHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
