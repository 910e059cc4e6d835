/**
 * Host names, as the C library resolves them (`/etc/hosts`, DNS, whatever nsswitch.conf says), and interface names.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { cString } from "../fd.ts";
import { ADDRINFO } from "../layout.ts";
import { libc } from "../libc.ts";
import { decodeInet, type InetAddress } from "./sockaddr.ts";
import { SOCK_DGRAM } from "./socket.ts";

/** A host name could not be resolved. */
export class ResolveError extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "ResolveError";
  /** The name. */
  readonly host: string;
  /** `EAI_*` number. */
  readonly code: number;
  /** What the C library says of it. */
  readonly reason: string;

  /** Tells the facts in words; they stay in the fields. */
  constructor(host: string, code: number, reason: string) {
    super(`Cannot resolve host name "${host}": ${reason}`);
    this.host = host;
    this.code = code;
    this.reason = reason;
  }
}

/**
 * The host's addresses, best first, of one family or (`0`) of both. Holds the calling thread while it asks.
 *
 * @throws {ResolveError}
 */
export function resolveHost(host: string, family: number): Required<InetAddress>[] {
  const question = new Question(host, family);
  const { name, hints, result } = question;
  return question.answer(libc.getaddrinfo(name, null, hints, result));
}

/**
 * The same on another thread, which asks from the network namespace that the process was started in. It cannot be
 * cancelled: a resolver that is silent holds the process for as long as it waits for it.
 *
 * @throws {ResolveError}
 */
export async function resolveHostInBackground(
  host: string,
  family: number,
): Promise<Required<InetAddress>[]> {
  const question = new Question(host, family);
  const { name, hints, result } = question;
  return question.answer(await libc.getaddrinfo_background(name, null, hints, result));
}

/** What `getaddrinfo` is given, and reading what it gives. */
class Question {
  readonly name: Uint8Array<ArrayBuffer>;
  readonly hints = new Uint8Array(ADDRINFO.size);
  /** Where the pointer to the answer goes. */
  readonly result: Uint8Array<ArrayBuffer>;
  readonly #host: string;
  readonly #pointer = new BigUint64Array(1);

  constructor(host: string, family: number) {
    this.#host = host;
    this.name = cString(host);
    this.result = new Uint8Array(this.#pointer.buffer);
    const view = new DataView(this.hints.buffer);
    view.setInt32(ADDRINFO.fields.ai_family.offset, family, HOST_IS_LITTLE_ENDIAN);
    view.setInt32(ADDRINFO.fields.ai_socktype.offset, SOCK_DGRAM, HOST_IS_LITTLE_ENDIAN);
  }

  /** The addresses, once `getaddrinfo` has returned `code`. */
  answer(code: number): Required<InetAddress>[] {
    if (code !== 0) {
      const reason = Deno.UnsafePointerView.getCString(libc.gai_strerror(code)!);
      throw new ResolveError(this.#host, code, reason);
    }
    const first = Deno.UnsafePointer.create(this.#pointer[0]!);
    const addresses: Required<InetAddress>[] = [];
    for (let entry = first; entry !== null;) {
      const view = new Deno.UnsafePointerView(entry);
      const length = view.getUint32(ADDRINFO.fields.ai_addrlen.offset);
      const address = view.getPointer(ADDRINFO.fields.ai_addr.offset);
      if (address !== null) {
        const bytes = new Deno.UnsafePointerView(address).getArrayBuffer(length);
        addresses.push(decodeInet(new Uint8Array(bytes)));
      }
      entry = view.getPointer(ADDRINFO.fields.ai_next.offset);
    }
    libc.freeaddrinfo(first);
    return addresses;
  }
}

/** Number of the interface with this name in the thread's namespace; `undefined` if there is none. */
export function interfaceIndex(name: string): number | undefined {
  const index = libc.if_nametoindex(cString(name));
  return index === 0 ? undefined : index;
}
