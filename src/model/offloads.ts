/**
 * What the userspace data path leaves to the system to do for many packets at once.
 *
 * @module
 */

/** The offloads, each of which can be turned off. */
export const OFFLOADS = [
  /** Devices say what is still to be done to a frame (`IFF_VNET_HDR`); checksums are left to us. */
  "tap",
  /** Devices hand over TCP segments uncut (`TUN_F_TSO4`, `TUN_F_TSO6`). */
  "tso",
  /** Devices hand over UDP datagrams of equal size uncut, and take them so (`TUN_F_USO4`, `TUN_F_USO6`). */
  "uso",
  /** Sockets take many datagrams as one message (`UDP_SEGMENT`). */
  "gso",
  /** Sockets give many datagrams as one message (`UDP_GRO`). */
  "gro",
  /** Received frames are joined before a device gets them. */
  "coalesce",
  /** Checksums are computed by WebAssembly with vectors. */
  "simd",
] as const;

/** An offload. */
export type Offload = typeof OFFLOADS[number];

/** Which offloads are on. */
export type Offloads = Readonly<Record<Offload, boolean>>;

/** All of them. */
export const ALL_OFFLOADS: Offloads = offloadsOf(() => true);

/** Those that the function says. */
function offloadsOf(isOn: (offload: Offload) => boolean): Offloads {
  return Object.fromEntries(OFFLOADS.map((offload) => [offload, isOn(offload)])) as Record<Offload, boolean>;
}

/**
 * Reads a list such as `all`, `none`, `no-gro,no-uso` or `none,tap,tso`: words with commas between them, each of which
 * changes what those before it said; all are on at first.
 *
 * @returns the word that is none, if there is one
 */
export function parseOffloads(text: string): Offloads | string {
  let on = new Set<Offload>(OFFLOADS);
  for (const word of text.split(",").map((part) => part.trim())) {
    const isOff = word.startsWith("no-");
    const offload = OFFLOADS.find((each) => each === (isOff ? word.slice(3) : word));
    if (word === "all") on = new Set(OFFLOADS);
    else if (word === "none") on = new Set();
    else if (offload === undefined) return word;
    else if (isOff) on.delete(offload);
    else on.add(offload);
  }
  return offloadsOf((offload) => on.has(offload));
}
