/**
 * An assembler for BPF programs (`linux/bpf.h`; RFC 9669): one method per instruction, with labels as jump targets.
 * Operations have 64 bits and host byte order unless their name says otherwise.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";

/** Length of an instruction, in bytes. A load of a 64-bit immediate takes two instructions. */
export const INSTRUCTION_BYTES = 8;

/** A BPF register. */
export class Register {
  /** Number of the register. */
  readonly number: number;

  /** Creates the register with this number. */
  constructor(number: number) {
    this.number = number;
  }
}

/** Return value of helper calls and of the program. */
export const R0: Register = new Register(0);
/** First argument of a call; at entry the program's context. Calls clobber {@link R1} to {@link R5}. */
export const R1: Register = new Register(1);
/** Second argument of a call. */
export const R2: Register = new Register(2);
/** Third argument of a call. */
export const R3: Register = new Register(3);
/** Fourth argument of a call. */
export const R4: Register = new Register(4);
/** Fifth argument of a call. */
export const R5: Register = new Register(5);
/** Callee-saved. */
export const R6: Register = new Register(6);
/** Callee-saved. */
export const R7: Register = new Register(7);
/** Callee-saved. */
export const R8: Register = new Register(8);
/** Callee-saved. */
export const R9: Register = new Register(9);
/** Frame pointer, read-only. The stack is the 512 bytes below it. */
export const FP: Register = new Register(10);

/** Numbers of the helper functions that our programs call (`enum bpf_func_id`). */
export const HELPER = {
  map_lookup_elem: 1,
  get_prandom_u32: 7,
  skb_store_bytes: 9,
  redirect: 23,
  skb_load_bytes: 26,
  skb_adjust_room: 50,
  redirect_neigh: 152,
} as const;

/** Codes of the arithmetic operations. */
const ALU = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  xor: 0xa0,
  mov: 0xb0,
} as const;

/** Codes of the unsigned conditional jumps; `&` is BPF_JSET. */
const JUMP = { "==": 0x10, ">": 0x20, ">=": 0x30, "&": 0x40, "!=": 0x50, "<": 0xa0, "<=": 0xb0 } as const;

const SIZE = { b: 0x10, h: 0x08, w: 0x00, dw: 0x18 } as const;

/** An arithmetic operation; its result replaces the target register. */
export type Operation = keyof typeof ALU;
/** An unsigned comparison; `&` is true if the operands have a bit in common. */
export type Condition = keyof typeof JUMP;
/** Size of a memory access: 1, 2, 4 or 8 bytes. */
export type Size = keyof typeof SIZE;
/** A register, or a signed 32-bit immediate. */
export type Operand = Register | number;

const CLASS_LD = 0x00;
const CLASS_LDX = 0x01;
const CLASS_ST = 0x02;
const CLASS_STX = 0x03;
const CLASS_ALU = 0x04;
const CLASS_JMP = 0x05;
const CLASS_ALU64 = 0x07;
const MODE_MEM = 0x60;
const MODE_ATOMIC = 0xc0;
const SOURCE_REGISTER = 0x08;
/** Byte swap to big endian (BPF_END, BPF_TO_BE). */
const END_TO_BE = 0xd0 | SOURCE_REGISTER;
const JUMP_ALWAYS = 0x00;
const CALL = 0x80;
const EXIT = 0x90;
/** The immediate of LD_IMM64 is the file descriptor of a map (BPF_PSEUDO_MAP_FD). */
const PSEUDO_MAP_FD = 1;

interface Instruction {
  readonly code: number;
  readonly target?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
  /** Target of a jump. */
  readonly label?: string;
}

/** Builder of a program. Each method appends to the program and returns it. */
export class BpfProgram {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  /** Appends target = target OPERATION operand. Division is unsigned; division by zero yields zero. */
  compute(operation: Operation, target: Register, operand: Operand): this {
    return this.#binary(ALU[operation] | CLASS_ALU64, target, operand);
  }

  /** Appends target = operand. */
  move(target: Register, operand: Operand): this {
    return this.compute("mov", target, operand);
  }

