/**
 * Hashes a session id and the source of a packet to a key for a `SessionTable`.
 *
 * The hash is the sum of products of UMAC's NH (RFC 4418 section 5.2.2) with words of 16 bits. Its keys come from a
 * seed: for any two sources chosen without knowledge of the keys, about one seed in 65,536 makes the sums equal.
 * Plain mixers have collisions that hold for every seed, and a peer may have 2^64 addresses to choose from.
 *
 * @module
 */

/** Words that a key may depend on: session id, family and port, an IPv6 address, its scope id. */
const WORDS = 7;

/** A permutation of the 32-bit integers in which every bit depends on all bits (the finalizer of MurmurHash3). */
function scramble(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** The hash of one data path. */
export class SourceHash {
  readonly #keys: Int32Array = new Int32Array(WORDS);

  /** `seed` must not be known to peers. */
  constructor(seed: number) {
    for (let i = 0; i < WORDS; i++) this.#keys[i] = scramble(seed + Math.imul(i + 1, 0x9e3779b9));
  }

  /**
   * Computes the key from the part of a source that a tunnel of that strictness compares: nothing; address and scope
   * id; address, scope id and port. The source is the socket address at `names[word]` (see `PacketBatch.names`),
   * except for the scope id.
   */
  key(
    sessionId: number,
    strictness: 0 | 1 | 2,
    isIpv6: boolean,
    names: Int32Array,
    word: number,
    scopeId: number,
  ): number {
    let sum = this.#product(0, sessionId);
    if (strictness === 2) sum = (sum + this.#product(1, names[word]!)) | 0;
    if (strictness > 0) {
      if (!isIpv6) sum = (sum + this.#product(2, names[word + 1]!)) | 0;
      else {
        for (let i = 2; i < 6; i++) sum = (sum + this.#product(i, names[word + i]!)) | 0;
        sum = (sum + this.#product(6, scopeId)) | 0;
      }
    }
    // The sums of neighbouring sources are evenly spaced, which a table with linear probing handles badly.
    return scramble(sum);
  }

  #product(place: number, value: number): number {
    const key = this.#keys[place]!;
    return Math.imul((value + key) & 0xffff, ((value >>> 16) + (key >>> 16)) & 0xffff);
  }
}
