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
 * Leases addresses of a range, except those in `used`, which pools of a namespace share, and those in `fixed`, which
 * sessions have without a pool.
 */
export class PppPool implements AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #used: Set<string>;
  readonly #fixed: Addresses;
  #next: number;

  /** The range includes both ends. */
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

  /** Leases roughly the address that has been free for longest, so that late packets do not reach the wrong peer. */
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
