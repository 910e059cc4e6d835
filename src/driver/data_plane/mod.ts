/**
 * The main thread's side of the userspace data path. A worker thread moves packets between sockets and devices; this
 * class sends it commands. Every operation except the start is synchronous: the worker has executed the command when
 * the call returns.
 *
 * The caller owns all descriptors. The worker uses their numbers; the caller closes them after the worker has
 * released them.
 *
 * ```ts ignore
 * using plane = await DataPlane.start({ onCrash: (error) => … });
 * const endpoint = plane.addEndpoint({ fd: socket.number, kind: "udp4" });
 * const tunnel = plane.addTunnel({ netnsKey: "", tunnelId: 1, peerTunnelId: 2, version: 3, endpoint, peer });
 * const session = plane.addSession(tunnel, { sessionId: 1, peerSessionId: 2, pseudowire: "eth", tapFd: tap.number });
 * session.counters().rxPackets;
 * endpoint.remove();
 * socket.close();
 * ```
 *
 * @module
 */

import { EventFd } from "../../../ffi/process/eventfd.ts";
import { decodeInet } from "../../../ffi/sockets/sockaddr.ts";
import { CounterSlots } from "./counter_slots.ts";
import {
  type DeviceFacts,
  pppReportBytes,
  type Report,
  REPORTS,
  REPORTS_LENGTH,
  type StartMessage,
  type WorkerCommand,
} from "./commands.ts";
import { EndpointHandle, type HandleOwner, SessionHandle, TunnelHandle } from "./handles.ts";
import type {
  DataPlaneOptions,
  EndpointOptions,
  LostReports,
  PppPathOptions,
  SessionOptions,
  TunnelOptions,
} from "./options.ts";
import { DataPlaneClosed, SyncCaller } from "./sync_call.ts";
import { PppHandle } from "./ppp_handle.ts";
export type {
  ControlMessage,
  DataPlaneOptions,
  EndpointOptions,
  LostReports,
  SessionOptions,
  TunnelOptions,
} from "./options.ts";
export type { EndpointHandle, SessionHandle, TunnelHandle } from "./handles.ts";
export type { DeviceFacts } from "./commands.ts";
export { DataPlaneClosed } from "./sync_call.ts";
export type { PppHandle } from "./ppp_handle.ts";

const DEFAULT_START_MS = 10_000;
/** Longest command in bytes. The largest is a PPP frame of 64 KiB in hex. */
const CALL_BYTES = 160 * 1024;
const PLAIN_TAP: DeviceFacts = { virtio: false, coalesceTcp: false, coalesceUdp: false };

/** A data path that runs in a worker of its own. */
export class DataPlane implements Disposable {
  readonly #options: DataPlaneOptions;
  readonly #slots: CounterSlots;
  readonly #wake: EventFd;
  readonly #caller: SyncCaller;
  readonly #reports = new Int32Array(new SharedArrayBuffer(REPORTS_LENGTH * 4));
  readonly #worker: Worker;
  readonly #endpoints: Map<number, EndpointHandle> = new Map();
  readonly #ppps: Map<number, PppHandle> = new Map();
  readonly #owner: { -readonly [K in keyof HandleOwner]: HandleOwner[K] };
  #lastId = 0;
  #closed = false;
  #crashed = false;

