/**
 * Interactive mode on a real terminal: keys are typed, and what is on the screen is compared. The subsystem is the one in
 * userspace, between two namespaces.
 */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { localLibc } from "../../ffi/packet_libc.ts";
import { explainNext } from "../../src/shell/suggest.ts";
import { TestDaemon } from "../support/daemon.ts";
import { Pair } from "../support/namespaces.ts";
import { l2tp, programUnderTest } from "../support/processes.ts";
import { lastLine, TestTerminal } from "../support/test_terminal.ts";
import { NewUser } from "./new_user.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

// Bound here, it belongs to no test that would have to give it back.
bindLibc();
localLibc();

const HOST = Deno.hostname().split(".")[0]!.slice(0, 20);

/** Two hosts, a daemon, and a shell on the first of them. */
class ShellFixture implements AsyncDisposable {
  readonly pair: Pair;
  readonly daemon: TestDaemon;
  readonly state: string;
  terminal!: TestTerminal;

  private constructor(pair: Pair, daemon: TestDaemon, state: string) {
    this.pair = pair;
    this.daemon = daemon;
    this.state = state;
  }

  static async create(): Promise<ShellFixture> {
    const pair = await Pair.create();
    const fixture = new ShellFixture(
      pair,
      await TestDaemon.start(),
      await Deno.makeTempDir({ prefix: "l2tp-state." }),
    );
    await fixture.open();
    return fixture;
  }

  /** The environment of everything that is run here. */
  get env(): Record<string, string> {
    return {
      L2TP_RUNTIME_DIR: this.daemon.folder,
      L2TP_DATAPLANE: "user",
      XDG_STATE_HOME: this.state,
      NO_COLOR: "1",
    };
  }

  /** Starts a shell. */
  async open(words: readonly string[] = []): Promise<void> {
    const command = ["ip", "netns", "exec", this.pair.a.name, ...programUnderTest(), ...words];
    this.terminal = await TestTerminal.start(command, { env: this.env });
    await this.terminal.line(this.prompt());
  }

  /** The prompt in a namespace, without the blank at its end. */
  prompt(netns: string = this.pair.a.name): string {
    return `${HOST}[${netns}] user>`;
  }

  /** Runs a line; what it printed. */
  async run(line: string, prompt = this.prompt()): Promise<string> {
    const { terminal } = this;
    const before = (await terminal.text()).split("\n").length;
    await terminal.enter(line);
    const text = await terminal.until(
      (text) => text.split("\n").length > before && lastLine(text) === prompt,
      `the prompt behind ${line}`,
    );
    return text.split("\n").slice(before, -1).join("\n");
  }

  /** Runs `monitor`; resolves once it has printed tunnel 7. */
  async monitor(): Promise<void> {
    const told = (text: string): number => text.split("Modified Tunnel 7").length;
    const before = told(await this.terminal.text());
    await this.terminal.enter("monitor");
    using client = this.daemon.client(this.pair.a.name);
    // The screen does not show when `monitor` has started to listen: create events until it does.
    await this.terminal.until((text) => {
      client.announceTunnel(7);
      return told(text) > before;
    }, "what the monitor tells");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
    await this.daemon[Symbol.asyncDispose]();
    await this.pair[Symbol.asyncDispose]();
    await Deno.remove(this.state, { recursive: true });
  }
}

