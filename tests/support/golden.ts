/**
 * Captured bytes and texts under `tests/golden/`. A hex file is broken at field boundaries; what stands behind `#` is
 * a comment, and the first line names the tool and the kernel that the bytes come from.
 *
 * @module
 */

import { decodeMessages, type NetlinkMessage } from "../../src/wire/netlink/message.ts";

const FOLDER = new URL("../golden/", import.meta.url);

/** The text of a file, by its path within `tests/golden/`. */
export function goldenText(path: string): string {
  return Deno.readTextFileSync(new URL(path, FOLDER));
}

/** The bytes that hex text with comments stands for. */
export function hexBytes(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/\s+/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) {
    throw new SyntaxError(`Cannot read hex text: ${JSON.stringify(digits)}`);
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A captured datagram: `goldenBytes("l2tp/tunnel_dump_reply")`. */
export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return hexBytes(goldenText(`${name}.hex`));
}

/** The messages of a captured datagram. */
export function goldenMessages(name: string): NetlinkMessage[] {
  return decodeMessages(goldenBytes(name));
}

/** The payload of a captured datagram's only message. */
export function goldenPayload(name: string): Uint8Array {
  const messages = goldenMessages(name);
  if (messages.length !== 1) throw new RangeError(`Golden file ${name} has ${messages.length} messages`);
  return messages[0]!.payload;
}

/** Names of all captured datagrams. */
export function goldenNames(): string[] {
  const names: string[] = [];
  for (const folder of Deno.readDirSync(FOLDER)) {
    for (const file of Deno.readDirSync(new URL(`${folder.name}/`, FOLDER))) {
      if (file.name.endsWith(".hex")) names.push(`${folder.name}/${file.name.slice(0, -".hex".length)}`);
    }
  }
  return names.sort();
}
