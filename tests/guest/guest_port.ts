/**
 * The host's end of the guest's serial ports: Unix sockets that QEMU connects to, and what comes out of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";

/** One serial port of the guest, waiting for QEMU to connect. */
export class GuestPort {
  readonly #listener: Deno.UnixListener;

  /**
   * Listens immediately, so that QEMU, which fails without a listener, can be started next.
   *
   * @param directory directory of the socket
   * @param name the socket's file name, and the port's name for QEMU
   */
  constructor(directory: string, readonly name: string) {
    this.path = join(directory, name);
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
  }

  /** The socket's absolute path. */
  readonly path: string;

  /**
   * The guest's output as it arrives, until QEMU exits. Empty if QEMU never connects and the port is closed.
   */
  async *read(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    let connection: Deno.UnixConn;
    try {
      connection = await this.#listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      throw error;
    } finally {
      this.close();
    }
    using _closing = connection;
    const buffer = new Uint8Array(65536);
    for (;;) {
      const length = await connection.read(buffer).catch(endOfReset);
      if (length === null) return;
      yield buffer.slice(0, length);
    }
  }

  /** Stops waiting for QEMU. A connection that exists goes on. */
  close(): void {
    try {
      this.#listener.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** A killed QEMU may reset the connection instead of closing it. */
function endOfReset(error: unknown): null {
  if (error instanceof Deno.errors.ConnectionReset) return null;
  throw error;
}

/**
 * Finds the mark that ends a byte stream, in pieces of any size. A port has no end of file of its own that
 * comes after the last byte: QEMU's end does, but a guest that stops may take bytes with it that QEMU had yet
 * to pass on.
 */
export class EndMark {
  readonly #mark: Buffer;
  #held = Buffer.alloc(0);
  #found = false;

  /**
   * Starts at the stream's first byte.
   *
   * @param mark the bytes that end the stream; they must not occur in it otherwise
   */
  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  /** The end mark has arrived. */
  get found(): boolean {
    return this.#found;
  }

  /** Takes the stream's next piece; returns what of the stream is now known not to belong to the mark. */
  push(piece: Uint8Array): Uint8Array {
    if (this.#found) return new Uint8Array();
    const bytes = Buffer.concat([this.#held, piece]);
    const at = bytes.indexOf(this.#mark);
    this.#found = at >= 0;
    const end = this.#found ? at : bytes.length - this.#beginningAtEndOf(bytes);
    this.#held = this.#found ? Buffer.alloc(0) : bytes.subarray(end);
    return bytes.subarray(0, end);
  }

  /** The stream broke off: returns what was held back because it could have become the mark. */
  flush(): Uint8Array {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  /**
   * Returns the number of bytes at the end that may be the start of the mark. Only these are held back, so that output
   * stays live.
   */
  #beginningAtEndOf(bytes: Buffer): number {
    for (let length = Math.min(this.#mark.length - 1, bytes.length); length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#mark.subarray(0, length))) return length;
    }
    return 0;
  }
}

/** The last part of a text of any length. */
export class TextTail {
  #text = "";
  readonly #decoder = new TextDecoder();

  /**
   * Starts empty.
   *
   * @param limit how many UTF-16 code units are kept at most
   */
  constructor(readonly limit: number) {}

  /** Adds the text's next piece, as UTF-8. */
  push(piece: Uint8Array<ArrayBuffer>): void {
    this.#text = (this.#text + this.#decoder.decode(piece, { stream: true })).slice(-this.limit);
  }

  /** Collected output, without carriage returns. */
  toString(): string {
    return this.#text.replaceAll("\r", "");
  }
}
