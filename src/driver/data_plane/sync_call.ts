/**
 * Calls from one thread to another through shared memory: the caller waits, the other side serves one call at a time
 * whenever it looks. For a worker that never returns to its event loop and so never gets messages.
 *
 * ```
 *  0  state: idle, command, answer, closed
 *  4  bytes of the command or answer
 *  8  bytes of the reason of the end
 * 16  reason of the end, UTF-8; apart from the rest since a worker may die while a command is being written
 *  …  command or answer, JSON in UTF-8
 * ```
 *
 * @module
 */

import { SyscallError } from "../../base/errors.ts";

const STATE = 0;
const LENGTH = 1;
const REASON_LENGTH = 2;

const IDLE = 0;
const COMMAND = 1;
const ANSWER = 2;
const CLOSED = 3;

const REASON_START = 16;
const BODY_START = 1024;

/** Bytes of memory unless another number is given. */
const DEFAULT_SIZE = 64 * 1024;

/** How long a call waits for its answer, in milliseconds, unless another time is given. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** The thread that moves the packets has crashed or does not answer: nothing can be asked of it any more. */
export class DataPlaneClosed extends Error {
  /** Name of the class, which survives minification. */
  override readonly name = "DataPlaneDead";
}

/** How an error crosses: what its kind needs to be made again. */
interface Refusal {
  readonly kind: "syscall" | "range" | "other";
  readonly message: string;
  readonly errno?: number;
}

/** What is in the memory as an answer. */
type Answer = { readonly result: unknown } | { readonly refusal: Refusal };

/** The memory as both sides see it. */
class CallMemory {
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, REASON_START / 4);
    this.#bytes = new Uint8Array(memory);
  }

  get capacity(): number {
    return this.#bytes.length - BODY_START;
  }

  /** Writes a body; false if it is too long. */
  write(body: Uint8Array): boolean {
    if (body.length > this.capacity) return false;
    this.#bytes.set(body, BODY_START);
    this.words[LENGTH] = body.length;
    return true;
  }

  read(): unknown {
    // A copy, since text decoders do not take shared memory.
    const body = this.#bytes.slice(BODY_START, BODY_START + this.words[LENGTH]!);
    return JSON.parse(new TextDecoder().decode(body));
  }

  get reason(): string {
    const end = REASON_START + Atomics.load(this.words, REASON_LENGTH);
    return new TextDecoder().decode(this.#bytes.slice(REASON_START, end));
  }

  close(reason: string): void {
    const text = new TextEncoder().encode(reason).subarray(0, BODY_START - REASON_START);
    this.#bytes.set(text, REASON_START);
    Atomics.store(this.words, REASON_LENGTH, text.length);
    Atomics.store(this.words, STATE, CLOSED);
    Atomics.notify(this.words, STATE);
  }
}

/** What a {@link SyncCaller} is made with. */
export interface SyncCallerOptions {
  /** Makes the other side look, soon. */
  readonly signal: () => void;
  /** How long a call waits for its answer, in milliseconds; 10 seconds unless given. */
  readonly timeoutMs?: number | undefined;
  /** Bytes of memory; 64 KiB unless given. */
  readonly size?: number | undefined;
}

/** The side that calls. */
export class SyncCaller {
  /** To be given to the {@link SyncServer}. */
  readonly memory: SharedArrayBuffer;
  readonly #box: CallMemory;
  readonly #signal: () => void;
  readonly #timeoutMs: number;

  /** With memory of its own. */
  constructor(options: SyncCallerOptions) {
    this.memory = new SharedArrayBuffer(options.size ?? DEFAULT_SIZE);
    this.#box = new CallMemory(this.memory);
    this.#signal = options.signal;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Whether the other side is known to be gone. */
  get closed(): boolean {
    return Atomics.load(this.#box.words, STATE) === CLOSED;
  }

  /** Declares the other side gone: later calls fail at once, and if it lives after all it ends at its next look. */
  close(reason: string): void {
    if (!this.closed) this.#box.close(reason);
  }

  /**
   * Has the other side execute a command (anything that JSON can tell) and gives its answer. Holds the calling thread.
   *
   * @throws {DataPlaneClosed} if the other side is gone, or does not answer in time; it counts as gone from then on
   * @throws {SyscallError} {RangeError} {Error} what the other side refused it with
   * @throws {RangeError} if the command is too long
   */
  call(command: unknown): unknown {
    const box = this.#box;
    const body = new TextEncoder().encode(JSON.stringify(command));
    if (this.closed) throw new DataPlaneClosed(box.reason);
    if (!box.write(body)) {
      throw new RangeError(`Cannot send a command of ${body.length} bytes: at most ${box.capacity}`);
    }
    // Not a plain store: the other side may have died just now.
    Atomics.compareExchange(box.words, STATE, IDLE, COMMAND);
    this.#signal();
    this.#awaitAnswer();
    const answer = box.read() as Answer;
    Atomics.compareExchange(box.words, STATE, ANSWER, IDLE);
    if ("refusal" in answer) throw errorOf(answer.refusal);
    return answer.result;
  }

  #awaitAnswer(): void {
    const { words } = this.#box;
    const end = performance.now() + this.#timeoutMs;
    for (;;) {
      const state = Atomics.load(words, STATE);
      if (state === ANSWER) return;
      if (state === CLOSED) throw new DataPlaneClosed(this.#box.reason);
      const left = end - performance.now();
      if (left <= 0) break;
      Atomics.wait(words, STATE, state, left);
    }
    this.close(`The data path has not answered for ${this.#timeoutMs} ms`);
    throw new DataPlaneClosed(this.#box.reason);
  }
}

/** The side that is called. */
export class SyncServer {
  readonly #box: CallMemory;

  /** On the memory of the {@link SyncCaller}. */
  constructor(memory: SharedArrayBuffer) {
    this.#box = new CallMemory(memory);
  }

  /** Whether the caller has given up on this side, or {@link close} was called. */
  get closed(): boolean {
    return Atomics.load(this.#box.words, STATE) === CLOSED;
  }

  /**
   * Executes the command that waits, if one does, and answers with what `execute` returns (anything that JSON can
   * tell) or throws. Does not throw itself.
   */
  serve(execute: (command: unknown) => unknown): void {
    const { words } = this.#box;
    if (Atomics.load(words, STATE) !== COMMAND) return;
    let answer: Answer;
    try {
      answer = { result: execute(this.#box.read()) };
    } catch (error) {
      answer = { refusal: refusalOf(error) };
    }
    if (!this.#box.write(encode(answer))) {
      this.#box.write(encode({ refusal: refusalOf(new RangeError("The answer is too long")) }));
    }
    Atomics.compareExchange(words, STATE, COMMAND, ANSWER);
    Atomics.notify(words, STATE);
  }

  /** Tells the caller that nothing will be answered any more: calls under way and later ones fail. */
  close(reason: string): void {
    this.#box.close(reason);
  }
}

function encode(answer: Answer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer));
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof SyscallError) return { kind: "syscall", message: error.call, errno: error.errno };
  if (error instanceof RangeError) return { kind: "range", message: error.message };
  return { kind: "other", message: error instanceof Error ? error.message : String(error) };
}

function errorOf({ kind, message, errno = 0 }: Refusal): Error {
  switch (kind) {
    case "syscall":
      return new SyscallError(message, errno);
    case "range":
      return new RangeError(message);
    case "other":
      return new Error(message);
  }
}
