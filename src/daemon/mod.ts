/**
 * `l2tp daemon`: the L2TP subsystem in userspace.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { FamilyMissingError, SyscallError } from "../base/errors.ts";
import { formatIpAddress } from "../base/ip_address.ts";
import { disableCoreDumps } from "../../ffi/process/resource_limit.ts";
import { groupId, UnixListener } from "../../ffi/sockets/unix_listener.ts";
import { removeFilterLeftovers } from "../driver/bpf/attachment.ts";
import { DataPlanes } from "../driver/data_plane/planes.ts";
import { type Consequences, Subsystem } from "../subsystem/subsystem.ts";
import type { SubsystemRecord } from "../subsystem/records.ts";
import { BpfSessions } from "./platform/bpf_sessions.ts";
import { Devices } from "./platform/devices.ts";
import { Endpoints } from "./platform/endpoints.ts";
import { returnMemory } from "../driver/system/memory.ts";
import { METRICS_TYPE, metricsText } from "../driver/metrics/exposition.ts";
import { PROGRAM_VERSION } from "../model/version.ts";
import { MetricsEndpoint } from "./metrics/endpoint.ts";
import { type SnapshotParts, takeSnapshot } from "./metrics/snapshot.ts";
import type { DataplaneChoice } from "../client/subsystem.ts";
import type { Config } from "../config/schema/settings.ts";
import { isBad, readDeclaredFile } from "./config/file.ts";
import { DaemonTarget } from "./config/declared_system.ts";
import { Journal, readJournal } from "./journal/journal.ts";
import { NetworkNamespaces } from "../driver/system/network_namespaces.ts";
import { type DaemonOptions, readOptions } from "./settings/options.ts";
import { type DaemonPaths, daemonPaths } from "./settings/paths.ts";
import { KernelPppSessions } from "./ppp/kernel_sessions.ts";
import { PppPaths } from "./ppp/userspace_paths.ts";
import { PppSessions } from "./ppp/sessions.ts";
import { notifyServiceManager } from "../driver/system/service_manager.ts";
import { IdleMemory } from "../driver/system/idle_memory.ts";
import { Server } from "./api/server.ts";
import { SystemOffloads } from "./platform/offloads.ts";
import { LinuxPlatform } from "./platform/linux_platform.ts";

/** Members of this group may use the daemon, where it exists; otherwise root alone. */
const GROUP = "l2tp";
/** Each tunnel, session and socket has a slot for its counters. */
const OBJECTS_MAX = 131_072;

/** CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN. */
const CAPABILITIES = 1n << 12n | 1n << 13n | 1n << 21n;

const EXIT_FAILURE = 1;
const EXIT_USAGE = 255;

/**
 * Runs the daemon in the foreground until SIGTERM or SIGINT. Resolves to the exit code. What it has to say goes to
 * standard error, a line each.
 *
 * @param args `--fresh`, `--keep`, `config FILE`, `--prune`, `offload LIST`, `workers COUNT`, `metrics WHERE`, in the
 *   words that the command line has for them.
 * @param dataplane the subsystem that the configuration file is for; the daemon's own unless given.
 */
export async function runDaemon(args: readonly string[], dataplane?: DataplaneChoice): Promise<number> {
  const options = readOptions(args, Deno.env.get("L2TP_OFFLOAD"));
  if (typeof options === "string") {
    log(options);
    return EXIT_USAGE;
  }
  if (!mayServe()) {
    log(
      "It makes devices and works in network namespaces, so it needs root (CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN)",
    );
    return EXIT_FAILURE;
  }
  const config = options.config === undefined ? undefined : await readDeclaredFile(options.config);
  if (config !== undefined && isBad(config)) {
    for (const line of config.lines) log(line);
    return config.read ? EXIT_USAGE : EXIT_FAILURE;
  }
  try {
    return await serve(daemonPaths(), options, { config, dataplane });
  } catch (error) {
    if (error instanceof FamilyMissingError) {
      log(`Cannot start: ${error.message}`);
      return EXIT_FAILURE;
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      log(`Cannot start: ${error.message}. The daemon needs root.`);
      return EXIT_FAILURE;
    }
    if (error instanceof RangeError) {
      log(`Cannot start: ${error.message}`);
      return EXIT_FAILURE;
    }
    if (!(error instanceof SyscallError)) throw error;
    log(
      error.errno === Errno.EADDRINUSE
        ? `Another daemon is serving ${daemonPaths().socket}`
        : `Cannot start: ${error.message}`,
    );
    return EXIT_FAILURE;
  }
}

