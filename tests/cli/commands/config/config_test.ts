/** `check`, `apply`, `save` and `import`, as whole command lines. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Errno } from "../../../../src/base/errno.ts";
import { HookError } from "../../../../src/base/hook_error.ts";
import { FakeHost } from "../../../support/fake_host.ts";
import { FILE, hostWith, LYON, PARIS } from "./fixture.ts";
import { assertDeepStrictEquals } from "../../../support/assertions.ts";

/** What was asked of the subsystem, of interfaces too, but for questions. */
function changesIn({ home }: FakeHost): string[] {
  const commands = home.l2tp.commands.map(String).filter((command) => !/GET|NOOP/.test(command));
  const steps = home.links.steps.filter((step) => !/^(get|list|addresses)/.test(step));
  return [...commands, ...steps];
}

Deno.test("check: a good file, a bad one with every problem's place, and one that is not there", async () => {
  const host = hostWith(PARIS + LYON);
  assertDeepStrictEquals(await host.run("check"), {
    code: 0,
    out: `${FILE} is valid: 2 tunnels, 2 sessions\n`,
    err: "",
  });
  host.files.set("bad.toml", `${PARIS}cookie = "00"\nmtuu = 1\n`.split("\n"));
  assertEquals(await host.run("check bad.toml"), {
    code: 255,
    out: "",
    err: "bad.toml:15:10: cookie must have 8 or 16 hex digits, and has 2\n" +
      'bad.toml:16:1: unknown key "mtuu" in [tunnel.paris.session.one]\n  Did you mean "mtu"?\n',
  });
  const { err } = await host.run("-j check bad.toml");
  assertEquals(err.trimEnd().split("\n").map((line) => JSON.parse(line)), [
    {
      error: "cookie must have 8 or 16 hex digits, and has 2",
      exit_code: 255,
      file: "bad.toml",
      line: 15,
      column: 10,
    },
    {
      error: 'unknown key "mtuu" in [tunnel.paris.session.one]',
      exit_code: 255,
      advice: ['Did you mean "mtu"?'],
      file: "bad.toml",
      line: 16,
      column: 1,
    },
  ]);
  assertEquals(JSON.parse((await host.run("-j check")).out), { file: FILE, tunnels: 2, sessions: 2 });
  assertEquals(await host.run("check nothing.toml"), {
    code: 1,
    out: "",
    err: 'Cannot open file "nothing.toml" for reading: No such file or directory\n',
  });
  assertEquals(changesIn(host), []);
  assertStrictEquals(host.transports.length, 0, "nobody is asked");
});

Deno.test("apply: a file that is wrong changes nothing", async () => {
  const host = hostWith(`${PARIS}${LYON}mtu = 1\n`);
  const { code, err } = await host.run("apply");
  assertStrictEquals(code, 255);
  assertMatch(err, /^\/etc\/l2tp\/l2tp\.toml:27:7: mtu must be a whole number from 68 to 65535\n$/);
  assertStrictEquals(host.transports.length, 0);
});

Deno.test("apply: makes everything, and a second time asks for nothing", async () => {
  const host = hostWith(PARIS + LYON);
  const first = await host.run("apply");
  assertDeepStrictEquals([first.code, first.err], [0, ""]);
  assertStrictEquals(
    first.out,
    `+ tunnel paris (1)
+   tunnel_id = 1
+   peer_tunnel_id = 2
+   encap = "ip"
+   local = "10.0.0.1"
+   remote = "10.0.0.2"
+ session one (10) of tunnel paris (1)
+   session_id = 10
+   peer_session_id = 20
+   interface = "pw0"
+   mtu = 1400
+   addresses = ["10.1.1.1/24"]
+   up = true
+ tunnel lyon (3)
+   tunnel_id = 3
+   peer_tunnel_id = 4
+   local = "10.0.0.1"
+   remote = "10.0.0.3"
+   udp_sport = 5000
+   udp_dport = 5001
+ session one (11) of tunnel lyon (3)
+   session_id = 11
+   peer_session_id = 21
+   seq = "both"
4 of 4 changes made; 0 tunnels untouched.
`,
  );
  assertEquals(host.home.links.steps.filter((step) => /^(mtu|address |up)/.test(step)), [
    "mtu 1400",
    "address 10.1.1.1/24",
    "up",
  ]);
  host.home.l2tp.commands.length = 0;
  host.home.links.steps.length = 0;
  assertEquals(await host.run("apply -f -"), {
    code: 1,
    out: "",
    err: 'Cannot open file "-" for reading: No such file or directory\n',
  });
  assertDeepStrictEquals(await host.run("apply"), {
    code: 0,
    out: "Nothing to do: 2 tunnels untouched.\n",
    err: "",
  });
  assertEquals(changesIn(host), []);
  assertStrictEquals(host.leaks, 0);
});

