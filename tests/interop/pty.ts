/**
 * Pseudo terminals as serial lines: what one end writes the other reads, byte for byte.
 *
 * @module
 */

import { checked } from "../../ffi/errno.ts";
import { cString, OwnedFd } from "../../ffi/fd.ts";
import { ioctl } from "../../ffi/kernel/ioctl.ts";
import { libc } from "../../ffi/libc.ts";
import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";

const O_RDWR = 0o2;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** `asm-generic/ioctls.h`. */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCGPTPEER = 0x5441;
const TIOCGPTN = 0x8004_5430;
const TIOCSPTLCK = 0x4004_5431;

/** The kernel's `struct termios`: four words of flags, line discipline, 19 control characters. */
const TERMIOS_SIZE = 36;
const FLAG_WORDS = { c_iflag: 0, c_oflag: 4, c_lflag: 12 } as const;

/** A pseudo terminal whose both ends stay open, so that programs at its terminal may come and go. */
export class Pty implements Disposable {
  /** Our end; reading and writing it never blocks. */
  readonly line: OwnedFd;
  /** Path of the terminal, for the program at the other end. */
  readonly path: string;
  readonly #terminal: OwnedFd;

  /** A new one, which echoes nothing and changes nothing. */
  constructor() {
    using stack = new DisposableStack();
    const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    const opened = checked(`open("/dev/ptmx")`, libc.open(cString("/dev/ptmx"), flags | O_NONBLOCK));
    this.line = stack.use(new OwnedFd(opened));
    ioctl(this.line, TIOCSPTLCK, new Uint8Array(4));
    this.#terminal = stack.use(new OwnedFd(ioctl(this.line, TIOCGPTPEER, flags)));
    const number = new Uint8Array(4);
    ioctl(this.line, TIOCGPTN, number);
    this.path = `/dev/pts/${new DataView(number.buffer).getUint32(0, HOST_IS_LITTLE_ENDIAN)}`;
    const termios = new Uint8Array(TERMIOS_SIZE);
    ioctl(this.#terminal, TCGETS, termios);
    for (const offset of Object.values(FLAG_WORDS)) termios.fill(0, offset, offset + 4);
    ioctl(this.#terminal, TCSETS, termios);
    stack.move();
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    this.line.close();
    this.#terminal.close();
  }
}
