/**
 * The completion scripts in real shells on a real terminal: bash, zsh and fish, with values that exist now. The subsystem
 * is the one in userspace.
 */

import { assert } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { localLibc } from "../../ffi/packet_libc.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Namespace } from "../support/namespaces.ts";
import { l2tp, programUnderTest } from "../support/processes.ts";
import { lastLine, TestTerminal } from "../support/test_terminal.ts";

// Bound here, it belongs to no test that would have to give it back.
bindLibc();
localLibc();

/** A shell without anybody's settings, and how it learns to complete. */
interface ShellUnderTest {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  readonly setUp: readonly string[];
}

const SHELLS: readonly ShellUnderTest[] = [
  {
    name: "bash",
    command: ["bash", "--norc", "--noprofile", "-i"],
    env: { PS1: "$ " },
    setUp: ["source <(l2tp completion bash)"],
  },
  {
    name: "zsh",
    command: ["zsh", "-f", "-i"],
    env: { PS1: "$ " },
    setUp: ["autoload -U compinit; compinit -u -D; source <(l2tp completion zsh)"],
  },
  {
    name: "fish",
    command: ["fish", "--no-config", "--interactive"],
    setUp: ["function fish_prompt; echo '$ '; end; l2tp completion fish | source"],
  },
];

for (const shell of SHELLS) {
  Deno.test(`completion in ${shell.name}: words, and values that exist now`, async () => {
    await using netns = await Namespace.create("c");
    await using daemon = await TestDaemon.start();
    const home = await Deno.makeTempDir({ prefix: "l2tp-home." });
    try {
      await netns.ip("addr add 10.0.0.1/24 dev lo");
      await netns.ip("addr add fd00::1/64 dev lo nodad");
      await netns.ip("link add br0 type bridge");
      using client = daemon.client(netns.name);
      for (const [tunnelId, peer] of [[7, "10.0.0.7"], [4321, "10.0.0.8"]] as const) {
        client.createTunnel({ tunnelId, peerTunnelId: 1, encap: "ip", local: "10.0.0.1", peer });
      }
      client.createSession({ tunnelId: 7, sessionId: 77, peerSessionId: 1, interfaceName: "wire0" });
      const program = programUnderTest().map((word) => `'${word}'`).join(" ");
      await Deno.writeTextFile(`${home}/l2tp`, `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
      await using terminal = await TestTerminal.start(["ip", "netns", "exec", netns.name, ...shell.command], {
        columns: 120,
        env: {
          ...shell.env,
          HOME: home,
          PATH: `${home}:${Deno.env.get("PATH")}`,
          L2TP_DATAPLANE: "user",
          L2TP_RUNTIME_DIR: daemon.folder,
          NO_COLOR: "1",
        },
      });
      const settled = async (line: string): Promise<string> =>
        await terminal.until((text) => lastLine(text).endsWith(line), line);
      for (const line of shell.setUp) await terminal.enter(line);
      await terminal.enter("clear");
      await terminal.until((text) => text.trim() === "$", "a prompt on an empty screen");
      const complete = async (typed: string, expected: string): Promise<void> => {
        await terminal.type(typed);
        await settled(typed.trimEnd());
        // A daemon that is too busy to answer within the time that completion takes is asked again, as people do.
        for (let tries = 0; tries < 20 && !lastLine(await terminal.text()).endsWith(expected); tries++) {
          await terminal.press("Tab");
          await terminal.settle();
        }
        await settled(expected);
        await terminal.press("C-u");
        await settled("$");
      };
      await complete("l2tp sho", "l2tp show");
      await complete("l2tp add tunnel enc", "l2tp add tunnel encap");
      await complete("l2tp show tunnel tunnel_id 4", "l2tp show tunnel tunnel_id 4321");
      await complete("l2tp set session name w", "l2tp set session name wire0");
      await complete(
        "l2tp del session tunnel_id 7 session_id ",
        "l2tp del session tunnel_id 7 session_id 77",
      );
      await complete("l2tp add session master b", "l2tp add session master br0");
      await complete("l2tp add tunnel local 10", "l2tp add tunnel local 10.0.0.1");
      await complete("l2tp add tunnel local fd", "l2tp add tunnel local fd00::1");
      await complete("l2tp add tunnel local fd00:", "l2tp add tunnel local fd00::1");
      await complete(`l2tp -n ${netns.name.slice(0, -1)}`, `l2tp -n ${netns.name}`);
      await complete(`l2tp -netns=${netns.name.slice(0, -1)}`, `l2tp -netns=${netns.name}`);
      await terminal.type("l2tp show tunnel remote ");
      // The first inserts what both begin with; where it has, the next one lists.
      await terminal.until((text) => text.endsWith("l2tp show tunnel remote"), "the line");
      for (let tries = 0; tries < 20; tries++) {
        await terminal.press("Tab");
        const text = await terminal.text();
        if (text.includes("10.0.0.7") && text.includes("10.0.0.8")) break;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await terminal.until((text) => text.includes("10.0.0.7") && text.includes("10.0.0.8"), "both peers");
    } finally {
      await removeLater(home);
    }
  });
}

/** Removes a folder in which the shell that was ended may still be putting things. */
async function removeLater(folder: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

Deno.test("every shell with a completion script is tested", async () => {
  const { stderr } = await l2tp(["completion", "no"]);
  assert(
    stderr.endsWith(`: completion is there for ${SHELLS.map(({ name }) => name).join(", ")}\n`),
    stderr,
  );
});
