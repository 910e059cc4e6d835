/**
 * What a session id and the source of a packet are hashed to: a key for a `SessionTable`.
 *
 * The sum of products of the UMAC's NH (RFC 4418, section 5.2.2) with words of 16 bits, whose keys come from a seed: of
 * any two sources that somebody chooses without the keys, about one seed in 65,536 makes the sums equal. Plain mixers
 * have collisions that hold for each seed, and a peer may have 2^64 addresses to choose from.
 *
 * @module
 */

/** Words that a key may depend on: session id, family and port, an IPv6 address, its scope. */
const WORDS = 7;

/** A permutation of the 32-bit integers in which each bit depends on all (the end of MurmurHash3). */
function scramble(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** The hash of one data path. */
export class SourceHash {
  readonly #keys: Int32Array = new Int32Array(WORDS);

  /** Outsiders must not know the seed. */
  constructor(seed: number) {
    for (let i = 0; i < WORDS; i++) this.#keys[i] = scramble(seed + Math.imul(i + 1, 0x9e3779b9));
  }

  /**
   * The key for as much of a source as a tunnel of that strictness wants: nothing, address and scope, port as well.
   * The source is a socket address that begins at `names[word]` (see `PacketBatch.names`), but for the scope.
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
    // Sums of neighbours are evenly spaced, which a table with linear probing may suffer from.
    return scramble(sum);
  }

  #product(place: number, value: number): number {
    const key = this.#keys[place]!;
    return Math.imul((value + key) & 0xffff, ((value >>> 16) + (key >>> 16)) & 0xffff);
  }
}