Deno.test("apply: only what differs, said as a diff; in colour on terminals alone", async () => {
  const host = hostWith(PARIS + LYON);
  await host.prepare("apply");
  host.files.set("new.toml", `${PARIS.replace("1400", "1300")}${LYON}reorder_timeout = 50\n`.split("\n"));
  const diff = `~ session one (10) of tunnel paris (1)
-   mtu = 1400
+   mtu = 1300
~ session one (11) of tunnel lyon (3)
-   reorder_timeout = 0
+   reorder_timeout = 50
`;
  const dry = { code: 0, out: `${diff}2 changes to make; 0 tunnels untouched.\n`, err: "" };
  assertDeepStrictEquals(await host.run("apply --dry-run -f new.toml"), dry);
  assertDeepStrictEquals(await host.run("apply -dry-run --file new.toml"), dry);
  assertEquals(changesIn(host), []);
  host.terminal = true;
  const { out: colored } = await host.run("apply --dry-run -f new.toml");
  const [yellow, red, green, end] = ["\x1b[33m", "\x1b[31m", "\x1b[32m", "\x1b[0m"];
  assertEquals(colored.split("\n").slice(0, 3), [
    `${yellow}~ session one (10) of tunnel paris (1)${end}`,
    `${red}-   mtu = 1400${end}`,
    `${green}+   mtu = 1300${end}`,
  ]);
  assertStrictEquals((await host.run("-color=never apply --dry-run -f new.toml")).out, dry.out);
  host.env.set("NO_COLOR", "1");
  assertStrictEquals((await host.run("apply --dry-run -f new.toml")).out, dry.out);
  host.terminal = false;
  const done = { ...dry, out: `${diff}2 of 2 changes made; 0 tunnels untouched.\n` };
  assertDeepStrictEquals(await host.run("apply -f new.toml"), done);
  assertStrictEquals(changesIn(host).length, 2, "one request for each");
});

Deno.test("apply: what is not in the file is kept and named, or with --prune deleted", async () => {
  const host = hostWith(PARIS);
  await host.prepare(
    "apply",
    "add tunnel tunnel_id 7 peer_tunnel_id 7 encap ip local 10.0.0.1 remote 10.0.0.7",
    "add session tunnel_id 1 session_id 12 peer_session_id 12 name other",
  );
  assertDeepStrictEquals(await host.run("apply"), {
    code: 0,
    out: "Nothing to do: 1 tunnel untouched.\n" +
      "Not in the file, and kept: tunnel 7, session 12 of tunnel 1 (--prune deletes them).\n",
    err: "",
  });
  const { code, out } = await host.run("apply --prune");
  assertStrictEquals(code, 0);
  assertMatch(out, /^- session 12 of tunnel paris \(1\)\n- {3}session_id = 12\n/);
  assertMatch(out, /^- tunnel 7\n/m);
  assertEquals([...host.home.l2tp.tunnels.keys()], [1]);
  assertStrictEquals((await host.run("apply --prune")).out, "Nothing to do: 1 tunnel untouched.\n");
});

