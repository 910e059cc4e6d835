/** The systemd unit: verified by systemd, and what it leaves the daemon is enough for a tunnel. Nothing is started by systemd. */

import { assert, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { DaemonError } from "../../src/driver/daemon_api/error.ts";
import { DaemonSocket } from "../../src/driver/daemon_api/connection.ts";
import { Pair } from "../support/namespaces.ts";
import { l2tp, programUnderTest, runProgram, sh } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

/** `systemd-analyze security` gives 0 for nothing to gain and 10 for everything. Entering namespaces costs most. */
const EXPOSURE_MAX = 4;

async function unit(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await l2tp(["service", "systemd", ...words]);
  assertDeepStrictEquals([code, stderr], [0, ""]);
  return stdout;
}

Deno.test("systemd-analyze verify accepts the unit; security rates its exposure as low", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = (await unit()).replaceAll(/^ExecStart=\S+/gm, "ExecStart=/bin/true");
    const path = `${folder}/l2tp.service`;
    await Deno.writeTextFile(path, text);
    const verified = await runProgram(["systemd-analyze", "verify", "--man=no", path]);
    assertDeepStrictEquals([verified.code, verified.stdout, verified.stderr], [0, "", ""]);
    const judged = await runProgram(
      ["systemd-analyze", "security", "--offline=true", "--no-pager", path],
      { env: { LC_ALL: "C.UTF-8" } },
    );
    const [, exposure] = /Overall exposure level for l2tp\.service: ([0-9.]+)/.exec(judged.stdout) ?? [];
    assert(exposure !== undefined && Number(exposure) <= EXPOSURE_MAX, judged.stdout + judged.stderr);
    const config = await unit("config", "/etc/l2tp/l2tp.toml");
    await Deno.writeTextFile(path, config.replaceAll(/^ExecStart=\S+/gm, "ExecStart=/bin/true"));
    const withFile = await runProgram(["systemd-analyze", "verify", "--man=no", path]);
    assertDeepStrictEquals([withFile.code, withFile.stdout, withFile.stderr], [0, "", ""]);
    // A word that systemd does not know must be found, or the test is none.
    await Deno.writeTextFile(path, text.replace("NoNewPrivileges", "NoNewPrivilege"));
    assertMatch(
      (await runProgram(["systemd-analyze", "verify", "--man=no", path])).stderr,
      /NoNewPrivilege/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the unit's capabilities, without new privileges, are enough: tunnels, namespaces, a restart", async () => {
  const [, list] = /^CapabilityBoundingSet=(.*)$/m.exec(await unit()) ?? [];
  const capabilities = list!.toLowerCase().replaceAll("cap_", "+").replaceAll(" ", ",");
  await using pair = await Pair.create();
  const folder = await Deno.makeTempDir();
  const env = { L2TP_RUNTIME_DIR: folder };
  const start = (): Deno.ChildProcess =>
    new Deno.Command("setpriv", {
      args: [
        ...[`--bounding-set=-all,${capabilities}`, "--no-new-privs", "--", ...programUnderTest()],
        ...["daemon", "--keep"],
      ],
      env,
      stdin: "null",
      stderr: "null",
    }).spawn();
  let daemon = start();
  try {
    const user = async (line: string): Promise<string> => {
      const { code, stdout, stderr } = await l2tp(["-dataplane", "user", ...line.split(" ")], { env });
      assertStrictEquals(code, 0, stderr);
      return stdout;
    };
    const ready = (): boolean => {
      try {
        DaemonSocket.connect(`${folder}/api.sock`)[Symbol.dispose]();
        return true;
      } catch (error) {
        if (error instanceof DaemonError) return false;
        throw error;
      }
    };
    await until(ready, "it is ready");
    const status = await Deno.readTextFile(`/proc/${daemon.pid}/status`);
    assertMatch(status, /^NoNewPrivs:\t1$/m);
    for (const [netns, mine, other] of [[pair.a.name, 1, 2], [pair.b.name, 2, 1]] as const) {
      const tunnel =
        `tunnel_id ${mine} peer_tunnel_id ${other} encap ip local 10.0.0.${mine} remote 10.0.0.${other}`;
      const session = `session_id ${mine} peer_session_id ${other} name pw0 addr 192.168.7.${mine}/24 up`;
      await user(`-n ${netns} add tunnel session ${tunnel} ${session}`);
    }
    await pair.a.sh("ping", "-q", "-c", "2", "-i", "0.2", "192.168.7.2");
    daemon.kill("SIGKILL");
    await daemon.status;
    daemon = start();
    await until(ready, "it is ready again");
    await pair.a.sh("ping", "-q", "-c", "2", "-i", "0.2", "-W", "5", "192.168.7.2");
    await user(`-n ${pair.a.name} flush`);
    await user(`-n ${pair.b.name} flush`);
    assertNotMatch(await sh("ip", "-n", pair.a.name, "link"), / pw0: /);
  } finally {
    daemon.kill("SIGTERM");
    await daemon.status;
    await Deno.remove(folder, { recursive: true });
  }
});
