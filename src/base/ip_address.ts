/**
 * Converts IPv4 and IPv6 addresses between text and bytes in network byte order, like glibc's `inet_pton` and
 * `inet_ntop`: RFC 4291 section 2.2 and RFC 5952. A single zero group is not shortened to `::`.
 *
 * @module
 */

/** Parses a dotted quad (`"10.0.0.1"`) into four bytes. Returns `undefined` for octal or missing parts. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const value = Number(parts[i]);
    // Only plain decimal survives the round trip through Number.
    if (!(value >= 0 && value <= 255) || String(value) !== parts[i]) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

/** Parses an IPv6 address without scope into sixteen bytes. Returns `undefined` for any other text. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  let head = text;
  let embedded: Uint8Array | undefined;
  if (text.includes(".")) {
    const colon = text.lastIndexOf(":");
    embedded = parseIpv4(text.slice(colon + 1));
    if (colon < 0 || embedded === undefined) return undefined;
    // Two groups replace the dotted quad while the groups are counted.
    head = text.slice(0, colon + 1) + "0:0";
  }
  const halves = head.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const before = groups[0]!;
  const after = groups[1] ?? [];
  const given = before.length + after.length;
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined;
  const all = [...before, ...new Array<string>(8 - given).fill("0"), ...after];
  const bytes = new Uint8Array(16);
  for (const [i, group] of all.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  }
  if (embedded !== undefined) bytes.set(embedded, 12);
  return bytes;
}

/** Parses an address of either family, without scope, into 4 or 16 bytes. Returns `undefined` for any other text. */
export function parseIpAddress(text: string): Uint8Array<ArrayBuffer> | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Formats an address of 4 or 16 bytes as `inet_ntop` does. Returns `"?"` for any other length. */
export function formatIpAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "?";
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  const run = longestZeroRun(groups);
  const mapped = run.start === 0 && (run.length === 6 || (run.length === 5 && groups[5] === 0xffff));
  const words = groups.map((group) => group.toString(16));
  if (mapped) words.splice(6, 2, bytes.subarray(12).join("."));
  if (run.length < 2) return words.join(":");
  return `${words.slice(0, run.start).join(":")}::${words.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Reports whether an address is IPv6 link-local (`fe80::/10`, RFC 4291 section 2.5.6), which needs a scope. */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

/** {@link isLinkLocal} of an address in text, without its scope. */
export function isLinkLocalText(text: string): boolean {
  const bytes = parseIpAddress(text);
  return bytes !== undefined && isLinkLocal(bytes);
}

/** Returns the link-local address of an interface identifier of 8 bytes (RFC 4291 section 2.5.6, RFC 5072). */
export function linkLocalAddress(identifier: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  bytes.set([0xfe, 0x80]);
  bytes.set(identifier, 8);
  return bytes;
}
