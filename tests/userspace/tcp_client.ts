/**
 * A program for tests: sends numbered blocks to an echo server and checks what comes back, until standard input
 * ends. Arguments: host, port. Prints the number of bytes that came back right, each time a line is asked for on
 * standard input, and at the end.
 *
 * @module
 */

const BLOCK_BYTES = 1024;

const [host, port] = Deno.args;
const connection = await Deno.connect({ hostname: host!, port: Number(port) });
let verified = 0;
let ended = false;

async function send(): Promise<void> {
  const block = new Uint32Array(BLOCK_BYTES / 4);
  for (let number = 0; !ended; number++) {
    block.fill(number);
    const bytes = new Uint8Array(block.buffer);
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    // A slow, steady stream: what counts is that it goes on.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  connection.closeWrite();
}

async function check(): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  const view = new DataView(new ArrayBuffer(4));
  for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
    for (let i = 0; i < count; i++) {
      view.setUint32(0, Math.floor(verified / BLOCK_BYTES), true);
      if (buffer[i] !== view.getUint8(verified % 4)) {
        throw new Error(`Byte ${verified} came back as ${buffer[i]}`);
      }
      verified++;
    }
  }
}

async function report(): Promise<void> {
  for await (const _line of Deno.stdin.readable) console.log(verified);
  ended = true;
}

await Promise.all([send(), check(), report()]);
console.log(verified);
