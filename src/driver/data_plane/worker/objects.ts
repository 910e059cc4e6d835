/**
 * The worker's endpoints, tunnels and sessions, by the ids that the main thread assigned, and one data path for each
 * network namespace.
 *
 * @module
 */

import { Endpoint, openWasmChecksum, PacketBatch, PacketVector } from "../../../dataplane/mod.ts";
import type { Epoll } from "../../../../ffi/process/epoll.ts";
import { PacketArena, ReceiveVector, Remote } from "../../../../ffi/packets/mod.ts";
import { encodeInet } from "../../../../ffi/sockets/sockaddr.ts";
import { slotView } from "../counter_slots.ts";
import type {
  AddEndpoint,
  AddSession,
  AddTunnel,
  AttachPpp,
  ChangeSession,
  ObjectId,
  WorkerCommand,
} from "../commands.ts";
import { PacketSender } from "./packet_sender.ts";
import { type EndpointResources, WorkerEndpoint } from "./endpoint.ts";
import { WorkerPath } from "./path.ts";
import type { WorkerReports } from "./reports.ts";
import { type SessionResources, WorkerSession } from "./session.ts";
import type { EventSource } from "./source.ts";
import type { WorkerTunnel } from "./tunnel.ts";

/**
 * Messages that one receive call accepts (each one datagram, or several coalesced by GRO), and packets that a batch
 * holds.
 */
const MESSAGES = 32;
const BATCH_PACKETS = 1024;
/** Frames that one batch reads from a device. */
const FRAMES = 64;
/** Packets that one batch sends. */
const PACKETS = 1024;
/** Longest received datagram in bytes. Neither UDP nor raw sockets accept IPv6 jumbograms. */
const MAX_DATAGRAM = 0x10000;
/**
 * Longest frame in bytes: that of a device with the largest MTU, 65521, or a super-frame, with room for VLAN tags and
 * the `struct virtio_net_hdr`. A frame that fills its slot was truncated; it counts as too long.
 */
const MAX_FRAME = 0x10400;
/** Bytes before each frame, for the packet's headers: the data path requires 64. */
const HEADROOM = 64;
/** Size of a WebAssembly memory page in bytes. */
const PAGE = 0x10000;
/**
 * Memory for the segments that one batch makes. When it is full, the packets are sent before more segments are made.
 */
const SEGMENT_BYTES = 6 * PAGE;

/** Options of {@link DataObjects}. */
export interface DataObjectsOptions {
  /** The worker's epoll set. */
  readonly epoll: Epoll;
  /** Memory of the counter slots. */
  readonly counters: SharedArrayBuffer;
  readonly reports: WorkerReports;
  /** Checksums are computed with WebAssembly SIMD, where the engine supports it. */
  readonly simd: boolean;
}

/** All objects of a worker. */
export class DataObjects {
  readonly #counters: SharedArrayBuffer;
  readonly #reports: WorkerReports;
  readonly #receiving: EndpointResources & { readonly arena: PacketArena };
  readonly #sending: SessionResources;
  readonly #endpoints: Map<number, WorkerEndpoint> = new Map();
  readonly #tunnels: Map<number, WorkerTunnel> = new Map();
  readonly #sessions: Map<number, WorkerSession> = new Map();
  /** Sessions with PPP, by the id of the PPP attachment. */
  readonly #ppps: Map<ObjectId, WorkerSession> = new Map();
  readonly #paths: Map<string, WorkerPath> = new Map();
  /** Key of the namespace whose data path lost its last tunnel most recently. */
  #lastEmptyKey: string | undefined;
  /** The data path of endpoints without tunnels. */
  readonly #idlePath: WorkerPath;

