/**
 * bpf(2) (`linux/bpf.h`): maps, programs for the packets of a device, and their attachment. All objects live as long
 * as their descriptors.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../src/base/bytes.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { checked, lastErrno } from "../errno.ts";
import { cString, OwnedFd } from "../fd.ts";
import { BPF_ATTR } from "../layout.ts";
import { pinned } from "../memory.ts";
import { daemonLibc } from "../packet_libc.ts";

/** Number of the system call. */
const NR_BPF = Deno.build.arch === "aarch64" ? 280n : 321n;

/** Commands of bpf(2). */
const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_DELETE_ELEM = 3;
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;

const BPF_PROG_TYPE_SCHED_CLS = 3;

/** `enum bpf_map_type`. */
const MAP_TYPE = { hash: 1, array: 2 } as const;
const BPF_NOEXIST = 1;
const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;

/** `enum bpf_attach_type`, Linux 6.6. */
const ATTACH = { ingress: 46, egress: 47 } as const;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = -1n;
const PAGE = 4096;

const INSTRUCTION_BYTES = 8;
/** Longest name (`BPF_OBJ_NAME_LEN`) without the terminating NUL. */
const NAME_MAX = 15;
const LOG_BYTES = 256 * 1024;

/** The hook at which a program sees a device's packets: after it received them, or before it sends them. */
export type BpfAttachPoint = keyof typeof ATTACH;

/** The kernel's verifier rejected a program. */
export class BpfProgramError extends SyscallError {
  /** The verifier's log. */
  readonly log: string;

  /** `log` is the verifier's log. */
  constructor(operation: string, errno: number, log: string) {
    super(operation, errno);
    this.log = log;
  }
}

/** A map in the kernel. */
export class BpfMap implements Disposable {
  readonly #fd: OwnedFd;
  readonly #name: string;
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #entries: number;

  private constructor(fd: OwnedFd, name: string, keySize: number, valueSize: number, entries: number) {
    this.#fd = fd;
    this.#name = name;
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    this.#entries = entries;
  }

  /**
   * Creates a map: a hash table that allocates its entries on demand, or an array that can be mapped into this
   * process's memory ({@link share}).
   *
   * @throws {SyscallError} EPERM without CAP_BPF and CAP_SYS_ADMIN, ENOSYS on a kernel without BPF
   */
  static create(
    name: string,
    type: keyof typeof MAP_TYPE,
    { keySize, valueSize }: { readonly keySize: number; readonly valueSize: number },
    entries: number,
  ): BpfMap {
    const request = new Request();
    request.u32("map_type", MAP_TYPE[type]);
    request.u32("key_size", keySize);
    request.u32("value_size", valueSize);
    request.u32("max_entries", entries);
    request.u32("map_flags", type === "hash" ? BPF_F_NO_PREALLOC : BPF_F_MMAPABLE);
    request.name("map_name", name);
    const fd = new OwnedFd(request.call(`bpf(BPF_MAP_CREATE "${name}")`, BPF_MAP_CREATE));
    return new BpfMap(fd, name, keySize, valueSize, entries);
  }

  /** Descriptor of the map, for programs. */
  get number(): number {
    return this.#fd.number;
  }

  /**
   * Adds an entry.
   *
   * @throws {SyscallError} EEXIST if the key is in the map, E2BIG if the map is full
   */
  add(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): void {
    if (key.length !== this.#keySize || value.length !== this.#valueSize) {
      throw new RangeError(
        `Map "${this.#name}" cannot have keys of ${key.length} and values of ${value.length} bytes`,
      );
    }
    const request = this.#of(key);
    request.pointer("value", value);
    request.u32("flags", BPF_NOEXIST);
    request.call(`bpf(BPF_MAP_UPDATE_ELEM "${this.#name}")`, BPF_MAP_UPDATE_ELEM);
  }

  /**
   * Deletes a key if it is in the map. Programs that start afterwards do not find it.
   *
   * @throws {SyscallError}
   */
  delete(key: Uint8Array<ArrayBuffer>): void {
    try {
      this.#of(key).call(`bpf(BPF_MAP_DELETE_ELEM "${this.#name}")`, BPF_MAP_DELETE_ELEM);
    } catch (error) {
      if (!(error instanceof SyscallError) || error.errno !== Errno.ENOENT) throw error;
    }
  }

  /**
   * Maps the values of an array into this process's memory; programs read and change the same memory.
   *
   * @throws {SyscallError}
   */
  share(): SharedValues {
    return SharedValues.map(this.#fd.number, this.#valueSize, this.#entries);
  }

  #of(key: Uint8Array<ArrayBuffer>): Request {
    const request = new Request();
    request.u32("map_fd", this.#fd.number);
    request.pointer("key", key);
    return request;
  }

  /** Closes the descriptor. The map lives as long as a program uses it. */
  [Symbol.dispose](): void {
    this.#fd.close();
  }
}

/** The values of an array map in this process's memory. */
export class SharedValues implements Disposable {
  readonly #address: Deno.PointerObject;
  readonly #numbers: BigUint64Array;
  readonly #valueSize: number;
  readonly #bytes: bigint;
  #closed = false;

