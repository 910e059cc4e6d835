/**
 * Debian's systemd as process 1 of namespaces of its own, in the test guest.
 *
 * Never on a machine that is to live: a systemd that boots does to the file system what a boot does, such as emptying
 * /tmp. For the same reason, and because an emulated machine takes minutes for it, Debian's units of a whole machine are
 * not there: only its targets, what loads modules, and what a test adds.
 *
 * @module
 */

import { type Ended, runProgram, sh } from "../support/processes.ts";
import { isGuest, until } from "./kernel.ts";

const UNITS = "/run/l2tp-test-units";
const DEBIAN_UNITS = "/lib/systemd/system";
const CGROUP = "/sys/fs/cgroup/l2tp-test";

/** Debian's units that exist. */
const CHOSEN = [
  ...["basic", "sysinit", "local-fs", "multi-user", "network", "network-pre", "shutdown", "umount", "final"]
    .map((name) => `${name}.target`),
  "modprobe@.service",
];

/**
 * Process 1 finds new cgroup and process namespaces and mounts of its own, to which those of the host still come (as
 * they do to a container's), and from which they go on to its services.
 */
const BOOT = `umount /sys/fs/cgroup && mount -t cgroup2 cgroup /sys/fs/cgroup && mount --make-rshared / &&
  exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=${UNITS} SYSTEMD_GENERATOR_PATH=${UNITS}/none \\
    /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=no`;

/** A systemd that runs, and is gone with all that it started when the test ends. */
export class Systemd implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#log = new Response(child.stderr).text();
  }

  /**
   * Boots one that knows these files of units besides, by name; a name may have a folder in front (`NAME.d/…`).
   *
   * @throws {Error} if this is not the test guest
   */
  static async boot(units: Readonly<Record<string, string>>): Promise<Systemd> {
    if (!isGuest()) throw new Error("systemd is booted in the test guest alone");
    await Deno.mkdir(UNITS);
    for (const name of CHOSEN) await Deno.copyFile(`${DEBIAN_UNITS}/${name}`, `${UNITS}/${name}`);
    for (const [name, text] of Object.entries(units)) {
      const path = `${UNITS}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    await Deno.mkdir(CGROUP);
    const unshare =
      "unshare --cgroup --pid --ipc --uts --mount --propagation slave --fork --kill-child --mount-proc";
    const child = new Deno.Command("sh", {
      args: ["-c", `echo 0 > ${CGROUP}/cgroup.procs && exec ${unshare} sh -c '${BOOT}'`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const systemd = new Systemd(child);
    try {
      await until(
        "systemd has booted",
        async () => (await systemd.control("is-active", "basic.target")).code === 0,
      );
    } catch (cause) {
      throw new Error(`systemd did not boot: ${await systemd.end()}`, { cause });
    }
    return systemd;
  }

  /** Runs `systemctl` with these words. */
  async control(...words: readonly string[]): Promise<Ended> {
    // Run inside the namespace: systemd ignores clients whose process it cannot see.
    const [first] = (await Deno.readTextFile(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`))
      .split(" ");
    const enter = ["nsenter", "--target", first!, "--pid", "--mount", "--cgroup", "--"];
    return await runProgram([...enter, "systemctl", "--no-pager", "--no-ask-password", ...words]);
  }

  /** Properties of a unit from `systemctl show`. */
  async properties(unit: string, ...names: readonly string[]): Promise<Record<string, string>> {
    const { stdout } = await this.control("show", unit, ...names.flatMap((name) => ["-p", name]));
    return Object.fromEntries(
      stdout.trimEnd().split("\n").map((
        line,
      ) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }

  /** Ids of a unit's processes, as this namespace has them. */
  async processes(unit: string): Promise<number[]> {
    const text = await Deno.readTextFile(`${CGROUP}/system.slice/${unit}/cgroup.procs`);
    return text.trim().split("\n").map(Number);
  }

  /** Ends it; what it said before it had a console. */
  async end(): Promise<string> {
    // Whatever is left of its process namespace goes with it.
    this.#child.kill("SIGKILL");
    await this.#child.status;
    return await this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await until(
      "its processes are gone",
      async () =>
        (await runProgram(["find", CGROUP, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"])).code === 0,
    );
    await Deno.remove(UNITS, { recursive: true });
    await sh("rm", "-rf", "/run/systemd");
  }
}