  /** Converts the lowest 16, 32 or 64 bits between host and network byte order; the other bits become zero. */
  networkOrder(target: Register, bits: 16 | 32 | 64): this {
    return this.#add({ code: END_TO_BE | CLASS_ALU, target: target.number, immediate: bits });
  }

  /** Loads from memory at `base` + `offset`. */
  load(size: Size, target: Register, base: Register, offset: number): this {
    const code = MODE_MEM | SIZE[size] | CLASS_LDX;
    return this.#add({ code, target: target.number, source: base.number, offset });
  }

  /** Stores at `base` + `offset`. Before Linux 6.3 a store to the context needs a register, not an immediate. */
  store(size: Size, base: Register, offset: number, operand: Operand): this {
    const address = { target: base.number, offset };
    return operand instanceof Register
      ? this.#add({ code: MODE_MEM | SIZE[size] | CLASS_STX, ...address, source: operand.number })
      : this.#add({ code: MODE_MEM | SIZE[size] | CLASS_ST, ...address, immediate: operand });
  }

  /** Adds the register atomically to the 8 bytes at `base` + `offset`. */
  atomicAdd(base: Register, offset: number, source: Register): this {
    const code = MODE_ATOMIC | SIZE.dw | CLASS_STX;
    return this.#add({ code, target: base.number, source: source.number, offset, immediate: ALU.add });
  }

  /** Loads the address of the map with this file descriptor. */
  map(target: Register, fd: number): this {
    const code = CLASS_LD | SIZE.dw;
    this.#add({ code, target: target.number, source: PSEUDO_MAP_FD, immediate: fd });
    return this.#add({ code: 0 });
  }

  /** Calls a helper function with the arguments in R1 to R5. */
  call(helper: keyof typeof HELPER): this {
    return this.#add({ code: CALL | CLASS_JMP, immediate: HELPER[helper] });
  }

  /** Jumps to the label. */
  jump(label: string): this {
    return this.#add({ code: JUMP_ALWAYS | CLASS_JMP, label });
  }

  /** Jumps to the label if target CONDITION operand. */
  jumpIf(target: Register, condition: Condition, operand: Operand, label: string): this {
    return this.#binary(JUMP[condition] | CLASS_JMP, target, operand, label);
  }

  /**
   * Places a label before the next instruction. Only earlier instructions may jump to it: these programs have no loops.
   *
   * @throws {RangeError} if the label is already defined
   */
  label(name: string): this {
    if (this.#labels.has(name)) throw new RangeError(`Label ${name} is already defined`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** Ends the program. R0 is its verdict on the packet. */
  exit(): this {
    return this.#add({ code: EXIT | CLASS_JMP });
  }

  /**
   * Assembles the program in the form that the kernel loads.
   *
   * @throws {RangeError} if a label is undefined or precedes a jump to it
   */
  assemble(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#instructions.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [i, instruction] of this.#instructions.entries()) {
      const { code, target = 0, source = 0, immediate = 0, label } = instruction;
      const offset = label === undefined ? instruction.offset ?? 0 : this.#distance(i, label);
      const at = i * INSTRUCTION_BYTES;
      bytes[at] = code;
      bytes[at + 1] = HOST_IS_LITTLE_ENDIAN ? source << 4 | target : target << 4 | source;
      view.setInt16(at + 2, offset, HOST_IS_LITTLE_ENDIAN);
      view.setInt32(at + 4, immediate, HOST_IS_LITTLE_ENDIAN);
    }
    return bytes;
  }

  #distance(from: number, label: string): number {
    const to = this.#labels.get(label);
    if (to === undefined) throw new RangeError(`Label ${label} is undefined`);
    if (to <= from) throw new RangeError(`Label ${label} precedes a jump to it`);
    return to - from - 1;
  }

  #binary(code: number, target: Register, operand: Operand, label?: string): this {
    const jump = label === undefined ? {} : { label };
    return operand instanceof Register
      ? this.#add({ code: code | SOURCE_REGISTER, target: target.number, source: operand.number, ...jump })
      : this.#add({ code, target: target.number, immediate: operand, ...jump });
  }

  #add(instruction: Instruction): this {
    this.#instructions.push(instruction);
    return this;
  }
}
