/**
 * Frames of PPP's control protocols, one of each kind, and damage to them.
 *
 * @module
 */

import { hexBytes } from "./golden.ts";
import type { Random } from "./random.ts";

/** Frames as peers send them: LCP, PAP, CHAP and MS-CHAP, IPCP, IPV6CP, CCP. */
export const PPP_FRAMES: readonly Uint8Array[] = [
  "ff03 c021 0101 001c 0104 0578 0206 00000000 0305 c22381 0506 3924a6fe 0702 0802",
  "ff03 c021 0201 000e 0104 05dc 0506 11223344",
  "c021 0301 0009 0305 c22305",
  "c021 0401 0008 0702 0802",
  "c021 0502 0010 557365722072657175657374",
  "c021 0602 0004",
  "c021 0703 0008 63010004",
  "c021 0804 000a 80fd 0101 0004",
  "c021 0905 0008 11223344",
  "c021 0a05 000c 11223344 00000000",
  "c021 0b05 0008 11223344",
  "c021 0c06 0012 11223344 4d5352415356352e3230",
  "c021 0d06 0010 11223344 0000003c 6d6f7265",
  "c023 0101 000b 036a6f65 03707764",
  "c023 0201 0007 026f6b",
  "c023 0301 0005 00",
  "c223 0101 0018 10 5b5d7c7d7b3f2f3e3c2c602132262628 6c6e73",
  "c223 0201 0018 10 900150983cd24fb0d6963f7d28e17f72 6a6f65",
  "c223 0202 003a 31 21402324255e262a28295f2b3a337c7e 0000000000000000 " +
  "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df 00 55736572",
  "c223 0302 0033 533d34303741353538393131354644304436323039463531304645394330343536363933324344413536204d3d4869",
  "c223 0402 003b 453d36393120523d3020433d3030303130323033303430353036303730383039304130423043304430453046" +
  "20563d33204d3d4e6f",
  "8021 0101 0016 0306 00000000 8106 00000000 8306 00000000",
  "8021 0301 0010 0306 0a000002 8106 08080808",
  "8057 0101 000e 010a 0211aafffe334455",
  "80fd 0101 000a 1206 01000060",
].map(hexBytes);

/** Lengths that have been trouble before. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 16, 49, 0x7f, 0x80, 0xff];

/**
 * Copies the frame to a random offset in `room` and damages the copy. The result borrows `room`, which must be 64 bytes
 * longer than the frame.
 */
export function damage(frame: Uint8Array, room: Uint8Array, random: Random): Uint8Array {
  const start = random.below(8);
  room.set(frame, start);
  let length = frame.length;
  for (let n = random.below(3); n >= 0 && length > 0; n--) {
    const at = start + random.below(length);
    switch (random.below(7)) {
      case 0: // one bit
        room[at]! ^= 1 << random.below(8);
        break;
      case 1: // one byte
        room[at] = random.next();
        break;
      case 2: // a length, wherever that is
        room[at] = random.oneIn(2) ? random.pick(LENGTHS) : random.below(length);
        break;
      case 3: // a code of a packet
        room[start + (room[start] === 0xff ? 4 : 2)] = random.below(15);
        break;
      case 4: // the end is missing
        length = at - start;
        break;
      case 5: { // padding
        const more = 1 + random.below(16);
        if (start + length + more <= room.length) length += more;
        break;
      }
      default: { // noise
        const end = Math.min(start + length, at + 1 + random.below(12));
        for (let i = at; i < end; i++) room[i] = random.next();
      }
    }
  }
  return room.subarray(start, start + length);
}
