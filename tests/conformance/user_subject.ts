/**
 * The subsystem in userspace as a subject: a daemon of the suite's own.
 *
 * @module
 */

import { Errno } from "../../src/base/errno.ts";
import { SyscallError } from "../../src/base/errors.ts";
import { resolveFamily } from "../../src/client/genl_family.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { DaemonProcess } from "../../src/driver/daemon_api/process.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { DaemonSocket } from "../../src/driver/daemon_api/connection.ts";
import { L2TP_GENL_NAME } from "../../src/wire/genl/l2tp/constants.ts";
import { L2TPD_FAMILY_ID } from "../../src/wire/l2tpd/constants.ts";
import { encodeL2tpdRequest, L2TPD_CMD } from "../../src/wire/l2tpd/family.ts";
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR } from "../../src/wire/netlink/constants.ts";
import { decodeError, decodeMessages, encodeMessage } from "../../src/wire/netlink/message.ts";
import { programUnderTest } from "../support/processes.ts";
import { Api } from "./api.ts";
import type { Listener, Subject } from "./subject.ts";

/** Starting takes longer where nothing is compiled yet. */
const START_LIMIT_MS = 30_000;

/** A daemon in a folder of its own, and the way to it. */
export class UserSubject implements Subject {
  readonly kind = "user";
  readonly modern = true;
  readonly description: string;
  readonly #folder: string;
  readonly path: string;
  readonly #pid: number;

  /** Uses the daemon at this socket path. The caller has started it and ends it. */
  static at(path: string): UserSubject {
    return new UserSubject("", path, 0);
  }

  private constructor(folder: string, path: string, pid: number) {
    this.#folder = folder;
    this.path = path;
    this.#pid = pid;
    this.description = "userspace";
  }

  /** Starts the daemon and waits until it answers. */
  static async start(): Promise<UserSubject> {
    const folder = Deno.makeTempDirSync({ prefix: "l2tp-conformance." });
    // As strict as the real one's: who may connect is the socket's own matter.
    Deno.chmodSync(folder, 0o755);
    const program = programUnderTest();
    const daemon = await DaemonProcess.start({ runtimeDir: folder, program, limitMs: START_LIMIT_MS });
    const { path } = daemon.socket;
    const pid = daemon.socket.daemonPid;
    daemon.socket[Symbol.dispose]();
    return new UserSubject(folder, path, pid);
  }

  open(netns: string): Api {
    return inNamespace(netns, () => this.openHere());
  }

  openHere(): Api {
    const socket = this.#connect();
    return new Api(socket, (connection) => resolveFamily(connection, L2TP_GENL_NAME), () => undefined);
  }

  listen(netns: string): Listener {
    return inNamespace(netns, () => this.listenHere());
  }

  listenHere(): Listener {
    const socket = this.#connect();
    const payload = encodeL2tpdRequest(L2TPD_CMD.LISTEN);
    const flags = NLM_F_REQUEST | NLM_F_ACK;
    socket.send(encodeMessage({ type: L2TPD_FAMILY_ID, flags, sequence: 1, portId: 0, payload }));
    const answer = decodeMessages(socket.receive()).find(({ type }) => type === NLMSG_ERROR);
    const errno = answer === undefined ? Errno.EINVAL : decodeError(answer).errno;
    if (errno !== 0) throw new SyscallError("L2TPD_CMD_LISTEN", errno);
    return {
      take: () =>
        decodeMessages(socket.receive()).map((message) => ({ ...message, payload: message.payload.slice() })),
      [Symbol.dispose]: () => socket[Symbol.dispose](),
    };
  }

  #connect(): DaemonSocket {
    try {
      return DaemonSocket.connect(this.path);
    } catch (error) {
      if (!(error instanceof DaemonError) || error.trouble !== "forbidden") throw error;
      throw new SyscallError("connect", Errno.EACCES);
    }
  }

  /** Ends the daemon. */
  async [Symbol.asyncDispose](): Promise<void> {
    Deno.kill(this.#pid, "SIGTERM");
    while (isRunning(this.#pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    const log = `${this.#folder}/daemon.log`;
    const words = Deno.readTextFileSync(log);
    if (words !== "") console.error(`l2tp daemon said:\n${words}`);
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
