/**
 * Synchronous calls between two threads through shared memory: the caller blocks until the server has executed the
 * call. The server executes one call at a time. Made for a worker that never returns to its event loop, and so never
 * receives messages.
 *
 * ```
 *  0  state: idle, command, answer, closed
 *  4  bytes of the command or answer
 *  8  bytes of the reason for the close
 * 16  reason for the close, UTF-8; an area of its own, since a worker may close while a command is being written
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

/** Default size of the shared memory, in bytes. */
const DEFAULT_SIZE = 64 * 1024;

/** Default time limit of a call, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** The worker has crashed, does not answer, or was closed. Every call fails from then on. */
export class DataPlaneClosed extends Error {
  /** Set explicitly, since minification renames the class. */
  override readonly name = "DataPlaneClosed";
}

/** An error as it crosses the threads: enough to construct an error of the same class. */
interface ErrorPayload {
  readonly kind: "syscall" | "range" | "other";
  readonly message: string;
  readonly errno?: number;
}

/** The content of the memory in state `ANSWER`. */
type Answer = { readonly result: unknown } | { readonly refusal: ErrorPayload };

/** The shared memory; both sides use this class. */
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

  /** Writes a command or answer. Returns false, and writes nothing, if it is too long. */
  write(body: Uint8Array): boolean {
    if (body.length > this.capacity) return false;
    this.#bytes.set(body, BODY_START);
    this.words[LENGTH] = body.length;
    return true;
  }

  read(): unknown {
    // A copy, since `TextDecoder` does not accept shared memory.
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

/** Options of a {@link SyncCaller}. */
export interface SyncCallerOptions {
  /** Wakes the server, so that it calls {@link SyncServer.serve} soon. */
  readonly signal: () => void;
  /** Time limit of a call, in milliseconds; default 10 seconds. */
  readonly timeoutMs?: number | undefined;
  /** Size of the shared memory in bytes; default 64 KiB. */
  readonly size?: number | undefined;
}

/** The side that calls and waits. */
export class SyncCaller {
  /** The memory to pass to the {@link SyncServer}. */
  readonly memory: SharedArrayBuffer;
  readonly #shared: CallMemory;
  readonly #signal: () => void;
  readonly #timeoutMs: number;

  /** Allocates the shared memory. */
  constructor(options: SyncCallerOptions) {
    this.memory = new SharedArrayBuffer(options.size ?? DEFAULT_SIZE);
    this.#shared = new CallMemory(this.memory);
    this.#signal = options.signal;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Returns true if either side has closed the memory. */
  get closed(): boolean {
    return Atomics.load(this.#shared.words, STATE) === CLOSED;
  }

  /**
   * Marks the memory as closed: later calls fail at once. A server that still runs ends at its next look at `closed`.
   */
  close(reason: string): void {
    if (!this.closed) this.#shared.close(reason);
  }

  /**
   * Executes a command on the server and returns its answer. Command and answer must be serializable as JSON. Blocks
   * the calling thread.
   *
   * @throws {DataPlaneClosed} if the server is closed, or does not answer in time; then it counts as closed from then
   * on
   * @throws {SyscallError} {RangeError} {Error} the error that the server's `execute` threw
   * @throws {RangeError} if the command is too long
   */
  call(command: unknown): unknown {
    const shared = this.#shared;
    const body = new TextEncoder().encode(JSON.stringify(command));
    if (this.closed) throw new DataPlaneClosed(shared.reason);
    if (!shared.write(body)) {
      throw new RangeError(`Cannot send a command of ${body.length} bytes: at most ${shared.capacity}`);
    }
    // Not a plain store: the server may have closed the memory in this moment.
    Atomics.compareExchange(shared.words, STATE, IDLE, COMMAND);
    this.#signal();
    this.#awaitAnswer();
    const answer = shared.read() as Answer;
    Atomics.compareExchange(shared.words, STATE, ANSWER, IDLE);
    if ("refusal" in answer) throw errorOf(answer.refusal);
    return answer.result;
  }

  #awaitAnswer(): void {
    const { words } = this.#shared;
    const end = performance.now() + this.#timeoutMs;
    for (;;) {
      const state = Atomics.load(words, STATE);
      if (state === ANSWER) return;
      if (state === CLOSED) throw new DataPlaneClosed(this.#shared.reason);
      const left = end - performance.now();
      if (left <= 0) break;
      Atomics.wait(words, STATE, state, left);
    }
    this.close(`The data path has not answered for ${this.#timeoutMs} ms`);
    throw new DataPlaneClosed(this.#shared.reason);
  }
}

/** The side that executes calls. */
export class SyncServer {
  readonly #shared: CallMemory;

  /** Uses the memory of a {@link SyncCaller}. */
  constructor(memory: SharedArrayBuffer) {
    this.#shared = new CallMemory(memory);
  }

  /** Returns true if the caller has closed the memory, or {@link close} was called. */
  get closed(): boolean {
    return Atomics.load(this.#shared.words, STATE) === CLOSED;
  }

  /**
   * Executes the pending command, if there is one. The answer is the return value of `execute`, which must be
   * serializable as JSON, or the error that it throws. Never throws itself.
   */
  serve(execute: (command: unknown) => unknown): void {
    const { words } = this.#shared;
    if (Atomics.load(words, STATE) !== COMMAND) return;
    let answer: Answer;
    try {
      answer = { result: execute(this.#shared.read()) };
    } catch (error) {
      answer = { refusal: payloadOf(error) };
    }
    if (!this.#shared.write(encode(answer))) {
      this.#shared.write(encode({ refusal: payloadOf(new RangeError("The answer is too long")) }));
    }
    Atomics.compareExchange(words, STATE, COMMAND, ANSWER);
    Atomics.notify(words, STATE);
  }

  /** Closes the memory: pending and later calls fail with `reason`. */
  close(reason: string): void {
    this.#shared.close(reason);
  }
}

function encode(answer: Answer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer));
}

function payloadOf(error: unknown): ErrorPayload {
  if (error instanceof SyscallError) return { kind: "syscall", message: error.call, errno: error.errno };
  if (error instanceof RangeError) return { kind: "range", message: error.message };
  return { kind: "other", message: error instanceof Error ? error.message : String(error) };
}

function errorOf({ kind, message, errno = 0 }: ErrorPayload): Error {
  switch (kind) {
    case "syscall":
      return new SyscallError(message, errno);
    case "range":
      return new RangeError(message);
    case "other":
      return new Error(message);
  }
}