Deno.test("from nothing to a working tunnel by ? and Tab alone", async () => {
  await using fixture = await ShellFixture.create();
  const { pair, terminal } = fixture;
  const user = new NewUser(terminal, () => fixture.prompt());
  await user.begin();
  await user.make({
    tunnel_id: "1",
    peer_tunnel_id: "2",
    session_id: "11",
    peer_session_id: "22",
    local: "10.0.0.1",
    remote: "10.0.0.2",
    udp_sport: "5001",
    udp_dport: "5002",
    name: "wire",
    addr: "192.168.77.1/24",
  });
  await terminal.type(`-n ${pair.b.name.slice(0, -1)}`);
  await terminal.press("Tab");
  await terminal.line(`${fixture.prompt()} -n ${pair.b.name}`);
  await terminal.press("Enter");
  await terminal.line(fixture.prompt(pair.b.name));
  const there = new NewUser(terminal, () => fixture.prompt(pair.b.name));
  await there.make({
    tunnel_id: "2",
    peer_tunnel_id: "1",
    session_id: "22",
    peer_session_id: "11",
    local: "10.0.0.2",
    remote: "10.0.0.1",
    udp_sport: "5002",
    udp_dport: "5001",
    name: "wire",
    addr: "192.168.77.2/24",
  });
  assert(user.questions > 20, `${user.questions} questions`);
  await pair.a.sh("ping", "-c", "3", "-i", "0.2", "-W", "5", "192.168.77.2");
  await pair.b.sh("ping", "-c", "3", "-i", "0.2", "-W", "5", "192.168.77.1");
});