Deno.test("apply: a step that fails undoes its tunnel, and the others go on", async () => {
  const host = hostWith(PARIS + LYON);
  host.home.links.refusal = (step) => step === "up" ? { errno: Errno.EINVAL } : undefined;
  const { code, out, err } = await host.run("apply");
  assertStrictEquals(code, 2);
  assertMatch(
    err,
    /^RTNETLINK answers: Invalid argument\n {2}The changes of tunnel paris \(1\) are undone\.\n$/,
  );
  assertMatch(out, /2 of 4 changes made; 0 tunnels untouched\.\n$/);
  assertEquals([...host.home.l2tp.tunnels.keys()], [3]);
  host.home.links.refusal = () => undefined;
  await host.prepare("apply");
  const before = (await host.run("-j show")).out;
  // A change on a living tunnel that fails at its second step.
  host.home.links.refusal = (step) => step === "address 10.1.1.2/24" ? { errno: Errno.EINVAL } : undefined;
  host.files.set(FILE, (PARIS.replace("1400", "1300").replace("1.1.1", "1.1.2") + LYON).split("\n"));
  assertStrictEquals((await host.run("apply")).code, 2);
  assertStrictEquals((await host.run("-j show")).out, before);
  assertStrictEquals(host.home.links.byName("pw0")?.mtu, 1400);
  assert(host.home.links.addresses.some(({ address }) => address === "10.1.1.1"));
  // A tunnel that cannot be re-created is what it was, with its sessions and their interfaces.
  host.home.links.refusal = () => undefined;
  host.files.set(FILE, PARIS.replace('local = "10.0.0.1"', 'local = "10.9.9.9"').split("\n"));
  const failed = await host.run("apply");
  assertStrictEquals(failed.code, 2);
  assertMatch(
    failed.err,
    /^RTNETLINK answers: Cannot assign requested address\n {2}10\.9\.9\.9 is not an address /,
  );
  assertMatch(failed.err, /are undone\.\n$/);
  assertStrictEquals(
    JSON.parse((await host.run("-j -d show session tid 1")).out)[0].link.mtu,
    1400,
  );
  assertStrictEquals(host.leaks, 0);
});

Deno.test("apply: bridges and names that are not there keep their tunnel from being touched", async () => {
  const host = hostWith(`${PARIS.replace("10.0.0.2", "paris.example")}bridge = "br9"\n${LYON}`);
  const { code, err } = await host.run("apply");
  assertStrictEquals(code, 1);
  assertStrictEquals(
    err,
    `${FILE}:6:10: tunnel paris: host name "paris.example" cannot be resolved: Name or service not known
  See: getent hosts paris.example
  Nothing was done for this tunnel.
${FILE}:15:10: tunnel paris: there is no interface "br9"
  Create it first: ip link add br9 type bridge
  Nothing was done for this tunnel.
`,
  );
  assertEquals([...host.home.l2tp.tunnels.keys()], [3]);
  host.hosts.set("paris.example", ["10.0.0.2"]);
  host.home.links.add("br9");
  assertStrictEquals((await host.run("apply")).code, 0);
  assertStrictEquals(host.home.l2tp.tunnels.get(1)?.peer, "10.0.0.2");
  host.hosts.delete("paris.example");
  assertDeepStrictEquals(await host.run("apply"), {
    code: 0,
    out: "Nothing to do: 2 tunnels untouched.\n",
    err: "",
  });
});

Deno.test("apply -json: each change with what became of it", async () => {
  const host = hostWith(PARIS.slice(0, PARIS.indexOf("\n[tunnel.paris.session")) + LYON);
  host.home.l2tp.hasFamily = true;
  const planned = JSON.parse((await host.run("-j apply --dry-run")).out);
  assertEquals(planned[0], {
    action: "create",
    tunnel: "paris",
    tunnel_id: 1,
    settings: {
      tunnel_id: { from: null, to: "1" },
      peer_tunnel_id: { from: null, to: "2" },
      encap: { from: null, to: '"ip"' },
      local: { from: null, to: '"10.0.0.1"' },
      remote: { from: null, to: '"10.0.0.2"' },
    },
    outcome: "planned",
  });
  const outcomes = (text: string): string[] =>
    JSON.parse(text).map(({ outcome }: { outcome: string }) => outcome);
  host.files.set(FILE, (PARIS + LYON.replace("10.0.0.1", "10.9.9.9")).split("\n"));
  const { code, out, err } = await host.run("apply --json");
  assertEquals([code, outcomes(out)], [2, ["done", "done", "undone", "undone"]]);
  assertStrictEquals(JSON.parse(err).code, "EADDRNOTAVAIL");
  assertStrictEquals((await host.run("-j apply --prune -f /etc/l2tp/l2tp.toml")).code, 2);
});

