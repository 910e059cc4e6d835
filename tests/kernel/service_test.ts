/**
 * The unit of `l2tp service systemd` under a real systemd: started, used, killed and stopped as an operator would, with
 * the program where an operator puts it.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { localLibc } from "../../ffi/packet_libc.ts";
import { DaemonSocket } from "../../src/driver/daemon_api/connection.ts";
import { Namespace, Pair } from "../support/namespaces.ts";
import { runProgram, sh } from "../support/processes.ts";
import { isGuest, requireL2tp, until } from "./kernel.ts";
import { Systemd } from "./systemd.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

// A library that is loaded within a test counts as its leak.
localLibc();

const PROGRAM = "/usr/local/bin/l2tp";
const UNIT = "l2tp.service";
/** `linux/capability.h` */
const CAPABILITIES: Readonly<Record<string, bigint>> = {
  CAP_CHOWN: 0n,
  CAP_NET_BIND_SERVICE: 10n,
  CAP_NET_ADMIN: 12n,
  CAP_NET_RAW: 13n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
};

/** Runs the installed program for the daemon at its usual place; it must succeed. */
async function user(line: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram([PROGRAM, "-dataplane", "user", ...line.split(" ")]);
  assertDeepStrictEquals([code, stderr], [0, ""], line);
  return stdout;
}

/** Both ends of a tunnel with a session, from 192.168.NET.1 to 192.168.NET.2. */
async function join({ a, b }: Pair, net: number, encap: string): Promise<void> {
  for (const [netns, own, other] of [[a, 1, 2], [b, 2, 1]] as const) {
    const tunnel =
      `tunnel_id ${net} peer_tunnel_id ${net} encap ${encap} local 10.0.0.${own} remote 10.0.0.${other}`;
    const session = `session_id ${net} peer_session_id ${net} name pw${net} addr 192.168.${net}.${own}/24 up`;
    await user(`-n ${netns.name} add tunnel session ${tunnel} ${session}`);
  }
}

Deno.test({
  name: "the unit under systemd: ready, confined, killed, stopped, and tunnels that stay",
  // Elsewhere neither systemd nor a program in /usr/local/bin is the test's to start or to put there.
  ignore: !isGuest(),
  fn: async (t) => {
    requireL2tp();
    const executable = Deno.env.get("L2TP_UNDER_TEST");
    assert(executable, "this needs L2TP_UNDER_TEST: the unit starts the program as one file");
    await Deno.copyFile(executable, PROGRAM);
    await using pair = await Pair.create();
    const text = await sh(PROGRAM, "service", "systemd");
    assertMatch(text, new RegExp(`^ExecStart=${PROGRAM} daemon --keep$`, "m"));
    await using systemd = await Systemd.boot({
      [UNIT]: text,
      // On a busy host with several emulated machines, the program unpacks itself for minutes.
      [`${UNIT}.d/patience.conf`]: "[Service]\nTimeoutStartSec=600\n",
      // BPF needs the most privileges of all features.
      [`${UNIT}.d/offload.conf`]: "[Service]\nEnvironment=L2TP_OFFLOAD=bpf\n",
    });
    const main = async (): Promise<number> => {
      const pids = await systemd.processes(UNIT);
      assertStrictEquals(pids.length, 1, "the daemon is one process");
      return pids[0]!;
    };
    const ping = async (netns: Namespace, address: string): Promise<void> => {
      await netns.sh("ping", "-q", "-c", "2", "-i", "0.2", "-W", "10", address);
    };

    await t.step("start returns when the daemon is ready", async () => {
      const started = await systemd.control("start", UNIT);
      assertStrictEquals(started.code, 0, started.stderr + (await systemd.control("status", UNIT)).stdout);
      // A listing finds nothing where there is no daemon, too.
      DaemonSocket.connect("/run/l2tp/api.sock")[Symbol.dispose]();
      assertStrictEquals(await user("show"), "");
      assertEquals(await systemd.properties(UNIT, "Type", "ActiveState", "SubState"), {
        Type: "notify",
        ActiveState: "active",
        SubState: "running",
      });
    });

    await t.step(
      "the daemon has only the unit's capabilities, and cannot gain any; system calls are filtered",
      async () => {
        const status = await Deno.readTextFile(`/proc/${await main()}/status`);
        const named = /^CapabilityBoundingSet=(.*)$/m.exec(text)![1]!.split(" ");
        const expected = named.reduce((set, name) => set | 1n << CAPABILITIES[name]!, 0n);
        for (const set of ["CapEff", "CapPrm", "CapBnd"]) {
          const [, hex] = new RegExp(`^${set}:\t([0-9a-f]+)$`, "m").exec(status)!;
          assertStrictEquals(BigInt(`0x${hex}`), expected, set);
        }
        assertMatch(status, /^NoNewPrivs:\t1$/m);
        assertMatch(status, /^Seccomp:\t2$/m);
      },
    );

    await t.step("tunnels over IP and UDP, with their devices, in namespaces", async () => {
      await join(pair, 7, "ip");
      await join(pair, 8, "udp udp_sport 701 udp_dport 701");
      await ping(pair.a, "192.168.7.2");
      await ping(pair.a, "192.168.8.2");
      assertMatch(await sh("ip", "-n", pair.a.name, "-d", "link", "show", "pw7"), /tun type tap/);
      assertMatch(await user(`-n ${pair.a.name} -d show session tunnel_id 8`), /offloads .*\bbpf$/m);
    });

    await t.step("a namespace created while the daemon runs", async () => {
      await using later = await Namespace.create("later");
      await user(
        `-n ${later.name} add tunnel session tunnel_id 1 peer_tunnel_id 2 encap ip local any remote 127.0.0.1` +
          ` session_id 1 peer_session_id 2 name pw0`,
      );
      assertMatch(await sh("ip", "-n", later.name, "link"), / pw0: /);
      await user(`-n ${later.name} flush`);
    });

    await t.step("SIGKILL: another process, the same tunnels", async () => {
      const first = await main();
      Deno.kill(first, "SIGKILL");
      await until("systemd has started another", async () => {
        const { NRestarts, ActiveState } = await systemd.properties(UNIT, "NRestarts", "ActiveState");
        return NRestarts === "1" && ActiveState === "active";
      });
      assertNotStrictEquals(await main(), first);
      await ping(pair.a, "192.168.7.2");
      await ping(pair.a, "192.168.8.2");
    });

    await t.step("stop is clean, and the next start gets the tunnels", async () => {
      assertStrictEquals((await systemd.control("stop", UNIT)).code, 0);
      assertEquals(await systemd.properties(UNIT, "ActiveState", "Result", "ExecMainStatus"), {
        ActiveState: "inactive",
        Result: "success",
        ExecMainStatus: "0",
      });
      assertMatch(await sh("ip", "-n", pair.a.name, "link"), / pw7: /);
      assertStrictEquals((await systemd.control("start", UNIT)).code, 0);
      await ping(pair.a, "192.168.7.2");
      await ping(pair.a, "192.168.8.2");
      for (const netns of [pair.a, pair.b]) await user(`-n ${netns.name} flush`);
      assertNotMatch(await sh("ip", "-n", pair.a.name, "link"), / pw[78]: /);
      assertStrictEquals((await systemd.control("stop", UNIT)).code, 0);
    });
  },
});
