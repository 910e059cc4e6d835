/**
 * pppd as a process that has a PPP session of the kernel: it inherits the session's socket, and takes what else it is to
 * do from a file. Nothing but numbers, names of interfaces and that file's path is on its command line.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { PppdExit } from "../../model/ppp/pppd.ts";
import { inheritableFd, type OwnedFd } from "../../../ffi/fd.ts";
import { PppChannel } from "../../../ffi/kernel/ppp.ts";
import { exitOf, findPppd, PPPD_PLUGIN, spawnPppd } from "./pppd_program.ts";

/** Where it notes process id and interface of a link that has a name, for versions up to 2.4 and from 2.5 on. */
const NOTE_FOLDERS = ["/run", "/run/pppd"];
/** It tells the peer twice that it is over, with three seconds for each answer. */
const END_LIMIT_MS = 7000;

/** How to start it. */
export interface PppdStart {
  /** The session's PPPoL2TP socket. Borrowed: pppd has its own copy. */
  readonly socket: OwnedFd;
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
  /** Absolute path of its file of arguments. */
  readonly file: string;
  /** The longest packet in bytes, either way, unless the file says. */
  readonly mtu: number;
  /** Name for its interface; what the file or pppd says unless given. */
  readonly interfaceName?: string | undefined;
}

let count = 0;

/** A pppd that runs, in a session and process group of its own. */
export class PppdProcess {
  /** Its process id. */
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly ended: Promise<PppdExit>;
  readonly #child: Deno.ChildProcess;
  readonly #notes: readonly string[];
  #isEnded = false;

  private constructor(child: Deno.ChildProcess, link: string) {
    this.#child = child;
    this.pid = child.pid;
    this.#notes = NOTE_FOLDERS.map((folder) => `${folder}/ppp-${link}.pid`);
    this.ended = child.status.then((status) => {
      this.#isEnded = true;
      // One that was killed leaves it behind.
      for (const note of this.#notes) removeQuietly(note);
      return exitOf(status);
    });
  }

  /**
   * Starts it in the network namespace of the calling thread.
   *
   * @throws {SyscallError} ENOENT if it is not there, as `PppChannel.open`, and others
   */
  static start({ socket, tunnelId, sessionId, file, mtu, interfaceName }: PppdStart): PppdProcess {
    const program = findPppd();
    if (program === undefined) throw new SyscallError("pppd", Errno.ENOENT);
    const link = `l2tp-${Deno.pid}-${count++}`;
    freeChannel(socket);
    using inherited = inheritableFd(socket.number);
    const child = spawnPppd(program, [
      ...[...PPPD_PLUGIN, "mtu", String(mtu), "mru", String(mtu), "file", file],
      // Later ones win: these are ours to say.
      ...["pppol2tp", String(inherited.number)],
      ...["pppol2tp_tunnel_id", String(tunnelId), "pppol2tp_session_id", String(sessionId)],
      ...["nodetach", "nopersist", "linkname", link],
      ...(interfaceName === undefined ? [] : ["ifname", interfaceName]),
    ]);
    return new PppdProcess(child, link);
  }

  /** Name of its interface; `undefined` as long as it has none, or may not write down its name. */
  get interfaceName(): string | undefined {
    if (this.#isEnded) return undefined;
    for (const note of this.#notes) {
      // Its process id, and the interface once there is one.
      const [pid, name] = readQuietly(note).split("\n");
      if (pid === String(this.pid) && name !== undefined && name !== "") return name;
    }
    return undefined;
  }

  /** Tells it to end the link, and kills it if it has not after some seconds. Resolves once it has ended. */
  async end(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), END_LIMIT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#isEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended, and nobody was told yet.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Takes the session's channel from the unit of an earlier pppd, which has gone without letting go of it. */
function freeChannel(socket: OwnedFd): void {
  using channel = PppChannel.open(socket);
  try {
    channel.disconnect();
  } catch (error) {
    // It has none.
    if (!(error instanceof SyscallError)) throw error;
  }
}

function readQuietly(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has removed it itself.
  }
}