/** Whether this process has the capabilities that everything in here takes (`linux/capability.h`). */
function mayServe(): boolean {
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
  return effective !== undefined && (BigInt(`0x${effective}`) & CAPABILITIES) === CAPABILITIES;
}

function log(line: string): void {
  console.error(`l2tp daemon: ${line}`);
}

/** What the daemon is to make of its configuration file. */
interface Declaration {
  /** What the file says; `undefined` without one. */
  readonly config: Config | undefined;
  /** Which subsystem it is for. */
  readonly dataplane: DataplaneChoice | undefined;
}

async function serve(
  paths: DaemonPaths,
  options: DaemonOptions,
  { config, dataplane }: Declaration,
): Promise<number> {
  // Secrets of PPP and cookies are in memory.
  disableCoreDumps();
  // Others may look for the socket, whose own mode says who may use it.
  Deno.mkdirSync(paths.folder, { recursive: true, mode: 0o755 });
  using listener = listen(paths);
  using namespaces = new NetworkNamespaces();
  // The data path can have something to tell before there is anybody to tell it to.
  const offloads = new SystemOffloads(options.offloads, log);
  const serving: { server?: Server; platform?: LinuxPlatform; declared?: DaemonTarget } = {};
  let crashed = false;
  using planes = await DataPlanes.start(options.workers, {
    slots: OBJECTS_MAX,
    simd: offloads.simd,
    onTrace: (event) => serving.server?.trace(event),
    onControl: ({ endpoint, bytes, source }) => {
      const place = serving.platform?.placeOf(endpoint);
      if (place === undefined) return;
      const { netns, local, port } = place;
      const peer = formatIpAddress(source.address);
      serving.server?.control(netns, { local, port, peer, peerPort: source.port, message: bytes });
    },
    onCrash: (error) => {
      crashed = true;
      log(`The data path has crashed: ${error.message}`);
      serving.declared?.end();
      serving.server?.stop();
    },
  });
  const devices = new Devices(namespaces, offloads, log);
  using bpf = new BpfSessions({ namespaces, offloads, log });
  const platform = serving.platform = new LinuxPlatform({
    planes,
    namespaces,
    endpoints: new Endpoints(planes, offloads),
    adopted: new Set(),
    devices,
    offloads,
    bpf,
  });
  const subsystem = new Subsystem(platform);
  using journal = restore(paths, options, { namespaces, subsystem, devices });
  const pppPaths = new PppPaths({ subsystem, platform, devices });
  using rest = new IdleMemory({
    memory: () => Deno.memoryUsage(),
    collect: returnMemory,
  });
  const disturbed = (): void => rest.noteActivity();
  using kernelPpp = new KernelPppSessions(namespaces, log);
  await using ppp = new PppSessions({
    namespaces,
    hold: (request) => kernelPpp.hold(request),
    attach: {
      kernel: (request) => kernelPpp.attach(request),
      user: ({ user, links: _, ...wanted }) => {
        const path = pppPaths.attach({ ...wanted, ...user });
        return { path, mtu: subsystem.pppMtu(wanted.netns, wanted.tunnelId, wanted.sessionId)! };
      },
    },
    disturbed,
    log,
  });
  const server = serving.server = new Server({
    listener,
    subsystem,
    namespaces,
    commit: ({ journalEntries, cleanupErrors }) => {
      for (const error of cleanupErrors) log(error.message);
      journal.append(journalEntries, () => subsystem.records());
      devices.keep();
      journal.compact(subsystem.tunnelCount + subsystem.sessionCount, () => subsystem.records());
    },
    drops: (netns) => platform.drops(netns),
    offloads: (netns) => platform.offloads(netns),
    declared: (netns) => serving.declared?.unsettled(netns) ?? [],
    ppp,
    setTrace: (on) => planes.setTrace(on),
    disturbed,
    log,
  });
  using _endpoint = await offerMetrics(options, { subsystem, platform, namespaces, ppp });
  const ready = (): void => notifyServiceManager("READY=1");
  if (config === undefined) {
    using _signals = onSignals(() => server.stop());
    ready();
    await server.run();
  } else {
    using declared = serving.declared = DaemonTarget.open(config, options, {
      server,
      subsystem,
      namespaces,
      ppp,
      dataplane,
      log,
    });
    // What hooks and clients ask meanwhile is answered.
    const served = server.run();
    using _signals = onSignals(() => declared.end());
    using _reload = onReload(() => declared.reload());
    try {
      await declared.run(ready);
    } finally {
      server.stop();
      await served;
    }
  }
  notifyServiceManager("STOPPING=1");
  if (crashed) return EXIT_FAILURE;
  if (!options.keep) {
    for (const netns of [...subsystem.namespaces]) report(subsystem.dropNamespace(netns));
    removeJournal(paths.journal);
  }
  return 0;
}

