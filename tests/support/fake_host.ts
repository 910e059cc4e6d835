/**
 * In-memory implementations of all ports of the command line: namespaces with an L2TP subsystem and interfaces, files,
 * names, a clock. Tests run whole command lines against them and inspect the output.
 *
 * @module
 */

import { ResolveError } from "../../ffi/sockets/resolve.ts";
import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import type { HookProcess } from "../../src/apply/target.ts";
import type { PppdTrial } from "../../src/model/ppp/pppd.ts";
import type { PendingTunnel } from "../../src/model/pending_tunnel.ts";
import * as commands from "../../src/cli/lazy.ts";
import type { CliPorts, LazyPorts, SystemFacts, SystemPorts } from "../../src/cli/ports.ts";
import type { Inspection } from "../../src/doctor/facts.ts";
import { KERNEL_DEBUGFS_PATH } from "../../src/driver/system/kernel_debugfs.ts";
import type { Options } from "../../src/cli/grammar/options.ts";
import { run } from "../../src/cli/run.ts";
import { findFamily } from "../../src/client/genl_family.ts";
import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { L2tpEvents } from "../../src/client/l2tp_events.ts";
import { L2tpTrace } from "../../src/client/daemon/trace.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { emptyL2tpClient } from "../../src/client/daemon/empty_subsystem.ts";
import { openSubsystem, type UserSubsystem } from "../../src/client/subsystem.ts";
import { DaemonClient, daemonL2tpClient } from "../../src/client/daemon/client.ts";
import type { DaemonFacts } from "../../src/doctor/facts.ts";
import { prometheusText } from "../../src/driver/metrics/prometheus_text.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { NetlinkConnection } from "../../src/driver/netlink/connection.ts";
import { L2TPD_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { encodeL2tpdText, L2TPD_CMD } from "../../src/wire/l2tpd/family.ts";
import type { NetlinkMessage } from "../../src/wire/netlink/message.ts";
import { decodePppRequest, type PppRequest, type PppSessionStatus } from "../../src/wire/l2tpd/ppp.ts";
import { ack, type Batching, dump, FakeTransport, type KernelFunction, refuse } from "./fake_kernel.ts";
import { FakeL2tpKernel, FAMILY_ID } from "./fake_l2tp_kernel.ts";
import { FakeLinks } from "./fake_links.ts";
import { FakeNotifications } from "./fake_notifications.ts";
import type { FakeScreen } from "./fake_screen.ts";

/** A network namespace. */
export class FakeNamespace {
  /** Interfaces of the namespace. */
  readonly links: FakeLinks = new FakeLinks();
  /** Tunnels and sessions of the namespace. */
  readonly l2tp: FakeL2tpKernel = new FakeL2tpKernel(this.links);
  /** The daemon's tunnels and sessions in it. */
  readonly user: FakeL2tpKernel = new FakeL2tpKernel(this.links);
  /** Drop counters of the namespace, as the daemon's JSON rows. */
  readonly drops: string[] = [];
  /** Offloads, as the daemon's JSON rows. */
  readonly offloads: string[] = [];
  /** On what the daemon was asked to run PPP, and how. */
  readonly pppRequests: PppRequest[] = [];
  /** Requests to end PPP or to replace its secrets. */
  readonly pppChanges: PppRequest[] = [];
  /** Status of the PPP sessions. */
  readonly pppSessions: PppSessionStatus[] = [];
  /** The error number with which the daemon refuses to run PPP. */
  pppRefusal: number | undefined;

  /** Answers as the daemon. */
  readonly daemon: KernelFunction = (request) =>
    request.type === L2TPD_FAMILY_ID ? this.#own(request) : this.user.handle(request);

  #own(request: NetlinkMessage): readonly NetlinkMessage[] {
    const command = request.payload[0]!;
    if (PPP_CHANGES.includes(command)) {
      const wanted = decodePppRequest(request.payload);
      const isNew = command === L2TPD_CMD.PPP;
      if (isNew && this.pppRefusal !== undefined) return [refuse(request, this.pppRefusal)];
      const runs = this.pppSessions.some(({ tunnelId, sessionId }) =>
        tunnelId === wanted.tunnelId && sessionId === wanted.sessionId
      );
      if (!isNew && !runs) return [refuse(request, Errno.ENODEV)];
      (isNew ? this.pppRequests : this.pppChanges).push(wanted);
      return [ack(request)];
    }
    const texts = command === L2TPD_CMD.DROPS
      ? this.drops
      : command === L2TPD_CMD.OFFLOADS
      ? this.offloads
      : command === L2TPD_CMD.PPP_STATUS
      ? this.pppSessions.map((session) => JSON.stringify(session) + "\n").join("").match(/[^]{1,50}/g) ?? []
      : this.user.debugfs().match(/[^]{1,50}/g)!;
    return dump(request, texts.map((text) => encodeL2tpdText(command, text)));
  }
}