  private constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#slots = new CounterSlots(options.slots);
    this.#wake = EventFd.open();
    const { timeoutMs } = options;
    const signal = (): void => this.#wake.signal();
    this.#caller = new SyncCaller({ signal, timeoutMs, size: CALL_BYTES });
    this.#owner = {
      call: (command) => this.#call(command),
      slots: this.#slots,
      clockOffset: 0,
      forget: (endpoint) => this.#endpoints.delete(endpoint.id),
    };
    this.#worker = new Worker(options.workerUrl ?? new URL("./worker/main.ts", import.meta.url), {
      type: "module",
      name: "l2tp data path",
    });
  }

  /**
   * Starts the worker. It is ready when the promise resolves, and keeps the process alive until {@link close}.
   *
   * @throws {SyscallError} if no descriptors are left
   * @throws {DataPlaneClosed} if the worker does not start
   */
  static async start(options: DataPlaneOptions = {}): Promise<DataPlane> {
    const plane = new DataPlane(options);
    try {
      await plane.#boot();
      const before = performance.now();
      const there = plane.#call({ op: "now" }) as number;
      plane.#owner.clockOffset = (before + performance.now()) / 2 - there;
      return plane;
    } catch (error) {
      plane.#caller.close("The data path did not start");
      plane.close();
      throw error;
    }
  }

  #boot(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_START_MS;
    const timer = setTimeout(
      () => reject(new DataPlaneClosed(`The data path has not started for ${timeoutMs} ms`)),
      timeoutMs,
    );
    let ready = false;
    this.#worker.onmessage = ({ data }: MessageEvent<Report>): void => {
      if (data.type !== "ready") return this.#handleReport(data);
      ready = true;
      resolve();
    };
    this.#worker.onerror = (event): void => {
      // Without this, the error would also be an uncaught exception of this thread.
      event.preventDefault();
      const error = new DataPlaneClosed(event.message);
      reject(error);
      this.#handleCrash(error, ready);
    };
    const start: StartMessage = {
      callMemory: this.#caller.memory,
      wakeFd: this.#wake.number,
      counters: this.#slots.memory,
      reports: this.#reports.buffer as SharedArrayBuffer,
      simd: this.#options.simd ?? true,
    };
    this.#worker.postMessage(start);
    return promise.finally(() => clearTimeout(timer));
  }

  /** True while the worker runs and answers commands. */
  get alive(): boolean {
    return !this.#closed && !this.#crashed && !this.#caller.closed;
  }

  /** Number of counter slots in use by endpoints, tunnels and sessions together. */
  get slotsUsed(): number {
    return this.#slots.used;
  }

  /** Counts the worker's reports that were dropped so far because too many were in flight. */
  lostReports(): LostReports {
    return {
      control: Atomics.load(this.#reports, REPORTS.controlLost),
      trace: Atomics.load(this.#reports, REPORTS.traceLost),
    };
  }

  /**
   * Adds a socket that the worker serves. Until the endpoint has tunnels, the worker drops data packets and passes on
   * control messages only.
   *
   * @throws {SyscallError} EBADF, EEXIST if the socket is an endpoint already, ENOSPC if no counter slot is free
   * @throws {DataPlaneClosed}
   */
  addEndpoint(options: EndpointOptions): EndpointHandle {
    const { fd, kind, gso = false, gro = false, noChecksumTx = false } = options;
    return this.#add((id, slot) => {
      this.#call({ op: "addEndpoint", id, slot, fd, kind, gso, gro, noChecksumTx });
      const endpoint = new EndpointHandle(this.#owner, id, slot);
      this.#endpoints.set(id, endpoint);
      return endpoint;
    });
  }

  /**
   * Adds a tunnel to an endpoint.
   *
   * @throws {RangeError} if the options contradict each other, or the endpoint has tunnels of another network
   * namespace
   * @throws {SyscallError} ENOSPC if no counter slot is free
   * @throws {DataPlaneClosed}
   */
  addTunnel(options: TunnelOptions): TunnelHandle {
    const { endpoint, peer, connected = false, netnsKey, tunnelId, peerTunnelId, version } = options;
    return this.#add((id, slot) => {
      this.#call({
        ...{ op: "addTunnel", id, slot, endpoint: endpoint.id },
        ...{ netnsKey, tunnelId, peerTunnelId, version, connected },
        ...(peer !== undefined && {
          peer: {
            address: peer.address.toHex(),
            ...(peer.port !== undefined && { port: peer.port }),
            ...(peer.scopeId !== undefined && { scopeId: peer.scopeId }),
          },
        }),
      });
      const tunnel = new TunnelHandle(this.#owner, id, slot, endpoint);
      endpoint.tunnels.add(tunnel);
      return tunnel;
    });
  }

  /**
   * Adds a session to a tunnel and starts to forward its packets.
   *
   * @throws {RangeError} if the options contradict each other, or the session id is in use
   * @throws {SyscallError} EBADF, EEXIST if another session uses the device, ENOSPC if no counter slot is free
   * @throws {DataPlaneClosed}
   */
  addSession(tunnel: TunnelHandle, options: SessionOptions): SessionHandle {
    const { tapFd, tap = PLAIN_TAP, cookie, peerCookie, ...parameters } = options;
    return this.#add((id, slot) => {
      this.#call({
        ...{ op: "addSession", id, slot, tunnel: tunnel.id },
        session: { ...parameters, cookie: cookie?.toHex(), peerCookie: peerCookie?.toHex() },
        ...(tapFd !== undefined && { tapFd }),
        tap,
      });
      const session = new SessionHandle(this.#owner, id, slot, tunnel);
      tunnel.sessions.add(session);
      return session;
    });
  }

  /**
   * Attaches PPP to a session. The worker passes PPP control frames to `options.receive`. It forwards IP packets
   * between the session and a TUN device, once {@link PppHandle.change} allows their protocols.
   *
   * @throws {RangeError} if the session does not carry PPP, has PPP attached already, or was removed
   * @throws {SyscallError} EBADF, EEXIST if another session uses the device
   * @throws {DataPlaneClosed}
   */
  attachPpp(session: SessionHandle, options: PppPathOptions): PppHandle {
    const { tunFd, device, clampMss, ...events } = options;
    const id = ++this.#lastId;
    this.#call({ op: "attachPpp", id, session: session.id, tunFd, device, clampMss });
    const ppp = new PppHandle(this.#owner, id, session, events, () => this.#ppps.delete(id));
    this.#ppps.set(id, ppp);
    session.ppp = ppp;
    return ppp;
  }

  /**
   * Turns trace events on or off; they are off at the start.
   *
   * @throws {DataPlaneClosed}
   */
  setTrace(on: boolean): void {
    this.#call({ op: "setTrace", on });
  }

  /**
   * Ends the worker, with everything it forwards. When this returns, the worker no longer touches any descriptor, and
   * its thread is about to end. A second call does nothing. Never throws.
   */
  close(): void {
    if (this.#closed) return;
    let touchesNothing = this.#crashed;
    try {
      this.#call({ op: "exit" });
      touchesNothing = true;
    } catch {
      // The worker crashed or does not answer; either way it cannot end by command.
    }
    this.#closed = true;
    this.#caller.close("The data path was closed");
    this.#worker.terminate();
    // A worker that is alive but does not answer reads the eventfd when it wakes. The kernel must not have reused the
    // descriptor number by then, so the eventfd stays open.
    if (touchesNothing) this.#wake.close();
    else this.#wake.signal();
  }

  /** Same as {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #call(command: WorkerCommand): unknown {
    return this.#caller.call(command);
  }

  /** Creates an object with a new id and a counter slot; frees the slot if `make` throws. */
  #add<T>(make: (id: number, slot: number) => T): T {
    const slot = this.#slots.allocate();
    try {
      return make(++this.#lastId, slot);
    } catch (error) {
      this.#slots.free(slot);
      throw error;
    }
  }

  #handleReport(report: Report): void {
    if (report.type === "trace") {
      Atomics.sub(this.#reports, REPORTS.traceInFlight, 1);
      for (const event of report.events) this.#options.onTrace?.(event);
    } else if (report.type === "ppp") {
      Atomics.sub(this.#reports, REPORTS.pppInFlight, pppReportBytes(report.frame.length));
      this.#ppps.get(report.id)?.events.receive(report.frame);
    } else if (report.type === "pppLost") {
      this.#ppps.get(report.id)?.markLost();
    } else if (report.type === "control") {
      Atomics.sub(this.#reports, REPORTS.controlInFlight, 1);
      const endpoint = this.#endpoints.get(report.endpoint);
      if (endpoint === undefined) return;
      this.#options.onControl?.({ endpoint, bytes: report.bytes, source: decodeInet(report.name) });
    }
  }

  #handleCrash(error: DataPlaneClosed, notify: boolean): void {
    if (this.#crashed || this.#closed) return;
    this.#crashed = true;
    this.#caller.close(error.message);
    if (notify) this.#options.onCrash?.(error);
  }
}