/** Metrics that cannot be offered keep no tunnel from working. */
async function offerMetrics(
  { metrics }: DaemonOptions,
  parts: SnapshotParts,
): Promise<MetricsEndpoint | undefined> {
  if (metrics === undefined) return undefined;
  try {
    return await MetricsEndpoint.listen(metrics, {
      text: () => metricsText(takeSnapshot(PROGRAM_VERSION, parts)),
      type: METRICS_TYPE,
      group: groupOrUndefined(),
      log,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const where = metrics.transport === "unix" ? metrics.path : `${metrics.hostname} port ${metrics.port}`;
    log(`goes on without metrics: cannot listen at ${where}: ${error.message}`);
    return undefined;
  }
}

/** It may never have been made: the disk was full. */
function removeJournal(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function listen(paths: DaemonPaths): UnixListener {
  const group = groupOrUndefined();
  return UnixListener.listen(paths.socket, group === undefined ? { mode: 0o600 } : { mode: 0o660, group });
}

function groupOrUndefined(): number | undefined {
  try {
    return groupId(GROUP);
  } catch (error) {
    if (error instanceof SyscallError && error.errno === Errno.ENOENT) return undefined;
    throw error;
  }
}

/** What restoring works on. */
interface RestoreParts {
  readonly namespaces: NetworkNamespaces;
  readonly subsystem: Subsystem;
  readonly devices: Devices;
}

/** Makes what the journal tells of again, and opens the journal anew. */
function restore(paths: DaemonPaths, { fresh }: DaemonOptions, parts: RestoreParts): Journal {
  const { namespaces, subsystem, devices } = parts;
  const { records, damaged } = readJournal(paths.journal);
  for (const { line, reason } of damaged) log(`${paths.journal}:${line}: left out: ${reason}`);
  const found = namespaces.find(new Set(records.map(({ netns }) => netns)));
  const reachable = records.filter(({ netns }) => found.has(netns));
  if (fresh) { for (const record of reachable) removeLeftover(record, devices); }
  else {
    const { leftOut, ...consequences } = subsystem.restore(reachable);
    report(consequences);
    for (const { record, reason } of leftOut) {
      log(
        `${describe(record)} is not restored: ${
          reason === "managed" ? "its socket is gone" : reason.message
        }`,
      );
      removeLeftover(record, devices);
    }
    if (subsystem.tunnelCount > 0) {
      log(
        `restored ${count(subsystem.tunnelCount, "tunnel")} and ${count(subsystem.sessionCount, "session")}`,
      );
    }
  }
  const journal = Journal.create(paths.journal, subsystem.records());
  devices.keep();
  for (const netns of found) namespaces.run(netns, removeFilterLeftovers);
  // Whoever works in them holds them now.
  for (const netns of found) namespaces.release(netns);
  return journal;
}

function report({ cleanupErrors }: Consequences): void {
  for (const error of cleanupErrors) log(error.message);
}

/** Deletes the device that an earlier daemon left for a session that there will not be. */
function removeLeftover(record: SubsystemRecord, devices: Devices): void {
  if (record.kind !== "session" || record.interfaceName === undefined) return;
  try {
    devices.removeLeftover(record.netns, { name: record.interfaceName, index: record.interfaceIndex });
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    log(`device ${record.interfaceName} cannot be deleted: ${error.message}`);
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function describe(record: SubsystemRecord): string {
  return record.kind === "tunnel"
    ? `Tunnel ${record.tunnelId}`
    : `Session ${record.sessionId} in tunnel ${record.tunnelId}`;
}

function onReload(action: () => void): Disposable {
  Deno.addSignalListener("SIGHUP", action);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", action) };
}

function onSignals(action: () => void): Disposable {
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, action);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, action);
    },
  };
}