/** The daemon: it runs, it does not, or every connection fails like this. */
export type FakeDaemon = "running" | "absent" | Error;

/** Result of a command line. */
export interface Outcome {
  /** Exit code. */
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** PPP requests that the daemon accepts for a session. */
const PPP_CHANGES: readonly number[] = [L2TPD_CMD.PPP, L2TPD_CMD.PPP_SECRETS, L2TPD_CMD.PPP_END];

/** Descriptors that the fake process returns. */
const NETNS_FD = 100;
const SOCKET_FD = 77;
/** Process id of the daemon that the fake process starts. */
const DAEMON_PID = 4242;

/** Ports of a host with one namespace, which has only an interface `eth0` with 10.0.0.1 and fd00::1. */
export class FakeHost {
  /** The namespace the program is started in. */
  readonly home: FakeNamespace = new FakeNamespace();
  /** The others, by name. */
  readonly namespaces: Map<string, FakeNamespace> = new Map();
  /** Lines of files. */
  readonly files: Map<string, readonly (string | undefined)[]> = new Map();
  /** Files that every user can read. */
  readonly publicFiles: Set<string> = new Set();
  /** Error of starting pppd, and the arguments of the attempts. */
  pppd: Omit<PppdTrial, "file"> = {};
  readonly pppdTrials: string[] = [];
  /** Addresses of hosts. */
  readonly hosts: Map<string, readonly string[]> = new Map();
  /** The environment. */
  readonly env: Map<string, string> = new Map();
  /** Notifications for the listener. */
  readonly notifications: FakeNotifications = new FakeNotifications();
  /** Notifications for the listener of the daemon. */
  readonly userNotifications: FakeNotifications = new FakeNotifications();
  /** Trace events for the listener of the daemon. */
  readonly traces: FakeNotifications = new FakeNotifications();
  /** State of the daemon. */
  daemon: FakeDaemon = "absent";
  /** Error of every request to the running daemon, also on open connections. */
  userDaemonFails: Error | undefined;
  /** Number of started daemons. */
  starts = 0;
  /** Error of starting a daemon. */
  startFails: Error | undefined;
  /** Another daemon starts first. */
  rival = false;
  /** Arguments of `l2tp daemon`. */
  readonly daemonWords: (readonly string[])[] = [];
  /** Declared tunnels that are not set up, as the daemon reports them. */
  declared: readonly PendingTunnel[] = [];
  /** The hooks that were run. */
  readonly hooks: HookProcess[] = [];
  /** Error of a hook; `undefined` on success. */
  hookFails: (hook: HookProcess) => Error | undefined = () => undefined;
  /** The scoped tunnels that were made: their scopes. */
  readonly scopes: string[] = [];
  /** Every connection that was opened, for the test whether all were closed. */
  readonly transports: FakeTransport[] = [];
  /** The journal of a daemon that ended without taking its tunnels down. */
  leftBehind: string | undefined = undefined;
  /** Standard output is a terminal. */
  terminal = false;
  /** Standard input is a terminal, too. */
  interactive = false;
  /** The options that interactive mode was started with. */
  readonly shells: Options[] = [];
  /** debugfs can be read. */
  debugfs = true;
  /** Packing of replies into datagrams. */
  batching: Batching = "doneAlone";
  /** Transports support sending without blocking, like the real one. */
  background = true;
  /** Facts about the system. */
  system: SystemFacts = {
    kernelRelease: "6.1.0-41-amd64",
    distribution: "debian",
    hasModule: () => false,
    forbiddenBy: () => undefined,
  };
  /** Facts for the doctor. */
  machine: Inspection = {
    kernelRelease: "6.1.0-41-amd64",
    modules: [],
    tunError: undefined,
    capabilities: new Set(["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN"]),
    sysctls: new Map(),
    reversePathDrops: 0,
    udpBufferDrops: 0,
    ports: [],
    missingOffloads: new Map(),
  };
  /** Facts about the daemon for the doctor. */
  daemonFacts: DaemonFacts = {
    path: "/run/l2tp/api.sock",
    trouble: "absent",
    pid: undefined,
    version: undefined,
    descriptors: undefined,
    leftBehind: undefined,
  };
  /** The time: the local one, so that tests need no time zone. */
  time = new Date(2026, 10, 22, 12, 7, 28, 123);
  /** The clock that only runs forward, in milliseconds. */
  clockMs = 1_000_000;
  /** Called while the program sleeps. */
  onSleep: () => void = () => {};
  /** The terminal, if there is one. */
  screen: FakeScreen | undefined = undefined;
  #present = this.home;
  #out = "";
  #err = "";
  readonly #interrupts = new Set<() => void>();