Deno.test("apply: in userspace a daemon is started where there is something to make, and not before", async () => {
  const host = hostWith("");
  host.home.l2tp.hasFamily = false;
  assertDeepStrictEquals(await host.run("apply"), {
    code: 0,
    out: "Nothing to do: 0 tunnels untouched.\n",
    err: "",
  });
  host.files.set(FILE, PARIS.split("\n"));
  assertStrictEquals((await host.run("apply --dry-run")).code, 0);
  assertStrictEquals(host.starts, 0);
  const { code, err } = await host.run("apply");
  assertDeepStrictEquals([code, host.starts], [0, 1]);
  assertMatch(err, /^Started l2tp daemon/);
  assertEquals([...host.home.user.tunnels.keys()], [1]);
});

Deno.test("apply: link-local tunnels have their scope; save finds it again", async () => {
  const host = hostWith(PARIS.replace("10.0.0.1", "fe80::1%eth0").replace("10.0.0.2", "fe80::2"));
  host.home.links.addAddress("eth0", "fe80::1", 64);
  assertEquals([(await host.run("apply")).err, host.scopes], ["", ["eth0"]]);
  assertStrictEquals((await host.run("apply")).out, "Nothing to do: 1 tunnel untouched.\n");
  const { out, err } = await host.run("save");
  assertMatch(out, /^local = "fe80::1%eth0"\nremote = "fe80::2%eth0"$/m);
  assertStrictEquals(err, "");
});

Deno.test("save: prints or writes what makes the same again; says what it cannot know", async () => {
  const host = hostWith(PARIS + LYON);
  await host.prepare("apply");
  const { out } = await host.run("save");
  assertStrictEquals((await host.run("save -f saved.toml")).out, "");
  assertStrictEquals(host.files.get("saved.toml")!.join("\n"), out);
  const before = (await host.run("-j -d show")).out;
  await host.prepare("flush", "apply -f saved.toml");
  const withoutIndex = (text: string): string => text.replaceAll(/"ifindex":\d+/g, "");
  assertStrictEquals(withoutIndex((await host.run("-j -d show")).out), withoutIndex(before));
  assertStrictEquals(
    (await host.run("apply --prune -f saved.toml")).out,
    "Nothing to do: 2 tunnels untouched.\n",
  );
  host.debugfs = false;
  host.home.links.remove("pw0");
  assertStrictEquals(
    (await host.run("save")).err,
    `Not saved: l2spec_type of session 10 of tunnel 1, which only debugfs shows
Not saved: interface settings of session 10 of tunnel 1: no pw0 is here
Not saved: l2spec_type of session 11 of tunnel 3, which only debugfs shows
`,
  );
});

const HOOKED =
  `${
    PARIS.replace("[tunnel.paris.session", 'on_up = ["/up"]\non_down = ["/down"]\n\n[tunnel.paris.session')
  }` +
  'on_up = ["/up", "session"]\non_pre_down = ["/pre"]\non_down = ["/down"]\n';

Deno.test("apply: hooks are told what there is, and one that fails undoes its tunnel", async () => {
  const host = hostWith(HOOKED);
  const { code, out, err } = await host.run("apply");
  assertDeepStrictEquals([code, err], [0, ""]);
  assertMatch(out, /^2 of 2 changes made/m);
  const told = host.hooks.map(({ name, command, environment }) => [
    name,
    command,
    environment.L2TP_EVENT,
    environment.L2TP_LOCAL,
    environment.L2TP_INTERFACE,
  ]);
  assertEquals(told, [
    ["on_up of tunnel paris", ["/up"], "up", "10.0.0.1", undefined],
    ["on_up of session one of tunnel paris", ["/up", "session"], "up", "10.0.0.1", "pw0"],
  ]);

  const other = hostWith(HOOKED);
  other.hookFails = ({ command, name }) =>
    command[1] === "session" ? new HookError(name, "failed", "ended badly") : undefined;
  const failed = await other.run("apply");
  assertStrictEquals(failed.code, 1);
  assertStrictEquals(
    failed.err,
    "Error: on_up of session one of tunnel paris ended badly.\n  The changes of tunnel paris (1) are undone.\n",
  );
  assertMatch(failed.out, /^0 of 2 changes made/m);
  assertEquals(other.hooks.map(({ name }) => name), [
    "on_up of tunnel paris",
    "on_up of session one of tunnel paris",
    "on_pre_down of session one of tunnel paris",
    "on_down of session one of tunnel paris",
    "on_down of tunnel paris",
  ]);
  assertStrictEquals(other.hooks.at(-1)!.environment.L2TP_TUNNEL_ID, "1");
  assertStrictEquals((await other.run("show")).out, "");
});

