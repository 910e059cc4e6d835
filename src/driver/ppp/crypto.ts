/**
 * The hash functions and ciphers of PPP authentication, by `node:crypto`.
 *
 * @module
 */

import { createCipheriv, createHash } from "node:crypto";
import type { PppCrypto } from "../../engine/ppp/mod.ts";

const ZERO_VECTOR = new Uint8Array(8);

function digest(algorithm: string, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(data).digest());
}

/** MD5, SHA-1, MD4 and DES. */
export const PPP_CRYPTO: PppCrypto = {
  md5: (data) => digest("md5", data),
  sha1: (data) => digest("sha1", data),
  md4: (data) => digest("md4", data),
  des(key, block): Uint8Array {
    // There is no single DES. Triple DES with three equal keys is the same, and one block has no chaining.
    const keys = new Uint8Array(24);
    for (let i = 0; i < 3; i++) keys.set(key, 8 * i);
    const cipher = createCipheriv("des-ede3-cbc", keys, ZERO_VECTOR);
    cipher.setAutoPadding(false);
    const encrypted = new Uint8Array(cipher.update(block));
    // The runtime keeps the cipher in memory until `final` is called.
    cipher.final();
    return encrypted;
  },
};
