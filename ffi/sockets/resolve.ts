/**
 * Resolves host names by the C library (`/etc/hosts`, DNS, as nsswitch.conf says), and interface names.
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
  /** Set explicitly, since minification renames the class. */
  override readonly name = "ResolveError";
  /** The host name. */
  readonly host: string;
  /** `EAI_*` number. */
  readonly code: number;
  /** The C library's message for it. */
  readonly reason: string;

  /** The message contains host and reason. */
  constructor(host: string, code: number, reason: string) {
    super(`Cannot resolve host name "${host}": ${reason}`);
    this.host = host;
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Resolves a host name to its addresses, best first, of one family or (`0`) of both. Blocks the calling thread.
 *
 * @throws {ResolveError}
 */
export function resolveHost(host: string, family: number): Required<InetAddress>[] {
  const query = new AddressQuery(host, family);
  const { name, hints, result } = query;
  return query.answer(libc.getaddrinfo(name, null, hints, result));
}

/**
 * Like {@link resolveHost}, on another thread, in the network namespace that the process was started in. Cannot be
 * cancelled: while a resolver does not answer, the call keeps the process alive.
 *
 * @throws {ResolveError}
 */
export async function resolveHostInBackground(
  host: string,
  family: number,
): Promise<Required<InetAddress>[]> {
  const query = new AddressQuery(host, family);
  const { name, hints, result } = query;
  return query.answer(await libc.getaddrinfo_background(name, null, hints, result));
}

/** The arguments of `getaddrinfo`, and the decoder of its result. */
class AddressQuery {
  readonly name: Uint8Array<ArrayBuffer>;
  readonly hints = new Uint8Array(ADDRINFO.size);
  /** Memory that receives the pointer to the result. */
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

  /** The addresses, after `getaddrinfo` has returned `code`. */
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

/** Index of the interface with this name in the thread's network namespace; `undefined` if there is none. */
export function interfaceIndex(name: string): number | undefined {
  const index = libc.if_nametoindex(cString(name));
  return index === 0 ? undefined : index;
}