Deno.test("interactive mode on a terminal", async (t) => {
  await using fixture = await ShellFixture.create();
  const { pair } = fixture;
  const PROMPT = fixture.prompt();

  await t.step("no arguments on a terminal: a hint and a prompt", async () => {
    const lines = (await fixture.terminal.text()).split("\n");
    assertMatch(lines[0]!, /^l2tp \d\S*: \? lists what may come next, Tab completes, Ctrl-D leaves$/);
    assertEquals(lines.slice(1), [PROMPT]);
  });

  await t.step(
    "?: the answer appears below the line, which is printed again with the cursor unchanged",
    async () => {
      const { terminal } = fixture;
      await terminal.type("add tunnel encap ?");
      await terminal.line(`${PROMPT} add tunnel encap`);
      assertEquals((await terminal.text()).split("\n").slice(1), [
        `${PROMPT} add tunnel encap ?`,
        "  ip   IP protocol 115, without ports",
        "  udp  UDP; needs udp_sport and udp_dport",
        `${PROMPT} add tunnel encap`,
      ]);
      await terminal.type("udp");
      await terminal.line(`${PROMPT} add tunnel encap udp`);
      await terminal.press("C-a");
      await terminal.type("?x");
      await terminal.line(`${PROMPT} xadd tunnel encap udp`);
      await terminal.press("C-c");
      await terminal.line(PROMPT);
    },
  );

  await t.step("? on an empty line prints the grammar's text", async () => {
    const { terminal } = fixture;
    const expected = await explainNext("", () => Promise.resolve([]));
    await terminal.press("?");
    await terminal.until((text) => text.endsWith(`${PROMPT} ?\n${expected}${PROMPT}`), "the answer");
  });

  await t.step("abbreviated, ambiguous and unknown words", async () => {
    const { terminal } = fixture;
    assertStrictEquals(await fixture.run("sh tu"), "");
    const run = async (line: string, first: string): Promise<void> => {
      await terminal.enter(line);
      await terminal.until((text) => text.includes(first), first);
      // The line is offered again.
      await terminal.line(`${PROMPT} ${line}`);
      await terminal.press("C-c");
      await terminal.line(PROMPT);
    };
    await run("add tunnel udp", 'Error: "udp" is ambiguous: udp_sport, udp_dport, udp_csum,');
    await run("shwo", 'Command "shwo" is unknown, try "l2tp help".\n  Did you mean "show"?');
    await run("fl", 'Command "fl" is unknown');
    await run("daemon", 'Command "daemon" cannot be used in the shell.');
    await run(
      "show | grep x",
      'Error: argument "grep" is wrong: filters are include, exclude, count, json',
    );
    await run("-j", 'Option "-json" needs a command.');
    await run("-n nowhere", 'Cannot open network namespace "nowhere": No such file or directory');
    await run(
      "add tunnel tid 1 ptid 2 encap ip local 10.9.9.9 remote 10.0.0.2",
      "10.9.9.9 is not an address",
    );
  });

  await t.step("a failed line is offered again for correction", async () => {
    const { terminal } = fixture;
    const line = (local: string): string => `add tunnel tid 7 ptid 8 encap ip local ${local} remote 10.0.0.2`;
    await terminal.enter(line("10.0.0.9"));
    await terminal.line(`${PROMPT} ${line("10.0.0.9")}`);
    for (const _ of " remote 10.0.0.2") await terminal.press("Left");
    await terminal.press("BSpace");
    await terminal.enter("1");
    await terminal.line(PROMPT);
    assertStrictEquals(
      await fixture.run("show tunnel"),
      "Tunnel 7, encap IP\n  From 10.0.0.1 to 10.0.0.2\n  Peer tunnel 8",
    );
  });

  await t.step(
    "several pasted lines replace an offered line; tabs and paste marks in them are text",
    async () => {
      const { terminal } = fixture;
      await terminal.enter("bogus");
      await terminal.line(`${PROMPT} bogus`);
      await terminal.paste(
        "add session\ttunnel_id 7 session_id 1 \\\n  peer_session_id 2 name pw0 cookie 0011223344556677\n" +
          'show session tunnel_id 7 | include "name: ?pw" # ?\n',
      );
      const text = await terminal.until(
        (text) => /\n {2}interface name: pw0\n\S+ user>$/.test(text.trimEnd()),
        "both lines are run",
      );
      assertMatch(text, /\n> {3}peer_session_id 2 name pw0/);
    },
  );

  await t.step("filters", async () => {
    assertStrictEquals(await fixture.run("show session | include interface"), "  interface name: pw0");
    assertStrictEquals(await fixture.run("sh se | exc interface | inc Session"), "Session 1 in tunnel 7");
    assertStrictEquals(await fixture.run("show session | count"), "1");
    assertStrictEquals(await fixture.run("show session session_id 9 | count"), "0");
    const json = await fixture.run("show session | json");
    assertStrictEquals(
      (JSON.parse(json.replaceAll("\n", "")) as { interface: string }[])[0]!.interface,
      "pw0",
    );
    assertStrictEquals(
      (await fixture.run("show session | json | include peer_session_id")).trim(),
      '"peer_session_id": 2,',
    );
  });

  await t.step("Tab completes words and existing values; twice it lists the same as ?", async () => {
    const { terminal } = fixture;
    const complete = async (typed: string, line: string): Promise<void> => {
      await terminal.type(typed);
      await terminal.line(`${PROMPT} ${typed}`.trimEnd());
      // A daemon that is too busy to answer within the time that completion takes is asked again, as people do.
      for (let tries = 0; tries < 50 && lastLine(await terminal.text()) !== `${PROMPT} ${line}`; tries++) {
        await terminal.press("Tab");
        await terminal.settle();
      }
      await terminal.line(`${PROMPT} ${line}`);
      await terminal.press("C-c");
      await terminal.line(PROMPT);
    };
    await complete("sho", "show");
    await complete("del tunnel tunnel_id ", "del tunnel tunnel_id 7");
    await complete("del session tid 7 sid ", "del session tid 7 sid 1");
    await complete("set session name p", "set session name pw0");
    await complete("add tunnel local fd", "add tunnel local fd00::1");
    // Other addresses may begin with fe80::1, too, since those that interfaces give themselves are random.
    await complete("add tunnel local fe80::1%", "add tunnel local fe80::1%cable");
    await complete(`-n ${pair.b.name.slice(0, -1)}`, `-n ${pair.b.name}`);
    await complete("show | exc", "show | exclude");
    await terminal.type("add tunnel encap ");
    await terminal.press("Tab", "Tab");
    await terminal.until(
      (text) => text.includes(`${PROMPT} add tunnel encap \n  ip   IP protocol 115`),
      "the answer to the second Tab",
    );
    await terminal.line(`${PROMPT} add tunnel encap`);
    await terminal.press("C-c");
    await terminal.line(PROMPT);
  });

  await t.step("Ctrl-C cancels the line or the running command, and never ends the shell", async () => {
    const { terminal } = fixture;
    await terminal.type("flush");
    await terminal.press("C-c");
    await terminal.line(PROMPT);
    await terminal.enter("show \\");
    await terminal.line(">");
    await terminal.press("C-c");
    await terminal.line(PROMPT);
    assertMatch(await terminal.text(), / flush\^C\n/);
    const prompts = (text: string): number => text.split(`${PROMPT} ^C\n`).length;
    const before = prompts(await terminal.text());
    await terminal.press("C-c", "C-c");
    await terminal.until((text) => prompts(text) === before + 2, "two new prompts");
    await terminal.line(PROMPT);
    assertStrictEquals(await fixture.run("show | count"), "1");
    await fixture.monitor();
    await terminal.press("C-c");
    await terminal.line(PROMPT);
  });

  await t.step("input during a command is kept for the next line", async () => {
    const { terminal } = fixture;
    await fixture.monitor();
    await terminal.type("xshow");
    await terminal.press("C-a", "C-d");
    assertNotMatch(lastLine(await terminal.text()), /show/);
    // The terminal throws away what is typed before a Ctrl-C; SIGINT alone does not.
    Deno.kill(await fixture.terminal.processId(), "SIGINT");
    await terminal.line(`${PROMPT} show`);
    await terminal.press("C-c");
    await terminal.line(PROMPT);
  });

  await t.step("another namespace: for one line, for all that follow, and back", async () => {
    const { a, b } = pair;
    assertStrictEquals(await fixture.run(`-n ${b.name} show tunnel`), "");
    assertStrictEquals(await fixture.run("show tunnel | count"), "1");
    assertStrictEquals(await fixture.run(`-n ${b.name}`, fixture.prompt(b.name)), "");
    assertStrictEquals(await fixture.run("show tunnel", fixture.prompt(b.name)), "");
    assertMatch(await fixture.run(`-n ${a.name} show tunnel`, fixture.prompt(b.name)), /^Tunnel 7/);
    assertMatch(await fixture.run("-n - show tunnel", fixture.prompt(b.name)), /^Tunnel 7/);
    assertStrictEquals(await fixture.run("show tunnel", fixture.prompt(b.name)), "");
    assertStrictEquals(await fixture.run("-n -"), "");
    assertMatch(await fixture.run("show tunnel"), /^Tunnel 7/);
  });

  await t.step(
    "the terminal is resized: the line is wrapped again, and the output appears below it",
    async () => {
      const { terminal } = fixture;
      const line = "add tunnel tunnel_id 1 peer_tunnel_id 2 udp_sport 5001 udp_dport 5002 encap ";
      await terminal.type(line);
      await terminal.line(`${PROMPT} ${line}`.trimEnd());
      await terminal.resize(50, 20);
      const whole = `${PROMPT} ${line}`;
      const rows = [whole.slice(0, 50), whole.slice(50, 100), whole.slice(100)].filter((row) => row !== "");
      const expected = [
        "  ip   IP protocol 115, without ports",
        "  udp  UDP; needs udp_sport and udp_dport",
        ...rows.map((row) => row.trimEnd()),
      ];
      const answers = (text: string): number => text.split(`${line}?\n`).length;
      let end: string[] = [];
      // The shell does not show when it has noticed the new size: poll it.
      for (let tries = 0; tries < 20 && end.join("\n") !== expected.join("\n"); tries++) {
        const before = answers(await terminal.text());
        await terminal.type("?");
        await terminal.until(
          (text) => answers(text) > before && lastLine(text) === whole.trimEnd(),
          "the answer",
        );
        end = (await terminal.screen()).slice(-expected.length);
      }
      assertEquals(end, expected);
      await terminal.press("C-c");
      await terminal.resize(80, 24);
      await terminal.line(PROMPT);
      assertStrictEquals(await fixture.run("show | count"), "1");
    },
  );

  await t.step("history: arrow-up, also in the next shell, without secrets", async () => {
    const { terminal } = fixture;
    await terminal.press("Up", "Up");
    await terminal.press("C-c");
    await terminal.press("Up");
    await terminal.line(`${PROMPT} show | count`);
    await terminal.press("C-c");
    await terminal.press("C-d");
    await terminal.until((text) => /^left with 0$/m.test(text), "Ctrl-D leaves");
    assert(await terminal.isRestored());
    await terminal[Symbol.asyncDispose]();
    const path = `${fixture.state}/l2tp/history`;
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assertStrictEquals(lines.at(-1), "show | count");
    assert(lines.some((line) => /name pw0 cookie HEXSTR$/.test(line)), lines.join("\n"));
    assert(!lines.join("\n").includes("0011223344556677"));
    assertStrictEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertStrictEquals((await Deno.stat(`${fixture.state}/l2tp`)).mode! & 0o777, 0o700);
    await fixture.open(["shell"]);
    await fixture.terminal.press("Up");
    await fixture.terminal.line(`${PROMPT} show | count`);
    await fixture.terminal.press("C-c");
  });

  await t.step("Ctrl-D in a line deletes; exit leaves; SIGTERM leaves the terminal in order", async () => {
    await fixture.terminal.type("xshow");
    await fixture.terminal.press("C-a", "C-d");
    await fixture.terminal.line(`${PROMPT} show`);
    await fixture.terminal.press("C-c");
    await fixture.terminal.enter("exit");
    await fixture.terminal.until((text) => /^left with 0$/m.test(text), "exit leaves");
    assert(await fixture.terminal.isRestored());
    await fixture.terminal[Symbol.asyncDispose]();
    await fixture.open();
    await fixture.terminal.type("show");
    await fixture.terminal.line(`${PROMPT} show`);
    Deno.kill(await fixture.terminal.processId(), "SIGTERM");
    await fixture.terminal.until((text) => /^left with 143$/m.test(text), "it ends");
    assert(await fixture.terminal.isRestored());
  });

  await t.step("not a terminal: lines as those of a batch", async () => {
    const stdin = "show tunnel\nadd bogus\nshow tunnel\n";
    const { code, stdout, stderr } = await l2tp(["-n", pair.a.name, "shell"], { env: fixture.env, stdin });
    assertStrictEquals(code, 255);
    assertStrictEquals(stdout, "Tunnel 7, encap IP\n  From 10.0.0.1 to 10.0.0.2\n  Peer tunnel 8\n");
    assertMatch(stderr, /^Unknown command: bogus\n[^]*Command failed -:2\n$/);
    // Without arguments, too, but for the word.
    assertStrictEquals((await l2tp([], { env: fixture.env, stdin })).code, 255);
  });

  await t.step("a hanging daemon: completion and prompt time out soon", async () => {
    await fixture.terminal[Symbol.asyncDispose]();
    await fixture.open();
    Deno.kill(fixture.daemon.pid, "SIGSTOP");
    try {
      const begin = performance.now();
      const { code, stdout } = await l2tp(
        ["-n", pair.a.name, "complete", "show", "tunnel", "tunnel_id", ""],
        { env: fixture.env },
      );
      assertDeepStrictEquals([code, stdout], [0, ""]);
      assert(performance.now() - begin < 10_000, "it waits as long as a command does");
      await fixture.terminal.press("Enter");
      await fixture.terminal.line(PROMPT.replace("user>", "user?>"));
    } finally {
      Deno.kill(fixture.daemon.pid, "SIGCONT");
    }
    await fixture.terminal.press("Enter");
    await fixture.terminal.line(PROMPT);
  });
});
