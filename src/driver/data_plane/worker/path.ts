/**
 * The data path of one network namespace in the worker, and its outputs: frames and packets go to devices; control
 * messages, PPP control frames and trace events go to the main thread.
 *
 * @module
 */

import {
  type CoalescedFrame,
  Coalescer,
  ControlVector,
  DataPath,
  type DataSession,
  FrameVector,
  MAX_COALESCED,
  type PacketBatch,
  type PacketMemory,
  type ReceiveOutput,
} from "../../../dataplane/mod.ts";
import { Errno } from "../../../base/errno.ts";
import { lastErrno } from "../../../../ffi/errno.ts";
import { FrameWriter, PacketArena } from "../../../../ffi/packets/mod.ts";
import type { WorkerReports } from "./reports.ts";
import type { WorkerSession } from "./session.ts";

/** Memory and batch for received packets, shared by all paths of the worker. */
export interface ReceiveMemory {
  readonly arena: PacketArena;
  /** Offsets and lengths of the packets in the arena. */
  readonly batch: PacketBatch;
}

/** Errors of writes to a device that is down (EIO) or was deleted (EBADFD). */
const EIO = 5;
const EBADFD = 77;

const FRAMES = 2048;
const MESSAGES = 64;

/** Reorder limits of a data path that never has a session. */
const IDLE_LIMITS = { packets: 1, bytes: 1, poolBytes: 1 };

/** Options of a {@link WorkerPath}. */
export interface WorkerPathOptions {
  readonly netnsKey: string;
  /** True if the path never has sessions; it then allocates less memory. */
  readonly idle?: boolean;
  readonly memory: ReceiveMemory;
  readonly reports: WorkerReports;
}

/** A data path and its output. */
export class WorkerPath {
  readonly path: DataPath;
  /** Vectors for received packets; flush them before the next batch. */
  readonly out: ReceiveOutput;
  /** Number of tunnels in the path. */
  tunnels = 0;
  readonly #receiveMemory: ReceiveMemory;
  /** The memory of the reorder queues, which holds delayed frames. */
  readonly #reorderArena: PacketArena;
  readonly #coalescer = new Coalescer((frame) => this.#writeJoined(frame));
  readonly #writer = new FrameWriter(MAX_COALESCED);

  /** Starts without tunnels. */
  constructor(options: WorkerPathOptions) {
    const { memory, reports, netnsKey } = options;
    this.path = new DataPath({
      seed: crypto.getRandomValues(new Int32Array(1))[0]!,
      trace: (event, session, ns) => reports.trace(netnsKey, event, session, ns),
      ...(options.idle === true && { reorder: IDLE_LIMITS }),
    });
    this.#receiveMemory = memory;
    const { bytes } = this.path.reorderMemory;
    this.#reorderArena = new PacketArena({
      slots: 1,
      slotSize: bytes.length,
      memory: bytes.buffer as ArrayBuffer,
    });
    this.out = {
      frames: new FrameVector(FRAMES, (frames) => this.#write(frames)),
      control: new ControlVector(MESSAGES, (messages) => reports.control(messages)),
      ppp: new FrameVector(MESSAGES, (frames) => this.#reportPpp(frames, reports)),
    };
  }

  #write(frames: FrameVector): void {
    for (let i = 0; i < frames.count; i++) {
      const session = frames.sessions[i]!;
      const memory = frames.memories[i]!;
      const offset = frames.offsets[i]!;
      const length = frames.lengths[i]!;
      // Only frames of sessions with a device are in the vector.
      const { deviceFd, device } = session.consumer as WorkerSession;
      if (device.virtio) this.#coalescer.add(session, memory, offset, length, device);
      else if (this.#arenaOf(memory).writeFrame(deviceFd, offset, length) < 0) {
        this.#countUndelivered(session, 1);
      }
    }
    this.#coalescer.flush();
  }

  /** Passes PPP control frames to the main thread, as far as the rate limit and the reports in flight allow. */
  #reportPpp(frames: FrameVector, reports: WorkerReports): void {
    const now = performance.now();
    for (let i = 0; i < frames.count; i++) {
      const session = frames.sessions[i]!;
      const worker = session.consumer as WorkerSession;
      if (!worker.mayReport(now)) this.path.undelivered(session, 1, "ppp_control_flood");
      else if (!reports.ppp(worker.pppId!, frames.memories[i]!, frames.offsets[i]!, frames.lengths[i]!)) {
        this.path.undelivered(session, 1, "ppp_control_full");
      }
    }
  }

  #writeJoined(frame: CoalescedFrame): void {
    const writer = this.#writer;
    writer.begin();
    for (let i = 0; i < frame.parts; i++) {
      writer.add(this.#arenaOf(frame.memories[i]!), frame.offsets[i]!, frame.lengths[i]!);
    }
    const { session } = frame;
    if (writer.write((session.consumer as WorkerSession).deviceFd, frame) < 0) {
      this.#countUndelivered(session, frame.parts);
    }
  }

  #arenaOf(memory: PacketMemory): PacketArena {
    return memory === this.#receiveMemory.batch ? this.#receiveMemory.arena : this.#reorderArena;
  }

  /** Counts frames that a device refused. */
  #countUndelivered(session: DataSession, frames: number): void {
    const errno = lastErrno();
    const gone = errno === EIO || errno === EBADFD || errno === Errno.ENETDOWN;
    this.path.undelivered(session, frames, gone ? "not_ready" : "device_full");
  }
}