  /** Makes the interface. */
  constructor() {
    this.home.links.add("eth0", { up: true, state: "up" });
    this.home.links.addAddress("eth0", "10.0.0.1", 24);
    this.home.links.addAddress("eth0", "fd00::1", 64);
    this.home.l2tp.listeners.add(this.notifications);
    this.home.user.listeners.add(this.userNotifications);
  }

  /** Adds a namespace. */
  addNamespace(name: string): FakeNamespace {
    const namespace = new FakeNamespace();
    const fd = NETNS_FD + this.namespaces.size;
    this.namespaces.set(name, namespace);
    const others = [this.home, ...this.namespaces.values()];
    for (const { links } of others) {
      const before = links.namespaceOf;
      links.namespaceOf = (number) => (number === fd ? namespace.links : before(number));
    }
    return namespace;
  }

  /** Runs `l2tp` with these words (one text is split at its spaces). */
  async run(line: string | readonly string[]): Promise<Outcome> {
    this.#out = this.#err = "";
    this.#present = this.home;
    const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
    const code = await run(words, this.ports);
    return { code, out: this.#out, err: this.#err };
  }

  /** Runs lines that must succeed, to prepare a test. */
  async prepare(...lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const { code, err } = await this.run(line);
      if (code !== 0) throw new Error(`Cannot prepare: "${line}" ended with ${code}: ${err}`);
    }
    this.home.l2tp.commands.length = 0;
    this.home.links.steps.length = 0;
  }

  /** The user presses Ctrl-C. */
  interrupt(): void {
    for (const action of this.#interrupts) action();
  }

  /** Number of registered interrupt handlers. */
  get interruptHandlers(): number {
    return this.#interrupts.size;
  }

  /** Moves back to the namespace that the program was started in. */
  leaveNetns(): void {
    this.#present = this.home;
  }

  /** Number of connections that were opened but never closed, or closed twice. */
  get leaks(): number {
    return this.transports.filter((transport) => transport.disposals !== 1).length;
  }

  #transport(handle: KernelFunction): FakeTransport {
    const transport = new FakeTransport(handle, { batching: this.batching, background: this.background });
    this.transports.push(transport);
    return transport;
  }

  #connect(handle: KernelFunction): NetlinkConnection {
    return new NetlinkConnection(this.#transport(handle));
  }

