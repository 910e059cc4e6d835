/**
 * Errors of `l2tp` when kernel modules are missing. Removes modules, and therefore runs in the guest only.
 */

import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { l2tp, runProgram, sh } from "../support/processes.ts";
import { clientIn, isGuest, openHost, requireL2tp, until } from "./kernel.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

const FORBIDDING = "/etc/modprobe.d/l2tp-test.conf";

/** Each after those that need it. */
const MODULES = ["l2tp_debugfs", "l2tp_ppp", "l2tp_ip6", "l2tp_ip", "l2tp_eth", "l2tp_netlink"] as const;

function isLoaded(module: string): boolean {
  return new RegExp(`^${module} `, "m").test(Deno.readTextFileSync("/proc/modules"));
}

/** Unloads modules; the last packets and sessions may hold them for a moment. */
async function unload(...modules: readonly string[]): Promise<void> {
  await until(`unloaded: ${modules.join(" ")}`, async () => {
    await runProgram(["modprobe", "-r", ...modules]);
    return !modules.some(isLoaded);
  });
}

async function forbidden(rule: string, action: () => Promise<void>): Promise<void> {
  await Deno.mkdir("/etc/modprobe.d", { recursive: true });
  await Deno.writeTextFile(FORBIDDING, `# by a test\n${rule}\n`);
  try {
    await action();
  } finally {
    await Deno.remove(FORBIDDING);
  }
}

/** The line of advice that names a command, as a command. */
function advisedCommand(stderr: string, module: string): string[] {
  const [, command] = new RegExp(`(modprobe (?:-\\S+ )*${module})\\b`).exec(stderr) ?? fail(stderr);
  return command!.split(" ");
}

function firstLines(stderr: string): string[] {
  return stderr.split("\n").slice(0, 3);
}

Deno.test({
  name: "missing modules are named, and what forbids them",
  ignore: !isGuest(),
  fn: async (t) => {
    requireL2tp();
    await using host = await openHost("modules");
    const addTunnel = "add tunnel tunnel_id 1 peer_tunnel_id 2 encap ip local 10.0.0.1 remote 10.0.0.2".split(
      " ",
    );
    const addSession = "add session tunnel_id 3 session_id 10 peer_session_id 20".split(" ");
    const run = (args: readonly string[]): ReturnType<typeof l2tp> => l2tp(["-n", host.name, ...args]);
    try {
      await t.step("l2tp_eth, by an install rule", async () => {
        {
          using client = clientIn(host);
          const addresses = { local: "10.0.0.1", peer: "10.0.0.2", localPort: 5000, peerPort: 6000 };
          client.createTunnel({ tunnelId: 3, peerTunnelId: 4, encap: "udp", ...addresses });
        }
        await unload("l2tp_eth");
        await forbidden("install l2tp_eth /bin/false", async () => {
          const { code, stderr } = await run(addSession);
          assertStrictEquals(code, 2);
          assertEquals(firstLines(stderr), [
            "RTNETLINK answers: Protocol not supported",
            "  Kernel module l2tp_eth exists but was not loaded.",
            `  ${FORBIDDING} forbids it.`,
          ]);
          await sh(...advisedCommand(stderr, "l2tp_eth"));
          assert(isLoaded("l2tp_eth"), "the advice helps");
        });
        await unload("l2tp_eth");
        assertDeepStrictEquals(await run(addSession), { code: 0, stdout: "", stderr: "" });
      });
      await t.step("l2tp_ip, by a blacklist", async () => {
        await unload("l2tp_ip6", "l2tp_ip");
        await forbidden("blacklist l2tp_ip", async () => {
          const { code, stderr } = await run(addTunnel);
          assertStrictEquals(code, 2);
          assertEquals(firstLines(stderr), [
            "RTNETLINK answers: Protocol not supported",
            "  Kernel module l2tp_ip exists but was not loaded.",
            `  ${FORBIDDING} forbids it.`,
          ]);
          await sh(...advisedCommand(stderr, "l2tp_ip"));
        });
        assertDeepStrictEquals(await run(addTunnel), { code: 0, stdout: "", stderr: "" });
      });
      await t.step("l2tp_netlink, and with it everything", async () => {
        {
          using client = clientIn(host);
          for (const { tunnelId } of client.tunnels()) client.deleteTunnel(tunnelId);
        }
        await unload(...MODULES);
        await forbidden("install l2tp_netlink /bin/false", async () => {
          const [text, json] = await Promise.all([
            run(["-dataplane", "kernel", "show"]),
            run(["-dataplane", "kernel", "-j", "show"]),
          ]);
          assertStrictEquals(text.code, 1);
          assertEquals(firstLines(text.stderr), [
            "RTNETLINK answers: No such file or directory",
            "  Kernel module l2tp_netlink exists but was not loaded.",
            `  ${FORBIDDING} forbids it.`,
          ]);
          assertStrictEquals(json.code, 1);
          const { error, exit_code, advice } = JSON.parse(json.stderr);
          assertEquals([error, exit_code], [firstLines(text.stderr)[0], 1]);
          assertEquals(advice.slice(0, 2), [
            "Kernel module l2tp_netlink exists but was not loaded.",
            `${FORBIDDING} forbids it.`,
          ]);
        });
        // Nothing forbids it now: the kernel loads it for who asks.
        assertDeepStrictEquals(await run(["show"]), { code: 0, stdout: "", stderr: "" });
      });
    } finally {
      await sh("modprobe", "-a", ...MODULES);
    }
  },
});
