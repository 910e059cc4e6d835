/**
 * What the userspace data path leaves to the system to do.
 *
 * @module
 */

/** The offloads that change nothing but how fast it goes: each is on unless somebody turns it off. */
export const SPEED_OFFLOADS = [
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

/** All offloads. */
export const OFFLOADS = [
  ...SPEED_OFFLOADS,
  /** BPF programs carry sessions that need no more than headers; packet filters do not see those packets. */
  "bpf",
] as const;

/** An offload. */
export type Offload = typeof OFFLOADS[number];

/** Which offloads are on. */
export type Offloads = Readonly<Record<Offload, boolean>>;

/** What is on unless somebody says otherwise: {@link SPEED_OFFLOADS}. */
export const DEFAULT_OFFLOADS: Offloads = offloadsOf(new Set(SPEED_OFFLOADS));

function offloadsOf(on: ReadonlySet<Offload>): Offloads {
  return Object.fromEntries(OFFLOADS.map((offload) => [offload, on.has(offload)])) as Record<
    Offload,
    boolean
  >;
}

/**
 * Reads a list such as `bpf`, `none`, `no-gro,no-uso` or `none,tap,tso`: words with commas between them, each of which
 * changes what those before it said; `all` is what is on at first, {@link DEFAULT_OFFLOADS}.
 *
 * @returns the word that is none, if there is one
 */
export function parseOffloads(text: string): Offloads | string {
  let on = new Set<Offload>(SPEED_OFFLOADS);
  for (const word of text.split(",").map((part) => part.trim())) {
    const isOff = word.startsWith("no-");
    const offload = OFFLOADS.find((each) => each === (isOff ? word.slice(3) : word));
    if (word === "all") on = new Set(SPEED_OFFLOADS);
    else if (word === "none") on = new Set();
    else if (offload === undefined) return word;
    else if (isOff) on.delete(offload);
    else on.add(offload);
  }
  return offloadsOf(on);
}
