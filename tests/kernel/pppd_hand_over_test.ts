/** A session of the kernel that the daemon hands to pppd; PPP of ours, in userspace, is at the other end. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import type { PppdSessionStatus } from "../../src/client/daemon/ppp_client.ts";
import { ADDRESSES, PppHosts, SECRET, serverSettings, USER } from "../interop/ppp_hosts.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { type Ended, l2tp } from "../support/processes.ts";
import { ping } from "../support/traffic.ts";
import { linkNames, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const SESSION = ["add", "session", "tid", "2", "sid", "12", "psid", "11"];
const ARGUMENTS = ["noauth", `user ${USER}`, `password "${SECRET}"`, "+ipv6", "lcp-restart 1"];

Deno.test("a session is handed to pppd", async (t) => {
  requireL2tp();
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  using hosts = new PppHosts(pair, daemon, { a: "user", b: "kernel" });
  const folder = await Deno.makeTempDir();
  await using _folder = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };

  /** A file of arguments. */
  function argumentsFile(lines: readonly string[]): string {
    const path = `${folder}/arguments`;
    Deno.writeTextFileSync(path, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    return path;
  }
  /** The command line in the namespace of `b`. */
  const run = async (...words: string[]): Promise<Ended> => {
    const ended = await l2tp(["-n", pair.b.name, ...words], { env: { L2TP_RUNTIME_DIR: daemon.folder } });
    assertStrictEquals(`${ended.stdout}${ended.stderr}`.includes(SECRET), false);
    return ended;
  };
  const handOver = (lines: readonly string[], ...words: string[]): Promise<Ended> =>
    run(...SESSION, ...words, "ppp", "pppd", argumentsFile(lines));
  /** A tunnel, and its session at `a` alone. */
  function join(): AsyncDisposable {
    const parting = hosts.join({ version: 2, family: 4 });
    hosts.deleteSession("b");
    return parting;
  }
  const status = (): PppdSessionStatus | undefined =>
    hosts.b.ppp.sessions()[0] as PppdSessionStatus | undefined;
  const up = (): Promise<unknown> =>
    until("both protocols are up", () => {
      const { ipcp, ipv6cp } = hosts.status("a") ?? {};
      return ipcp?.state === "Opened" && ipv6cp?.state === "Opened";
    });
  const isRunning = (pid: number): boolean => {
    try {
      return !/^\d+ \(.*\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
    } catch {
      return false;
    }
  };

  await t.step("PPP comes up, again after its peer has ended it, and ends with the session", async () => {
    await using _parting = join();
    hosts.run("a", serverSettings("chap"));
    assertDeepStrictEquals(await handOver(ARGUMENTS, "name", "lns7"), { code: 0, stdout: "", stderr: "" });
    await up();
    await ping(hosts.b.netns, ADDRESSES.a, { count: 2 });
    await ping(hosts.a.netns, ADDRESSES.b, { count: 2 });
    const { interfaceName, pppd } = status()!;
    const { pid, file } = pppd;
    assertEquals([interfaceName, file, pppd.starts, pppd.end], [
      "lns7",
      `${folder}/arguments`,
      1,
      undefined,
    ]);
    assert(linkNames(pair.b).includes("lns7"));
    const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    assertMatch(command[0]!, /\/pppd$/);
    assertStrictEquals(command.some((word) => word.includes(SECRET)), false);
    const { stdout } = await run("-d", "show", "session");
    assert(stdout.includes(`  ppp lns7  pppd process ${pid}  file ${file}\n`), stdout);

    hosts.deleteSession("a");
    await until("it has ended", () => status()?.pppd.end !== undefined);
    // 2.4.9 takes the end of its channel for the line's.
    assert([0, 16].includes(status()!.pppd.end!.status), String(status()!.pppd.end!.status));
    hosts.a.l2tp.createSession({ tunnelId: 1, sessionId: 11, peerSessionId: 12, pseudowire: "ppp" });
    hosts.run("a", serverSettings("chap"));
    await up();
    const again = status()!.pppd;
    assert(again.starts > 1 && again.pid !== pid);

    hosts.deleteSession("b");
    await until("it has ended", () => !isRunning(again.pid!) && status() === undefined);
    await until("its interface has gone", () => !linkNames(pair.b).includes("lns7"));
  });

  await t.step("the reason of pppd's exit is reported", async () => {
    await using _parting = join();
    hosts.run("a", serverSettings("chap"));
    const wrong = ARGUMENTS.with(2, "password other");
    assertDeepStrictEquals(await handOver(wrong), { code: 0, stdout: "", stderr: "" });
    await until("it has failed", () => status()?.pppd.end !== undefined);
    const { stdout } = await run("-j", "-d", "show", "session");
    const [{ ppp }] = JSON.parse(stdout);
    assertStrictEquals(ppp.end, "the peer does not take us for who we say we are (exit status 19)");
    assertStrictEquals(ppp.end_status, 19);
  });

  await t.step("impossible requests are refused before anything is created", async () => {
    await using _parting = join();
    const bad = await handOver([...ARGUMENTS, `passwort ${SECRET}`]);
    assertStrictEquals(bad.code, 1);
    assertMatch(
      bad.stderr,
      /^Error: pppd does not start with the arguments in ".*": its options make no sense/,
    );
    const missing = await run(...SESSION, "ppp", "pppd", `${folder}/none`);
    assertStrictEquals(missing.code, 1);
    assertMatch(missing.stderr, /^Error: pppd's file ".*none" cannot be read: No such file or directory/);
    const user = await run("-dataplane", "user", ...SESSION, "ppp", "pppd", argumentsFile(ARGUMENTS));
    assertStrictEquals(user.code, 1);
    assertMatch(user.stderr, /^Error: pppd works with kernel sessions only/);
    assertEquals(hosts.b.l2tp.sessions(), []);
  });

  await t.step("the daemon ends, and ends an unwilling pppd", async () => {
    join();
    hosts.run("a", serverSettings("chap"));
    assertDeepStrictEquals(await handOver(ARGUMENTS), { code: 0, stdout: "", stderr: "" });
    await up();
    const { interfaceName, pppd: { pid } } = status()!;
    assertStrictEquals(interfaceName, "ppp0");
    // Frozen it does not end by SIGTERM.
    Deno.kill(pid!, "SIGSTOP");
    const { stderr } = await daemon.end("SIGTERM");
    assertStrictEquals(isRunning(pid!), false);
    assertStrictEquals(stderr.includes(SECRET), false);
    assertEquals(hosts.b.l2tp.sessions(), []);
    hosts.b.l2tp.deleteTunnel(2);
  });
});
