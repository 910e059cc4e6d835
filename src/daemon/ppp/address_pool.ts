/**
 * IPv4 addresses for PPP peers.
 *
 * @module
 */

import { formatIpAddress, parseIpv4 } from "../../base/ip_address.ts";
import type { AddressPool } from "../../engine/ppp/mod.ts";

/** A changing set of addresses. */
interface Addresses {
  has(address: string): boolean;
}

/**
 * Addresses from a first to a last one; none that `used` has, which other pools of the namespace may share, and none of
 * those that sessions have without a pool.
 */
export class PppPool implements AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #used: Set<string>;
  readonly #fixed: Addresses;
  #next: number;

  /** Both ends belong to it. */
  constructor(
    [first, last]: readonly [first: string, last: string],
    used: Set<string>,
    fixed: Addresses,
  ) {
    this.#fixed = fixed;
    this.#first = this.#next = numberOf(first);
    this.#last = numberOf(last);
    this.#used = used;
  }

  /** The one that has been free for longest, roughly: a peer's late packets do not reach the next one. */
  lease(): string | undefined {
    for (let i = this.#first; i <= this.#last; i++) {
      const address = textOf(this.#next);
      this.#next = this.#next === this.#last ? this.#first : this.#next + 1;
      if (this.#used.has(address) || this.#fixed.has(address)) continue;
      this.#used.add(address);
      return address;
    }
    return undefined;
  }

  release(address: string): void {
    this.#used.delete(address);
  }
}

function numberOf(address: string): number {
  return new DataView(parseIpv4(address)!.buffer).getUint32(0);
}

function textOf(number: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return formatIpAddress(bytes);
}
