/**
 * Programs for the kernel's BPF machine (`linux/bpf.h`; RFC 9669): instructions one by one, with labels to jump to.
 * Operations are those of 64 bits, host byte order, but where a name says otherwise. Pure.
 *
 * @module
 */

import { HOST_IS_LITTLE_ENDIAN } from "../../base/bytes.ts";

/** Bytes of an instruction; those that load 64 bits take two. */
export const INSTRUCTION_BYTES = 8;

/** A register. */
export class Register {
  /** Its number. */
  readonly number: number;

  /** The register with this number. */
  constructor(number: number) {
    this.number = number;
  }
}

/** What a function returns, and the program. */
export const R0: Register = new Register(0);
/** First argument; the program's context at first. Lost in a call, as are those up to {@link R5}. */
export const R1: Register = new Register(1);
/** Second argument. */
export const R2: Register = new Register(2);
/** Third argument. */
export const R3: Register = new Register(3);
/** Fourth argument. */
export const R4: Register = new Register(4);
/** Fifth argument. */
export const R5: Register = new Register(5);
/** Outlives calls. */
export const R6: Register = new Register(6);
/** Outlives calls. */
export const R7: Register = new Register(7);
/** Outlives calls. */
export const R8: Register = new Register(8);
/** Outlives calls. */
export const R9: Register = new Register(9);
/** End of the stack, which goes down 512 bytes from there. */
export const FP: Register = new Register(10);

/** The kernel's functions (`enum bpf_func_id`) that programs of ours call. */
export const HELPER = {
  map_lookup_elem: 1,
  get_prandom_u32: 7,
  skb_store_bytes: 9,
  redirect: 23,
  skb_load_bytes: 26,
  skb_adjust_room: 50,
  redirect_neigh: 152,
} as const;

/** Two-operand arithmetic: BPF_ALU64. */
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

/** Comparisons, without sign. */
const JUMP = { "==": 0x10, ">": 0x20, ">=": 0x30, "&": 0x40, "!=": 0x50, "<": 0xa0, "<=": 0xb0 } as const;

const SIZE = { b: 0x10, h: 0x08, w: 0x00, dw: 0x18 } as const;

/** An operation on a register and an operand, which stays in the register. */
export type Operation = keyof typeof ALU;
/** A comparison without sign; `&`: they have a bit in common. */
export type Condition = keyof typeof JUMP;
/** 1, 2, 4 or 8 bytes. */
export type Size = keyof typeof SIZE;
/** A register, or a number of 32 bits with sign. */
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
/** BPF_END, to big-endian. */
const END_TO_BE = 0xd0 | SOURCE_REGISTER;
const JUMP_ALWAYS = 0x00;
const CALL = 0x80;
const EXIT = 0x90;
/** What LD_IMM64 loads is the address of the map with this descriptor. */
const PSEUDO_MAP_FD = 1;

interface Instruction {
  readonly code: number;
  readonly target?: number;
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
  /** Where it jumps to. */
  readonly label?: string;
}

/** A program in the making. Each method adds to its end, and returns the program. */
export class BpfProgram {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  /** Computes: the register becomes (register) (operation) (operand). Division is without sign; by zero gives zero. */
  compute(operation: Operation, target: Register, operand: Operand): this {
    return this.#binary(ALU[operation] | CLASS_ALU64, target, operand);
  }

  /** The register becomes the operand. */
  move(target: Register, operand: Operand): this {
    return this.compute("mov", target, operand);
  }

  /** Turns the lowest 16, 32 or 64 bits from host to network order or back; the others become zero. */
  networkOrder(target: Register, bits: 16 | 32 | 64): this {
    return this.#add({ code: END_TO_BE | CLASS_ALU, target: target.number, immediate: bits });
  }

  /** The register becomes what lies at `base` + `offset`. */
  load(size: Size, target: Register, base: Register, offset: number): this {
    const code = MODE_MEM | SIZE[size] | CLASS_LDX;
    return this.#add({ code, target: target.number, source: base.number, offset });
  }

  /** Puts the operand at `base` + `offset`. Before Linux 6.3, a number must be in a register to get into the context. */
  store(size: Size, base: Register, offset: number, operand: Operand): this {
    const place = { target: base.number, offset };
    return operand instanceof Register
      ? this.#add({ code: MODE_MEM | SIZE[size] | CLASS_STX, ...place, source: operand.number })
      : this.#add({ code: MODE_MEM | SIZE[size] | CLASS_ST, ...place, immediate: operand });
  }

  /** Adds the register to the 8 bytes at `base` + `offset`, so that no other processor's addition is lost. */
  atomicAdd(base: Register, offset: number, source: Register): this {
    const code = MODE_ATOMIC | SIZE.dw | CLASS_STX;
    return this.#add({ code, target: base.number, source: source.number, offset, immediate: ALU.add });
  }

  /** The register becomes the address of the map with this descriptor. */
  map(target: Register, fd: number): this {
    const code = CLASS_LD | SIZE.dw;
    this.#add({ code, target: target.number, source: PSEUDO_MAP_FD, immediate: fd });
    return this.#add({ code: 0 });
  }

  /** Calls one of the kernel's functions, whose arguments are in R1 … R5. */
  call(helper: keyof typeof HELPER): this {
    return this.#add({ code: CALL | CLASS_JMP, immediate: HELPER[helper] });
  }

  /** Goes on at the label. */
  jump(label: string): this {
    return this.#add({ code: JUMP_ALWAYS | CLASS_JMP, label });
  }

  /** Goes on at the label if (register) (condition) (operand). */
  jumpIf(target: Register, condition: Condition, operand: Operand, label: string): this {
    return this.#binary(JUMP[condition] | CLASS_JMP, target, operand, label);
  }

  /**
   * What comes next can be jumped to, from earlier places: loops are not for such programs.
   *
   * @throws {RangeError} if there is such a label already
   */
  label(name: string): this {
    if (this.#labels.has(name)) throw new RangeError(`There is a label ${name} already`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** Ends the program; R0 is what becomes of the packet. */
  exit(): this {
    return this.#add({ code: EXIT | CLASS_JMP });
  }

  /**
   * The program as the kernel loads it.
   *
   * @throws {RangeError} if a label is missing, or stands before a jump to it
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
    if (to === undefined) throw new RangeError(`There is no label ${label}`);
    if (to <= from) throw new RangeError(`The label ${label} stands before a jump to it`);
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
