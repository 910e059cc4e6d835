/**
 * The data path of one network namespace within the worker, and where what it receives goes: frames and packets to
 * devices, control messages, PPP's control frames and trace events to the main thread.
 *
 * @module
 */

import {
  Coalescer,
  ControlVector,
  DataPath,
  type DataSession,
  FrameVector,
  type JoinedFrame,
  MAX_JOINED,
  type PacketBatch,
  type PacketMemory,
  type ReceiveOutput,
} from "../../../dataplane/mod.ts";
import { Errno } from "../../../base/errno.ts";
import { lastErrno } from "../../../../ffi/errno.ts";
import { FrameWriter, PacketArena } from "../../../../ffi/packets/mod.ts";
import type { WorkerReports } from "./reports.ts";
import type { WorkerSession } from "./session.ts";

/** What all parts of the worker share: the memory and the batch that received packets lie in. */
export interface ReceiveMemory {
  /** The memory. */
  readonly arena: PacketArena;
  /** What lies where. */
  readonly batch: PacketBatch;
}

/** What a device says that is down, and one that was deleted. */
const EIO = 5;
const EBADFD = 77;

const FRAMES = 2048;
const MESSAGES = 64;

/** Of a data path that never has a session. */
const IDLE_LIMITS = { packets: 1, bytes: 1, poolBytes: 1 };

/** What a {@link WorkerPath} is made with. */
export interface WorkerPathOptions {
  /** Key of the network namespace. */
  readonly netnsKey: string;
  /** Whether it never has any session: then it needs less memory. */
  readonly idle?: boolean;
  /** What received packets lie in. */
  readonly memory: ReceiveMemory;
  /** What tells the main thread. */
  readonly reports: WorkerReports;
}

/** A data path and its output. */
export class WorkerPath {
  /** The rules. */
  readonly path: DataPath;
  /** Where received packets go; to be flushed before the next batch. */
  readonly out: ReceiveOutput;
  /** Tunnels that it has. */
  tunnels = 0;
  readonly #received: ReceiveMemory;
  /** The data path's own memory, which frames lie in that had to wait. */
  readonly #waited: PacketArena;
  readonly #coalescer = new Coalescer((frame) => this.#writeJoined(frame));
  readonly #writer = new FrameWriter(MAX_JOINED);

  /** Without tunnels. */
  constructor(options: WorkerPathOptions) {
    const { memory, reports, netnsKey } = options;
    this.path = new DataPath({
      seed: crypto.getRandomValues(new Int32Array(1))[0]!,
      trace: (event, session, ns) => reports.trace(netnsKey, event, session, ns),
      ...(options.idle === true && { reorder: IDLE_LIMITS }),
    });
    this.#received = memory;
    const { bytes } = this.path.reorderMemory;
    this.#waited = new PacketArena({ slots: 1, slotSize: bytes.length, memory: bytes.buffer as ArrayBuffer });
    this.out = {
      frames: new FrameVector(FRAMES, (frames) => this.#write(frames)),
      control: new ControlVector(MESSAGES, (messages) => reports.control(messages)),
      ppp: new FrameVector(MESSAGES, (frames) => this.#report(frames, reports)),
    };
  }

  #write(frames: FrameVector): void {
    for (let i = 0; i < frames.count; i++) {
      const session = frames.sessions[i]!;
      const memory = frames.memories[i]!;
      const offset = frames.offsets[i]!;
      const length = frames.lengths[i]!;
      // Only sessions with a device have frames delivered.
      const { deviceFd, device } = session.consumer as WorkerSession;
      if (device.virtio) this.#coalescer.add(session, memory, offset, length, device);
      else if (this.#arenaOf(memory).writeFrame(deviceFd, offset, length) < 0) this.#refused(session, 1);
    }
    this.#coalescer.flush();
  }

  /** Tells the main thread of control frames of PPP, as far as it keeps up. */
  #report(frames: FrameVector, reports: WorkerReports): void {
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

  #writeJoined(frame: JoinedFrame): void {
    const writer = this.#writer;
    writer.begin();
    for (let i = 0; i < frame.parts; i++) {
      writer.add(this.#arenaOf(frame.memories[i]!), frame.offsets[i]!, frame.lengths[i]!);
    }
    const { session } = frame;
    if (writer.write((session.consumer as WorkerSession).deviceFd, frame) < 0) {
      this.#refused(session, frame.parts);
    }
  }

  #arenaOf(memory: PacketMemory): PacketArena {
    return memory === this.#received.batch ? this.#received.arena : this.#waited;
  }

  /** The device did not take frames. */
  #refused(session: DataSession, frames: number): void {
    const errno = lastErrno();
    const gone = errno === EIO || errno === EBADFD || errno === Errno.ENETDOWN;
    this.path.undelivered(session, frames, gone ? "not_ready" : "device_full");
  }
}