Deno.test("apply: undoing runs the hooks of what was up, and of what comes back, and no others", async () => {
  const host = hostWith(HOOKED);
  host.hookFails = ({ name }) => new HookError(name, "failed", "ended badly");
  await host.run("apply");
  const names = (): string[] => host.hooks.splice(0).map(({ name }) => name.replace(" of tunnel paris", ""));
  assertEquals(names(), ["on_up", "on_down"], "the session's were never up");

  host.hookFails = () => undefined;
  await host.run("apply");
  assertEquals(names(), ["on_up", "on_up of session one"]);
  host.files.set(FILE, HOOKED.replace("peer_tunnel_id = 2", "peer_tunnel_id = 9").split("\n"));
  let fails = true;
  host.hookFails = ({ name, command }) => {
    if (command[1] !== "session" || !fails) return undefined;
    fails = false;
    return new HookError(name, "failed", "ended badly");
  };
  assertStrictEquals((await host.run("apply")).code, 1);
  assertEquals(names(), [
    "on_pre_down of session one",
    "on_down of session one",
    "on_down",
    "on_up",
    "on_up of session one",
    "on_pre_down of session one",
    "on_down of session one",
    "on_down",
    "on_up",
    "on_up of session one",
  ]);
  assertMatch((await host.run("show tunnel")).out, /Peer tunnel 2/);

  const taken = HOOKED.replace("peer_tunnel_id = 2", "peer_tunnel_id = 9").replace('"pw0"', '"lo"');
  host.files.set(FILE, taken.split("\n"));
  assertStrictEquals((await host.run("apply")).code, 2);
  assertEquals(names(), [
    "on_pre_down of session one",
    "on_down of session one",
    "on_down",
    "on_up",
    "on_up of session one",
  ]);
});

Deno.test("apply: a hook for down that fails is told, and stops nothing; a dry run runs none", async () => {
  const host = hostWith(HOOKED);
  await host.run("apply");
  host.hooks.splice(0);
  host.files.set(FILE, HOOKED.replace("peer_tunnel_id = 2", "peer_tunnel_id = 9").split("\n"));
  await host.run("apply --dry-run");
  assertStrictEquals(host.hooks.length, 0);
  host.hookFails = ({ command, name }) =>
    command[0] !== "/up" ? new HookError(name, "timeout", "took long") : undefined;
  const { code, err } = await host.run("apply");
  assertStrictEquals(code, 0);
  assertStrictEquals(
    err,
    [
      "on_pre_down of session one of tunnel paris took long",
      "on_down of session one of tunnel paris took long",
      "on_down of tunnel paris took long",
      "",
    ].join("\n"),
  );
  const down = host.hooks.find(({ name }) => name === "on_down of session one of tunnel paris");
  assertEquals([down?.environment.L2TP_PEER_TUNNEL_ID, down?.environment.L2TP_INTERFACE], ["2", "pw0"]);
});

Deno.test("words that the verbs do not know", async () => {
  const host = hostWith("");
  for (
    const line of [
      "check a b",
      "check -f a b",
      "check --bogus",
      "apply a b",
      "apply -f a b",
      "save x",
      "apply --prune --bogus",
    ]
  ) {
    const { code, out, err } = await host.run(line);
    assertEquals([code, out], [255, ""], line);
    assertMatch(err, /^(Unknown command: |Option )/, line);
  }
  assertMatch((await host.run("import")).err, /^Error: argument "FILE" is required\n/);
  for (const line of ["apply -f", "check -f", "apply --prune -f"]) {
    const { code, err } = await host.run(line);
    assertEquals([code, err.split("\n")[1]], [255, "  A value is missing: --file FILE"], line);
  }
});

Deno.test("check and apply take their file behind -f or alone", async () => {
  const host = hostWith("");
  const text = host.files.get(FILE)!;
  host.files.delete(FILE);
  host.files.set("other.toml", text);
  for (const file of ["other.toml", "-f other.toml", "--file other.toml"]) {
    assertStrictEquals((await host.run(`check ${file}`)).code, 0, file);
    for (const line of [`apply --prune ${file}`, `apply ${file} --prune`]) {
      assertStrictEquals((await host.run(line)).code, 0, line);
    }
  }
  assertStrictEquals((await host.run("check none.toml")).code, 1);
});