  #kernelClient(): L2tpClient | undefined {
    using stack = new DisposableStack();
    const { l2tp } = this.#present;
    const connection = stack.use(this.#connect(l2tp.handle));
    const options = { acceptsDuplicateSessions: l2tp.acceptsDuplicates };
    const family = findFamily(connection, "l2tp");
    if (family === undefined) return undefined;
    stack.move();
    return new L2tpClient(connection, family, options);
  }

  #userClient(): L2tpClient {
    if (this.daemon instanceof Error) throw this.daemon;
    if (this.userDaemonFails !== undefined) throw this.userDaemonFails;
    const { daemon } = this.#present;
    return daemonL2tpClient(this.#transport((request) => {
      if (this.userDaemonFails !== undefined) throw this.userDaemonFails;
      return daemon(request);
    }));
  }

  readonly #userSubsystem: UserSubsystem = {
    connect: async () => await (this.daemon === "absent" ? undefined : this.#userClient()),
    leftBehind: () => this.leftBehind,
    emptyClient: emptyL2tpClient,
    absent: () => new DaemonError("absent", "/run/l2tp/api.sock"),
    start: () => {
      this.starts++;
      if (this.startFails !== undefined) return Promise.reject(this.startFails);
      this.daemon = "running";
      return Promise.resolve({ client: this.#userClient(), pid: this.rival ? undefined : DAEMON_PID });
    },
  };

  #connectDaemon(): DaemonClient | undefined {
    if (this.daemon instanceof Error) throw this.daemon;
    if (this.daemon === "absent") return undefined;
    const transport = new FakeTransport(this.#present.daemon, { batching: this.batching });
    this.transports.push(transport);
    return new DaemonClient(new NetlinkConnection(transport));
  }

  #namespace(name: string): FakeNamespace {
    const namespace = this.namespaces.get(name);
    if (namespace === undefined) throw new SyscallError(`open("/var/run/netns/${name}")`, Errno.ENOENT);
    return namespace;
  }

  /** The ports that are there from the start. */
  readonly ports: CliPorts = this.#makePorts();

  /** The ports that are loaded when they are used. */
  readonly lazy: LazyPorts = this.#makeLazyPorts();

  #makePorts(): CliPorts {
    // deno-lint-ignore no-this-alias -- `ports` has getters of its own, in which `this` is another
    const world = this;
    return {
      out: (text) => void (this.#out += text),
      err: (text) => void (this.#err += text),
      get terminal() {
        return world.terminal;
      },
      get interactive() {
        return world.interactive;
      },
      env: (name) => this.env.get(name),
      loadLazy: () => Promise.resolve(this.lazy),
      openL2tp: (choice, purpose) =>
        openSubsystem(choice, purpose, {
          kernel: () => this.#kernelClient(),
          user: () => this.#userSubsystem,
        }),
      enterNetns: (name) => void (this.#present = this.#namespace(name)),
    };
  }

  #makeLazyPorts(): LazyPorts {
    return {
      commands,
      terminal: {
        openFullScreen: () => this.screen,
        onInterrupt: (action) => {
          this.#interrupts.add(action);
          return { [Symbol.dispose]: () => void this.#interrupts.delete(action) };
        },
      },
      clock: {
        now: () => this.time,
        monotonicMs: () => this.clockMs,
        sleep: (ms, abort) => {
          if (!abort.aborted) this.clockMs += ms;
          this.onSleep();
          return Promise.resolve();
        },
      },
      files: {
        readLines: (path) => this.#readLines(path),
        write: (path, text) => void this.files.set(path, text.split("\n")),
        readPrivateFile: (path) => {
          if (this.publicFiles.has(path)) return undefined;
          const text = [...this.#readLines(path)].filter((line) => line !== undefined).join("\n");
          return { path, text, stamp: `stamp of ${text.length}` };
        },
      },
      system: this.#makeSystemPorts(),
      network: {
        openLinks: (netns) => {
          const { links } = netns === undefined ? this.#present : this.#namespace(netns);
          return new LinkClient(this.#connect(links.handle));
        },
        moveLink: (links, index, netns): void => {
          this.#namespace(netns);
          const netnsFd = NETNS_FD + [...this.namespaces.keys()].indexOf(netns);
          links.changeLink(index, { netnsFd });
        },
        openEvents: (dataplane) => {
          const source = dataplane === "user" ? this.userNotifications : this.notifications;
          return new L2tpEvents(source, FAMILY_ID);
        },
        createScopedTunnel: (l2tp, tunnel, scope): void => {
          if (this.#present.links.byName(scope) === undefined) {
            throw new SyscallError(`if_nametoindex("${scope}")`, Errno.ENODEV);
          }
          this.scopes.push(scope);
          const { local, peer, localPort, peerPort } = tunnel;
          this.#present[l2tp.dataplane === "user" ? "user" : "l2tp"].sockets.set(SOCKET_FD, {
            local: local!,
            peer: peer!,
            localPort,
            peerPort,
          });
          l2tp.createTunnel({ ...tunnel, fd: SOCKET_FD });
        },
        kernelHasL2tp: () => this.#present.l2tp.hasFamily,
      },
      daemon: {
        openTrace: () => new L2tpTrace(this.traces),
        connect: () => this.#connectDaemon(),
        start: async () => {
          const daemon = this.#connectDaemon();
          if (daemon !== undefined) return { daemon, startedPid: undefined };
          const { client, pid } = await this.#userSubsystem.start();
          client[Symbol.dispose]();
          return { daemon: this.#connectDaemon()!, startedPid: pid };
        },
        pendingTunnels: () => this.declared,
        inspect: () => this.daemonFacts,
      },
      metricsText: prometheusText,
      runDaemon: (words) => {
        this.daemonWords.push(words);
        return Promise.resolve(0);
      },
      runShell: (options) => {
        this.shells.push(options);
        return Promise.resolve(0);
      },
    };
  }

  #makeSystemPorts(): SystemPorts {
    // deno-lint-ignore no-this-alias -- the ports have getters of their own, in which `this` is another
    const world = this;
    return {
      get kernelRelease() {
        return world.system.kernelRelease;
      },
      get distribution() {
        return world.system.distribution;
      },
      hasModule: (name) => this.system.hasModule(name),
      forbiddenBy: (name) => this.system.forbiddenBy(name),
      kernelTimerHz: () => 1000,
      debugfsPath: KERNEL_DEBUGFS_PATH,
      readDebugfs: () => (this.debugfs ? this.#present.l2tp.debugfs() : undefined),
      netnsNames: () => [...this.namespaces.keys()],
      netnsName: () => [...this.namespaces].find(([, namespace]) => namespace === this.#present)?.[0] ?? "",
      resolveHost: (host, family) => {
        const addresses = this.hosts.get(host)?.filter((address) =>
          family === undefined || address.includes(":") === (family === 6)
        );
        if (addresses === undefined) throw new ResolveError(host, -2, "Name or service not known");
        return addresses;
      },
      pathTo: ({ peer }) =>
        this.#present.l2tp.unreachable.has(peer) ? { code: "ENETUNREACH" } : { mtu: 1500 },
      inspect: () => this.machine,
      programPath: undefined,
      openHooks: (write) => ({
        run: (hook) => {
          this.hooks.push(hook);
          const fails = this.hookFails(hook);
          return fails === undefined ? Promise.resolve() : Promise.reject(fails);
        },
        tell: write,
        interrupt: () => {},
        settled: () => Promise.resolve(),
      }),
      tryPppd: (path) => {
        this.pppdTrials.push(path);
        return Promise.resolve({ file: `/${path.replace(/^\/+/, "")}`, ...this.pppd });
      },
    };
  }

  #readLines(path: string): readonly (string | undefined)[] {
    const lines = this.files.get(path);
    if (lines === undefined) throw new SyscallError(`open("${path}")`, Errno.ENOENT);
    return lines;
  }
}
