/**
 * Runs pppd on a PPP session of the kernel. pppd inherits the session's socket and reads its other options from a
 * file. Its command line contains only numbers, interface names and that file's path, no secrets.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import type { PppdExit } from "../../model/ppp/pppd.ts";
import { inheritableFd, type OwnedFd } from "../../../ffi/fd.ts";
import { PppChannel } from "../../../ffi/kernel/ppp.ts";
import { exitOf, findPppd, PPPD_PLUGIN, spawnPppd } from "./pppd_program.ts";

/** Folders where pppd writes process id and interface of a named link: up to version 2.4, and from 2.5 on. */
const PID_FILE_FOLDERS = ["/run", "/run/pppd"];
/** pppd sends Terminate-Request twice, and waits three seconds for each answer. */
const END_LIMIT_MS = 7000;

/** Options of a pppd process. */
export interface PppdStart {
  /** The session's PPPoL2TP socket. Borrowed: pppd gets its own copy. */
  readonly socket: OwnedFd;
  /** Local tunnel id. */
  readonly tunnelId: number;
  /** Local session id. */
  readonly sessionId: number;
  /** Absolute path of pppd's options file. */
  readonly file: string;
  /** Longest packet in bytes, in either direction, unless the file sets another. */
  readonly mtu: number;
  /** Name of the interface; set by the file or by pppd unless given. */
  readonly interfaceName?: string | undefined;
}

let count = 0;

/** A running pppd, in a session and process group of its own. */
export class PppdProcess {
  /** Process id. */
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<PppdExit>;
  readonly #child: Deno.ChildProcess;
  readonly #pidFiles: readonly string[];
  #isEnded = false;

  private constructor(child: Deno.ChildProcess, link: string) {
    this.#child = child;
    this.pid = child.pid;
    this.#pidFiles = PID_FILE_FOLDERS.map((folder) => `${folder}/ppp-${link}.pid`);
    this.ended = child.status.then((status) => {
      this.#isEnded = true;
      // A killed pppd leaves the file behind.
      for (const note of this.#pidFiles) removeQuietly(note);
      return exitOf(status);
    });
  }

  /**
   * Starts pppd in the network namespace of the calling thread.
   *
   * @throws {SyscallError} ENOENT if pppd is not installed, as `PppChannel.open`, and others
   */
  static start({ socket, tunnelId, sessionId, file, mtu, interfaceName }: PppdStart): PppdProcess {
    const program = findPppd();
    if (program === undefined) throw new SyscallError("pppd", Errno.ENOENT);
    const link = `l2tp-${Deno.pid}-${count++}`;
    freeChannel(socket);
    using inherited = inheritableFd(socket.number);
    const child = spawnPppd(program, [
      ...[...PPPD_PLUGIN, "mtu", String(mtu), "mru", String(mtu), "file", file],
      // Later options win: the file must not override these.
      ...["pppol2tp", String(inherited.number)],
      ...["pppol2tp_tunnel_id", String(tunnelId), "pppol2tp_session_id", String(sessionId)],
      ...["nodetach", "nopersist", "linkname", link],
      ...(interfaceName === undefined ? [] : ["ifname", interfaceName]),
    ]);
    return new PppdProcess(child, link);
  }

  /** Name of its interface; `undefined` while there is none, or if pppd may not write the file that names it. */
  get interfaceName(): string | undefined {
    if (this.#isEnded) return undefined;
    for (const note of this.#pidFiles) {
      // The first line is the process id, the second the interface once there is one.
      const [pid, name] = readQuietly(note).split("\n");
      if (pid === String(this.pid) && name !== undefined && name !== "") return name;
    }
    return undefined;
  }

  /** Terminates the link by SIGTERM; kills pppd if it still runs after some seconds. Resolves once it has ended. */
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
      // The process has ended, but its status is not yet known here.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Disconnects the session's channel from the unit of an earlier pppd, which ended without doing so. */
function freeChannel(socket: OwnedFd): void {
  using channel = PppChannel.open(socket);
  try {
    channel.disconnect();
  } catch (error) {
    // The channel has no unit.
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
    // pppd has removed the file itself.
  }
}
