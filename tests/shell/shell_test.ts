/** `src/shell/shell.ts`: command lines on a fake host. Keys and screens are in tests/userspace/shell_test.ts. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import type { Options } from "../../src/cli/grammar/options.ts";
import type { CliPorts } from "../../src/cli/ports.ts";
import { run } from "../../src/cli/run.ts";
import type { ShellPorts } from "../../src/shell/ports.ts";
import { Shell } from "../../src/shell/shell.ts";
import { FakeHost } from "../support/fake_host.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

/** A shell on a fake host, and its output. */
class ShellFixture {
  readonly host = new FakeHost();
  readonly #shell: Shell;
  #out = "";
  #err = "";

  constructor(options: Options = {}) {
    this.host.addNamespace("blue");
    this.host.addNamespace("red");
    if (options.netns !== undefined) this.host.ports.enterNetns(options.netns);
    const cli: CliPorts = {
      ...this.host.ports,
      terminal: true,
      interactive: true,
      out: (text) => void (this.#out += text),
      err: (text) => void (this.#err += text),
    };
    const ports: ShellPorts = {
      terminal: {
        size: () => ({ columns: 80, rows: 24 }),
        write: () => {},
        read: () => Promise.resolve(undefined),
        setMode: () => {},
        onResize: () => ({ [Symbol.dispose]: () => {} }),
      },
      run,
      history: { load: () => [], add: () => {} },
      host: "gw1",
      netnsName: () => undefined,
      leaveNetns: () => this.host.leaveNetns(),
    };
    this.#shell = new Shell(ports, cli, options);
  }

  async line(text: string): Promise<{ outcome: string; out: string; err: string }> {
    this.#out = this.#err = "";
    const outcome = await this.#shell.runLine(text);
    return { outcome, out: this.#out, err: this.#err };
  }

  /** Runs lines that must succeed. */
  async lines(...texts: readonly string[]): Promise<string> {
    let out = "";
    for (const text of texts) {
      const done = await this.line(text);
      assertEquals([done.outcome, done.err], ["done", ""], text);
      out += done.out;
    }
    return out;
  }
}

const TUNNEL = "add tunnel tid 1 ptid 2 encap ip local 10.0.0.1 remote 10.0.0.2";

Deno.test("lines: the command line's own, shortened or not, with the program's name in front or not", async () => {
  const fixture = new ShellFixture();
  await fixture.lines(TUNNEL, "l2tp add session tid 1 sid 3 psid 4 name pw0", "# nothing", "", "   ");
  const all = await fixture.lines("show");
  assertStrictEquals(all, (await fixture.host.run("show")).out);
  assertStrictEquals(await fixture.lines("ip l2tp sh tu"), (await fixture.host.run("show tunnel")).out);
  assertStrictEquals(await fixture.lines("sh se sid 3"), (await fixture.host.run("show session")).out);
  assertStrictEquals(await fixture.lines("help add"), (await fixture.host.run("help add")).out);
  assertStrictEquals(await fixture.lines("-V"), (await fixture.host.run("version")).out);
});

Deno.test("lines: filters", async () => {
  const fixture = new ShellFixture();
  await fixture.lines(
    TUNNEL,
    "add session tid 1 sid 3 psid 4 name pw0",
    "add session tid 1 sid 5 psid 6 name pw1",
  );
  assertStrictEquals(await fixture.lines("show session | count"), "2\n");
  assertStrictEquals(await fixture.lines("show | count"), "1\n");
  assertStrictEquals(await fixture.lines("show tunnel tid 9 | count"), "0\n");
  assertStrictEquals(await fixture.lines("show session | include pw1 | count"), "1\n");
  assertStrictEquals(
    await fixture.lines("show session | include interface"),
    "  interface name: pw0\n  interface name: pw1\n",
  );
  assertStrictEquals(
    await fixture.lines("show session | json"),
    (await fixture.host.run("-j -p show session")).out,
  );
  assertStrictEquals(await fixture.lines("version | json"), (await fixture.host.run("-j version")).out);
  assertStrictEquals(await fixture.lines("help | include ^Usage | count"), "1\n");
  // Colour is for people, not for what is looked through.
  assertStrictEquals(
    await fixture.lines("show session -color=auto | include pw0"),
    "  interface name: pw0\n",
  );
  assert((await fixture.lines("show session -color=auto")).includes("\x1b["));
});

Deno.test("lines: what fails is told as by the command line, and the line is to be offered again", async () => {
  const fixture = new ShellFixture();
  const table: [line: string, err: RegExp][] = [
    ["shwo", /^Command "shwo" is unknown, try "l2tp help"\.\n {2}Did you mean "show"\?\n$/],
    ["add tunnel tid x", /^Error: argument "x" is wrong: invalid ID\n$/],
    ["add tunnel udp 1", /^Error: "udp" is ambiguous: udp_sport, /],
    ["flus", /^Command "flus" is unknown/],
    ['show "tunnel', /^Unterminated quoted string\n$/],
    ["show | bogus", /^Error: argument "bogus" is wrong: filters are include, exclude, count, json\n$/],
    ["| count", /^Error: argument "a command before the bar" is required\n$/],
    ["shell", /^Command "shell" cannot be used in the shell\.\n/],
    ["dae", /^Command "daemon" cannot be used in the shell\.\n/],
    ["-batch -", /^The lines of a batch from "-" can be given here as they are\.\n$/],
    ["-j", /^Option "-json" needs a command\.\n/],
    ["-n nowhere", /^Cannot open network namespace "nowhere": No such file or directory\n/],
    ["-n nowhere show", /^Cannot open network namespace "nowhere": No such file or directory\n/],
    ["del tunnel tid 1", /^RTNETLINK answers: No such device\n/],
    ["show -j bogus", /^\{"error":"Unknown command: bogus"/],
  ];
  for (const [line, err] of table) {
    const done = await fixture.line(line);
    assertEquals([done.outcome, done.out], ["failed", ""], line);
    assertMatch(done.err, err, line);
  }
  assertStrictEquals(fixture.host.leaks, 0);
});

Deno.test("lines: a namespace for one line, for all that follow, and back", async () => {
  const fixture = new ShellFixture();
  await fixture.lines(TUNNEL, "-n blue add tunnel tid 5 ptid 6 encap ip local 127.0.0.1 remote 10.0.0.9");
  assertStrictEquals(await fixture.lines("show tunnel | count"), "1\n");
  assertMatch(await fixture.lines("-n blue show tunnel"), /^Tunnel 5,/);
  assertMatch(await fixture.lines("show tunnel"), /^Tunnel 1,/);
  assertMatch(await fixture.lines("-n blue", "show tunnel"), /^Tunnel 5,/);
  assertStrictEquals(await fixture.lines("-n red show tunnel"), "");
  assertMatch(await fixture.lines("show tunnel"), /^Tunnel 5,/);
  assertMatch(await fixture.lines("-n - show tunnel"), /^Tunnel 1,/);
  assertMatch(await fixture.lines("show tunnel"), /^Tunnel 5,/);
  assertMatch(await fixture.lines("-n -", "show tunnel"), /^Tunnel 1,/);
});

Deno.test("lines: options of the start hold for all, those of a line for that line", async () => {
  const fixture = new ShellFixture({ json: true, netns: "blue" });
  assertStrictEquals(await fixture.lines("show"), "[]\n");
  assertStrictEquals(await fixture.lines("-n red show", "show tunnel"), "[]\n[]\n");
  const { err } = await fixture.line("bogus");
  assertMatch(err, /^\{"error":/);
});

Deno.test("lines: a subsystem for all that follow", async () => {
  const fixture = new ShellFixture();
  fixture.host.daemon = "running";
  await fixture.lines(TUNNEL, "-dataplane user");
  assertStrictEquals(await fixture.lines("show tunnel"), "");
  assertMatch(await fixture.lines("-dataplane kernel show tunnel"), /^Tunnel 1,/);
  assertMatch(await fixture.lines("-datap auto", "show tunnel"), /^Tunnel 1,/);
});

Deno.test("lines: leaving", async () => {
  const fixture = new ShellFixture();
  for (const word of ["exit", "ex", "quit", "q"]) {
    assertStrictEquals((await fixture.line(word)).outcome, "leave", word);
  }
});

Deno.test("l2tp alone before somebody, and l2tp shell, are interactive mode; for nobody it is a batch", async () => {
  const host = new FakeHost();
  host.interactive = true;
  for (const line of ["", "shell", "-n blue shell", "-j"]) {
    host.addNamespace("blue");
    assertDeepStrictEquals(await host.run(line), { code: 0, out: "", err: "" }, line);
  }
  assertEquals(host.shells, [{}, {}, { netns: "blue" }, { json: true }]);
  host.interactive = false;
  host.files.set("-", [TUNNEL, "show tunnel"]);
  const { code, out } = await host.run("shell");
  assertDeepStrictEquals([code, out.split("\n")[0]], [0, "Tunnel 1, encap IP"]);
  assertStrictEquals((await host.run("")).code, 255);
  assertStrictEquals(host.shells.length, 4);
});
