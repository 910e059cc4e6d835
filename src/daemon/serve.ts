/**
 * Composes the daemon from its parts, and runs it until a signal ends it.
 *
 * @module
 */

import { Errno } from "../base/errno.ts";
import { SyscallError } from "../base/errors.ts";
import { EventHub } from "../base/event_hub.ts";
import type { DataplaneChoice } from "../client/subsystem.ts";
import type { Config } from "../config/schema/settings.ts";
import { DataPlanes } from "../driver/data_plane/planes.ts";
import { IdleMemory } from "../driver/system/idle_memory.ts";
import { returnMemory } from "../driver/system/memory.ts";
import { NetworkNamespaces } from "../driver/system/network_namespaces.ts";
import { notifyServiceManager } from "../driver/system/service_manager.ts";
import type { DaemonFiles } from "../model/daemon_files.ts";
import { Subsystem } from "../subsystem/subsystem.ts";
import { disableCoreDumps } from "../../ffi/process/resource_limit.ts";
import { groupId, UnixListener } from "../../ffi/sockets/unix_listener.ts";
import { Server } from "./api/server.ts";
import { DaemonTarget } from "./config/target.ts";
import type { DaemonEvents } from "./events.ts";
import { commitTo } from "./journal/commit.ts";
import { removeJournal } from "./journal/journal.ts";
import { restoreJournal } from "./journal/restore.ts";
import { offerMetrics } from "./metrics/offer.ts";
import { BpfSessions } from "./platform/bpf_sessions.ts";
import { relayControlMessages } from "./platform/control_messages.ts";
import { Devices } from "./platform/devices.ts";
import { Endpoints } from "./platform/endpoints.ts";
import { LinuxPlatform } from "./platform/linux_platform.ts";
import { SystemOffloads } from "./platform/offloads.ts";
import { KernelPppSessions } from "./ppp/kernel_sessions.ts";
import { PppSessions } from "./ppp/sessions.ts";
import { PppPaths } from "./ppp/userspace_paths.ts";
import type { DaemonOptions } from "./settings/options.ts";
import { onSignals } from "./signals.ts";

/** Members of this group may use the daemon, where it exists; otherwise root alone. */
const GROUP = "l2tp";
/** Each tunnel, session and socket has a slot for its counters. */
const OBJECTS_MAX = 131_072;

const END_SIGNALS = ["SIGTERM", "SIGINT"] as const;
const RELOAD_SIGNALS = ["SIGHUP"] as const;

/** Arguments of {@link serveDaemon}. */
export interface ServeParts {
  /** Its files. */
  readonly files: DaemonFiles;
  /** Its options. */
  readonly options: DaemonOptions;
  /** Its configuration file's content; `undefined` without a file. */
  readonly config: Config | undefined;
  /** The subsystem that the configuration file is for. Default: the daemon's own. */
  readonly dataplane: DataplaneChoice | undefined;
  /** Writes a line for the administrator. */
  readonly log: (line: string) => void;
}

/**
 * Serves until SIGTERM, SIGINT or a crash of the data plane; resolves to which of the two ended it.
 *
 * @throws {FamilyMissingError} if the configuration is for the kernel, which has no L2TP
 * @throws {SyscallError} EADDRINUSE if another daemon has the socket, and others
 */
export async function serveDaemon(
  { files, options, config, dataplane, log }: ServeParts,
): Promise<"signal" | "crash"> {
  // Secrets of PPP and cookies are in memory.
  disableCoreDumps();
  // Others may look for the socket, whose own mode says who may use it.
  Deno.mkdirSync(files.folder, { recursive: true, mode: 0o755 });
  const group = groupOrUndefined();
  using listener = UnixListener.listen(
    files.socket,
    group === undefined ? { mode: 0o600 } : { mode: 0o660, group },
  );
  using namespaces = new NetworkNamespaces();
  const events = new EventHub<DaemonEvents>();
  let end: "signal" | "crash" = "signal";
  events.on("crash", (error) => {
    end = "crash";
    log(`the data plane crashed: ${error.message}`);
  });
  const offloads = new SystemOffloads(options.offloads, log);
  using planes = await DataPlanes.start(options.workers, {
    slots: OBJECTS_MAX,
    simd: offloads.simd,
    onTrace: (event) => events.emit("trace", event),
    onControl: (message) => events.emit("controlReceived", message),
    onCrash: (error) => events.emit("crash", error),
  });
  const devices = new Devices(namespaces, offloads, log);
  using bpf = new BpfSessions({ namespaces, offloads, log });
  const platform = new LinuxPlatform({
    planes,
    namespaces,
    endpoints: new Endpoints(planes, offloads),
    adopted: new Set(),
    devices,
    offloads,
    bpf,
  });
  relayControlMessages(events, platform);
  const subsystem = new Subsystem(platform);
  using journal = restoreJournal(files.journal, options.fresh, { namespaces, subsystem, devices, log });
  const commit = commitTo({ journal, subsystem, devices, log });
  using idleMemory = new IdleMemory({ memory: () => Deno.memoryUsage(), collect: returnMemory });
  const noteActivity = (): void => idleMemory.noteActivity();
  using kernelPpp = new KernelPppSessions(namespaces, log);
  const userPpp = new PppPaths({ subsystem, platform, devices });
  await using ppp = new PppSessions({
    namespaces,
    hold: (request) => kernelPpp.hold(request),
    attach: {
      kernel: (request) => kernelPpp.attach(request),
      user: (request) => userPpp.attachLink(request),
    },
    noteActivity,
    log,
  });
  using target = config === undefined ? undefined : DaemonTarget.open(config, options, {
    api: { subsystem, commit, events },
    namespaces,
    ppp,
    dataplane,
    log,
  });
  const server = new Server({
    listener,
    subsystem,
    namespaces,
    events,
    commit,
    drops: (netns) => platform.drops(netns),
    offloads: (netns) => platform.sessionOffloads(netns),
    pendingTunnels: (netns) => target?.pending(netns) ?? [],
    ppp,
    setTrace: (on) => planes.setTrace(on),
    noteActivity,
    log,
  });
  using _metrics = await offerMetrics(
    options.metrics,
    { subsystem, platform, namespaces, ppp },
    { group, log },
  );
  events.on("crash", () => {
    target?.end();
    server.stop();
  });
  await (target === undefined ? runServer(server) : runTarget(server, target));
  notifyServiceManager("STOPPING=1");
  if (end === "signal" && !options.keep) {
    for (const netns of [...subsystem.namespaces]) {
      for (const error of subsystem.dropNamespace(netns).cleanupErrors) log(error.message);
    }
    removeJournal(files.journal);
  }
  return end;
}

async function runServer(server: Server): Promise<void> {
  using _end = onSignals(END_SIGNALS, () => server.stop());
  notifyReady();
  await server.run();
}

/** Serves, and applies the configuration file meanwhile: its hooks and other clients ask the server. */
async function runTarget(server: Server, target: DaemonTarget): Promise<void> {
  const served = server.run();
  using _end = onSignals(END_SIGNALS, () => target.end());
  using _reload = onSignals(RELOAD_SIGNALS, () => target.reload());
  try {
    await target.run(notifyReady);
  } finally {
    server.stop();
    await served;
  }
}

function notifyReady(): void {
  notifyServiceManager("READY=1");
}

function groupOrUndefined(): number | undefined {
  try {
    return groupId(GROUP);
  } catch (error) {
    if (error instanceof SyscallError && error.errno === Errno.ENOENT) return undefined;
    throw error;
  }
}