  /** Starts without objects. */
  constructor({ epoll, counters, reports, simd }: DataObjectsOptions) {
    this.#counters = counters;
    this.#reports = reports;
    const received = { slots: MESSAGES, slotSize: MAX_DATAGRAM, headroom: HEADROOM };
    const frames = { slots: FRAMES, slotSize: MAX_FRAME, headroom: HEADROOM };
    const framesAt = PacketArena.size(received);
    const segmentsAt = framesAt + PacketArena.size(frames);
    const pages = Math.ceil((segmentsAt + SEGMENT_BYTES) / PAGE);
    // All packets lie in one memory that never moves: system calls use its addresses, WebAssembly its offsets.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = memory.buffer as ArrayBuffer;
    const checksum = simd ? openWasmChecksum(memory) : undefined;
    const arena = new PacketArena({ ...received, memory: buffer });
    const receive = new ReceiveVector(arena, { control: true });
    const batch = new PacketBatch({
      arena: buffer,
      capacity: BATCH_PACKETS,
      names: receive.names.buffer,
      checksum,
    });
    this.#receiving = { epoll, arena, receive, batch, slotSize: MAX_DATAGRAM };
    const sending = new PacketArena({ ...frames, memory: buffer, memoryOffset: framesAt });
    this.#sending = {
      epoll,
      arena: sending,
      batch: new PacketBatch({ arena: buffer, capacity: FRAMES, checksum }),
      packets: new PacketVector({
        capacity: PACKETS,
        segmentsAt,
        segmentBytes: SEGMENT_BYTES,
        drain: (packets) => (packets.session.consumer as WorkerSession).send(packets),
      }),
      sender: new PacketSender(sending),
      pppLost: (id) => {
        this.#ppps.delete(id);
        reports.pppLost(id);
      },
    };
    this.#idlePath = new WorkerPath({ netnsKey: "", idle: true, memory: this.#receiving, reports });
  }

  /** The source with this epoll tag; `undefined` if it was removed. */
  source(tag: number): EventSource | undefined {
    return this.#endpoints.get(tag) ?? this.#sessions.get(tag);
  }

  /**
   * Executes a command.
   *
   * @throws {SyscallError} if epoll refuses a descriptor
   * @throws {RangeError} if the command contradicts itself or the existing objects
   */
  execute(command: WorkerCommand): void {
    switch (command.op) {
      case "addEndpoint":
        return this.#addEndpoint(command);
      case "addTunnel":
        return this.#addTunnel(command);
      case "addSession":
        return this.#addSession(command);
      case "changeSession":
        return this.#changeSession(command);
      case "attachPpp":
        return this.#attachPpp(command);
      case "changePpp":
        return this.#ppps.get(command.id)?.changePpp(command.changes);
      case "sendPpp":
        return this.#ppps.get(command.id)?.sendPpp(Uint8Array.fromHex(command.frame));
      case "detachPpp":
        return this.#detachPpp(command.id);
      case "removeEndpoint":
        return this.#removeEndpoint(command.id);
      case "removeTunnel":
        return this.#removeTunnel(command.id);
      case "removeSession":
        return this.#removeSession(command.id);
      case "setTrace":
        this.#reports.tracing = command.on;
        return;
      default:
        throw new RangeError(`Unknown command ${command.op}`);
    }
  }

  #addEndpoint(command: AddEndpoint): void {
    const endpoint = new WorkerEndpoint(
      new Endpoint(command.kind, slotView(this.#counters, command.slot)),
      command,
      this.#idlePath,
      this.#receiving,
    );
    endpoint.watch(command.id);
    this.#endpoints.set(command.id, endpoint);
    this.#reports.endpoints.set(endpoint.endpoint, command.id);
  }

  #removeEndpoint(id: number): void {
    const endpoint = getObject(this.#endpoints, id);
    for (const tunnel of endpoint.tunnels) this.#removeTunnel(tunnel);
    endpoint.unwatch();
    this.#endpoints.delete(id);
    this.#reports.endpoints.delete(endpoint.endpoint);
  }

  #addTunnel(command: AddTunnel): void {
    const { id, slot, netnsKey, tunnelId, peerTunnelId, version, connected } = command;
    const endpoint = getObject(this.#endpoints, command.endpoint);
    const known = this.#paths.get(netnsKey);
    if (endpoint.path !== this.#idlePath && endpoint.path !== known) {
      throw new RangeError(`The endpoint has tunnels of another network namespace than "${netnsKey}"`);
    }
    const path = known ?? new WorkerPath({ netnsKey, memory: this.#receiving, reports: this.#reports });
    const peer = command.peer && { ...command.peer, address: Uint8Array.fromHex(command.peer.address) };
    const counters = slotView(this.#counters, slot);
    const spec = { tunnelId, peerTunnelId, version, endpoint: endpoint.endpoint, peer, counters };
    const tunnel = path.path.addTunnel(spec);
    // A raw socket uses no port. UDP cannot send to port 0.
    const port = endpoint.endpoint.isUdp ? peer?.port ?? 0 : 0;
    const unreachable = connected || peer === undefined || (endpoint.endpoint.isUdp && port === 0);
    const remote = unreachable ? undefined : new Remote(encodeInet({ ...peer, port }));
    const gsoBackoff = { refusedBytes: Infinity, untilMs: Infinity };
    this.#tunnels.set(id, {
      tunnel,
      path,
      netnsKey,
      endpoint,
      remote,
      connected,
      gsoBackoff,
      sessions: new Set(),
    });
    this.#paths.set(netnsKey, path);
    path.tunnels++;
    endpoint.path = path;
    endpoint.tunnels.add(id);
  }

  #removeTunnel(id: number): void {
    const { tunnel, path, netnsKey, endpoint, sessions } = getObject(this.#tunnels, id);
    for (const session of sessions) this.#removeSession(session);
    path.path.removeTunnel(tunnel);
    this.#tunnels.delete(id);
    endpoint.tunnels.delete(id);
    if (endpoint.tunnels.size === 0) endpoint.path = this.#idlePath;
    if (--path.tunnels === 0) this.#retainEmptyPath(netnsKey);
  }

  /**
   * Keeps the data path that became empty last, since a namespace whose only tunnel comes and goes would otherwise
   * allocate a path's memory each time. Drops the one that became empty before it.
   */
  #retainEmptyPath(netnsKey: string): void {
    const before = this.#lastEmptyKey;
    if (before !== undefined && before !== netnsKey && this.#paths.get(before)?.tunnels === 0) {
      this.#paths.delete(before);
    }
    this.#lastEmptyKey = netnsKey;
  }

  #addSession(command: AddSession): void {
    const { id, slot, tapFd, tap, session: { cookie, peerCookie, ...parameters } } = command;
    const tunnel = getObject(this.#tunnels, command.tunnel);
    const { path } = tunnel.path;
    if (parameters.pseudowire !== "eth" && tapFd !== undefined) {
      throw new RangeError(
        `A session of pseudowire type ${parameters.pseudowire} cannot have an Ethernet device`,
      );
    }
    const session = path.addSession(tunnel.tunnel, {
      ...parameters,
      cookie: cookie === undefined ? undefined : Uint8Array.fromHex(cookie),
      peerCookie: peerCookie === undefined ? undefined : Uint8Array.fromHex(peerCookie),
      counters: slotView(this.#counters, slot),
    });
    const worker = new WorkerSession(tunnel, session, id, this.#sending);
    try {
      if (tapFd !== undefined) worker.attach({ fd: tapFd, facts: tap });
    } catch (error) {
      path.removeSession(session);
      throw error;
    }
    this.#sessions.set(id, worker);
    tunnel.sessions.add(id);
  }

  #attachPpp({ id, session, tunFd, device, clampMss }: AttachPpp): void {
    const worker = getObject(this.#sessions, session);
    worker.attachPpp(id, { fd: tunFd, facts: device }, { clampMss });
    this.#ppps.set(id, worker);
  }

  #detachPpp(id: ObjectId): void {
    this.#ppps.get(id)?.detach();
    this.#ppps.delete(id);
  }

  #changeSession({ id, changes }: ChangeSession): void {
    const { session, tunnel } = getObject(this.#sessions, id);
    tunnel.path.path.changeSession(session, changes);
  }

  #removeSession(id: number): void {
    const worker = getObject(this.#sessions, id);
    if (worker.pppId !== undefined) this.#ppps.delete(worker.pppId);
    worker.detach();
    worker.tunnel.path.path.removeSession(worker.session);
    worker.tunnel.sessions.delete(id);
    this.#sessions.delete(id);
  }
}

function getObject<T>(objects: ReadonlyMap<number, T>, id: number): T {
  const object = objects.get(id);
  if (object === undefined) throw new RangeError(`Unknown object ${id}`);
  return object;
}
