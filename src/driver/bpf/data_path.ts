/**
 * The BPF data path of one network namespace: maps, programs, and the devices that the programs are attached to.
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";
import {
  type BpfSession,
  COUNTERS,
  decapsulate,
  DECAPSULATION,
  decapsulationKey,
  decapsulationValue,
  encapsulate,
  ENCAPSULATION,
  encapsulationValue,
  numberKey,
} from "../../dataplane/bpf/mod.ts";
import { type BpfAttachPoint, BpfMap, loadBpfProgram, type SharedValues } from "../../../ffi/kernel/bpf.ts";
import type { OwnedFd } from "../../../ffi/fd.ts";
import { attachProgram } from "./attachment.ts";

/** Maximum number of sessions in one namespace's maps. */
export const BPF_SESSIONS_MAX = 4096;

const ENOSPC = 28;

/** The programs' counters of a session. */
export interface BpfCounts {
  /** Packets sent. */
  readonly txPackets: bigint;
  /** Bytes sent: L2TP header and frame. */
  readonly txBytes: bigint;
  /** Packets that could not be sent. */
  readonly txErrors: bigint;
  /** Packets received. */
  readonly rxPackets: bigint;
  /** Bytes received: L2TP header and frame. */
  readonly rxBytes: bigint;
}

/** A program attached to a device, for as long as a session uses it. */
interface Attached {
  readonly attachment: Disposable;
  users: number;
}

/** Maps and programs of one network namespace. */
export class BpfDataPath implements Disposable {
  readonly #encapsulation: BpfMap;
  readonly #decapsulation: BpfMap;
  readonly #counts: SharedValues;
  readonly #programs: Readonly<Record<BpfAttachPoint, OwnedFd>>;
  readonly #attached = new Map<string, Attached>();
  readonly #free: number[] = [];
  #firstUnused = 0;
  readonly #resources: DisposableStack;

  /**
   * Creates maps and loads programs. They serve the network namespace of the devices that they are attached to later.
   *
   * @throws {SyscallError} if the kernel does not allow this process to use BPF
   * @throws {BpfProgramError} if the kernel rejects the programs
   */
  constructor() {
    using stack = new DisposableStack();
    const size = BPF_SESSIONS_MAX;
    this.#encapsulation = stack.use(BpfMap.create("l2tp_encap", "hash", ENCAPSULATION, size));
    this.#decapsulation = stack.use(BpfMap.create("l2tp_decap", "hash", DECAPSULATION, size));
    const counters = stack.use(BpfMap.create("l2tp_counters", "array", COUNTERS, size));
    this.#counts = stack.use(counters.share());
    const maps = {
      encapsulation: this.#encapsulation.number,
      decapsulation: this.#decapsulation.number,
      counters: counters.number,
    };
    this.#programs = {
      egress: stack.use(loadBpfProgram("l2tp_encap", encapsulate(maps))),
      ingress: stack.use(loadBpfProgram("l2tp_decap", decapsulate(maps))),
    };
    this.#resources = stack.move();
  }

  /**
   * Allocates a session's counters, all zero.
   *
   * @returns the slot, to be freed by {@link freeSlot}
   * @throws {SyscallError} ENOSPC if there are too many sessions
   */
  allocateSlot(): number {
    // The slot that was free for longest: a packet of its last session may still be in transit.
    const slot = this.#free.shift() ?? this.#firstUnused++;
    if (slot >= BPF_SESSIONS_MAX) {
      this.#firstUnused--;
      throw new SyscallError("allocating a BPF counter slot", ENOSPC);
    }
    for (let at = 0; at < COUNTERS.valueSize; at += 8) this.#counts.set(slot, at, 0n);
    return slot;
  }

  /** Frees a slot, which no session uses any more. */
  freeSlot(slot: number): void {
    this.#free.push(slot);
  }

  /** Reads the counters of a slot. */
  counts(slot: number): BpfCounts {
    const at = (offset: number): bigint => this.#counts.get(slot, offset);
    return {
      txPackets: at(COUNTERS.txPackets),
      txBytes: at(COUNTERS.txBytes),
      txErrors: at(COUNTERS.txErrors),
      rxPackets: at(COUNTERS.rxPackets),
      rxBytes: at(COUNTERS.rxBytes),
    };
  }

  /** Returns true if the programs leave the session to the worker because its peer sends sequence numbers. */
  hasYielded(slot: number): boolean {
    return this.#counts.get(slot, COUNTERS.yielded) !== 0n;
  }

  /**
   * Installs a session: the programs forward its packets from now on. The calling thread must be in the network
   * namespace.
   *
   * @throws {SyscallError} {NetlinkError} if a program cannot be attached; EEXIST if another session has the same
   * device, or the same addresses, ports and id; then nothing has changed
   */
  install(session: BpfSession): void {
    using undo = new DisposableStack();
    this.#attach("ingress", session.outDevice);
    undo.defer(() => this.#detach("ingress", session.outDevice));
    this.#attach("egress", session.device);
    undo.defer(() => this.#detach("egress", session.device));
    this.#counts.set(session.slot, COUNTERS.yielded, 0n);
    this.#decapsulation.add(decapsulationKey(session), decapsulationValue(session));
    undo.defer(() => this.#decapsulation.delete(decapsulationKey(session)));
    this.#encapsulation.add(numberKey(session.device), encapsulationValue(session));
    undo.move();
  }

  /** Removes a session: undoes {@link install}. The worker forwards its packets from then on. */
  uninstall(session: BpfSession): void {
    // A stack, so that a failing step does not prevent the others.
    using all = new DisposableStack();
    all.defer(() => this.#detach("ingress", session.outDevice));
    all.defer(() => this.#detach("egress", session.device));
    all.defer(() => this.#decapsulation.delete(decapsulationKey(session)));
    all.defer(() => this.#encapsulation.delete(numberKey(session.device)));
  }

  #attach(point: BpfAttachPoint, device: number): void {
    const key = `${point} ${device}`;
    const attached = this.#attached.get(key);
    if (attached !== undefined) attached.users++;
    else {
      const attachment = attachProgram(this.#programs[point], device, point);
      this.#attached.set(key, { attachment, users: 1 });
    }
  }

  #detach(point: BpfAttachPoint, device: number): void {
    const key = `${point} ${device}`;
    const attached = this.#attached.get(key);
    if (attached === undefined || --attached.users > 0) return;
    this.#attached.delete(key);
    attached.attachment[Symbol.dispose]();
  }

  /** Detaches the programs from all devices and closes the maps. */
  [Symbol.dispose](): void {
    for (const { attachment } of this.#attached.values()) attachment[Symbol.dispose]();
    this.#attached.clear();
    this.#resources.dispose();
  }
}
