/**
 * Offloads of the userspace data path.
 *
 * @module
 */

/** Offloads that change nothing but speed; they are on by default. */
export const SPEED_OFFLOADS = [
  /** Devices pass frames with a `virtio_net_hdr` (`IFF_VNET_HDR`); the data path computes checksums. */
  "tap",
  /** Devices pass TCP super-segments (`TUN_F_TSO4`, `TUN_F_TSO6`). */
  "tso",
  /** Devices pass and accept several UDP datagrams of one size as one frame (`TUN_F_USO4`, `TUN_F_USO6`). */
  "uso",
  /** Sockets send many datagrams with one message (`UDP_SEGMENT`). */
  "gso",
  /** Sockets receive many datagrams with one message (`UDP_GRO`). */
  "gro",
  /** Received frames are coalesced before they are written to a device. */
  "coalesce",
  /** Checksums are computed with the vector instructions of WebAssembly. */
  "simd",
] as const;

/** All offloads. */
export const OFFLOADS = [
  ...SPEED_OFFLOADS,
  /**
   * BPF programs forward sessions without sequence numbers in the kernel. Packet filters do not see those
   * packets.
   */
  "bpf",
] as const;

/** An offload. */
export type Offload = typeof OFFLOADS[number];

/** For each offload, whether it is on. */
export type Offloads = Readonly<Record<Offload, boolean>>;

/** The default: {@link SPEED_OFFLOADS} are on. */
export const DEFAULT_OFFLOADS: Offloads = offloadsOf(new Set(SPEED_OFFLOADS));

function offloadsOf(on: ReadonlySet<Offload>): Offloads {
  return Object.fromEntries(OFFLOADS.map((offload) => [offload, on.has(offload)])) as Record<
    Offload,
    boolean
  >;
}

/**
 * Reads a list such as `bpf`, `none`, `no-gro,no-uso` or `none,tap,tso`. The words are separated by commas,
 * and each changes the result of those before it, starting from {@link DEFAULT_OFFLOADS}; `all` stands for
 * {@link DEFAULT_OFFLOADS}.
 *
 * @returns the offloads, or the first unknown word
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