  private constructor(address: Deno.PointerObject, valueSize: number, bytes: number) {
    this.#address = address;
    this.#numbers = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(address, bytes));
    this.#valueSize = valueSize;
    this.#bytes = BigInt(bytes);
  }

  /** Called by `BpfMap.share` only. */
  static map(fd: number, valueSize: number, entries: number): SharedValues {
    const bytes = Math.ceil(valueSize * entries / PAGE) * PAGE;
    const address = daemonLibc().mmap(null, BigInt(bytes), PROT_READ_WRITE, MAP_SHARED, fd, 0n);
    if (address === null || BigInt.asIntN(64, Deno.UnsafePointer.value(address)) === MAP_FAILED) {
      throw new SyscallError("mmap", lastErrno());
    }
    return new SharedValues(address, valueSize, bytes);
  }

  /** Reads the 8-byte number at an offset of a value. */
  get(index: number, offset: number): bigint {
    return this.#numbers[this.#place(index, offset)]!;
  }

  /** Writes the 8-byte number at an offset of a value. */
  set(index: number, offset: number, number: bigint): void {
    this.#numbers[this.#place(index, offset)] = number;
  }

  #place(index: number, offset: number): number {
    if (this.#closed) throw new ReferenceError("Cannot use the values of a map: they are unmapped");
    return (index * this.#valueSize + offset) / BigUint64Array.BYTES_PER_ELEMENT;
  }

  /** Unmaps the memory. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    daemonLibc().munmap(this.#address, this.#bytes);
  }
}

/**
 * Loads a program for the packets of a device (`BPF_PROG_TYPE_SCHED_CLS`).
 *
 * @param instructions Output of `BpfProgram.assemble`
 * @throws {BpfProgramError} EACCES, EINVAL if the verifier rejects the program
 * @throws {SyscallError} EPERM without CAP_BPF and CAP_NET_ADMIN, ENOSYS on a kernel without BPF
 */
export function loadBpfProgram(name: string, instructions: Uint8Array<ArrayBuffer>): OwnedFd {
  const operation = `bpf(BPF_PROG_LOAD "${name}")`;
  const request = new Request();
  request.u32("prog_type", BPF_PROG_TYPE_SCHED_CLS);
  request.u32("insn_cnt", instructions.length / INSTRUCTION_BYTES);
  request.pointer("insns", instructions);
  request.pointer("license", cString("MIT"));
  request.name("prog_name", name);
  try {
    return new OwnedFd(request.call(operation, BPF_PROG_LOAD));
  } catch (error) {
    const isVerdict = error instanceof SyscallError &&
      (error.errno === Errno.EACCES || error.errno === Errno.EINVAL);
    if (!isVerdict) throw error;
    const log = pinned(LOG_BYTES);
    request.u32("log_level", 1);
    request.u32("log_size", log.length);
    request.pointer("log_buf", log);
    try {
      return new OwnedFd(request.call(operation, BPF_PROG_LOAD));
    } catch (again) {
      if (!(again instanceof SyscallError)) throw again;
      const text = new TextDecoder().decode(log.subarray(0, Math.max(log.indexOf(0), 0)));
      throw new BpfProgramError(operation, again.errno, text);
    }
  }
}

/**
 * Attaches a program to a device of the calling thread's network namespace, until the returned descriptor is closed.
 *
 * @throws {SyscallError} EINVAL on a kernel before 6.6, ENODEV
 */
export function attachBpfProgram(program: OwnedFd, device: number, point: BpfAttachPoint): OwnedFd {
  const request = new Request();
  request.u32("link_create.prog_fd", program.number);
  request.u32("link_create.target_ifindex", device);
  request.u32("link_create.attach_type", ATTACH[point]);
  return new OwnedFd(request.call(`bpf(BPF_LINK_CREATE ${point} of interface ${device})`, BPF_LINK_CREATE));
}

/** A `union bpf_attr`; keeps the memory alive that it points to. */
class Request {
  readonly #bytes = pinned(BPF_ATTR.size);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];

  u32(field: keyof typeof BPF_ATTR.fields, value: number): void {
    this.#view.setUint32(BPF_ATTR.fields[field].offset, value, HOST_IS_LITTLE_ENDIAN);
  }

  pointer(field: keyof typeof BPF_ATTR.fields, value: Uint8Array<ArrayBuffer>): void {
    this.#kept.push(value);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(value));
    this.#view.setBigUint64(BPF_ATTR.fields[field].offset, address, HOST_IS_LITTLE_ENDIAN);
  }

  name(field: keyof typeof BPF_ATTR.fields, name: string): void {
    this.#bytes.set(new TextEncoder().encode(name.slice(0, NAME_MAX)), BPF_ATTR.fields[field].offset);
  }

  call(operation: string, command: number): number {
    return checked(operation, daemonLibc().syscall_bpf(NR_BPF, command, this.#bytes, this.#bytes.length));
  }
}
