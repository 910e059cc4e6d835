/** Hooks: when plans run them, what undoing runs, and what they are told. */

import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { decodeConfig } from "../../../src/config/file/decode.ts";
import { type Hook, hookEnvironment, hookName } from "../../../src/config/plan/hooks.ts";
import { makePlan, type PlanOptions } from "../../../src/config/plan/plan.ts";
import type { Config } from "../../../src/config/schema/settings.ts";
import type { PlannedStep, PlanStep } from "../../../src/config/plan/steps.ts";
import { parseToml } from "../../../src/apply/toml.ts";
import { sampleSession, sampleTunnel } from "../../support/samples.ts";
import { Machine } from "../machine.ts";

function configOf(text: string): Config {
  const parsed = parseToml(text);
  assert("root" in parsed, text);
  const { config, problems } = decodeConfig(parsed.root, text);
  assertEquals(problems, [], text);
  return config;
}

const HOOKS = 'on_up = ["/up"]\non_pre_down = ["/pre"]\non_down = ["/down"]\n';
const FILE = `[defaults.tunnel]
${HOOKS}[defaults.session]
${HOOKS}[tunnel.a]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
remote = "10.0.0.2"
[tunnel.a.session.s]
session_id = 10
peer_session_id = 20
interface = "pw0"
`;
const MORE = '[tunnel.a.session.t]\nsession_id = 11\npeer_session_id = 21\ninterface = "pw1"\n';

function words(step: PlanStep): string {
  if (step.do !== "runHook") return step.do;
  const { command, session, tunnel, onlyAfterUp } = step.hook;
  return `${command[0]} ${session?.label ?? tunnel.label}${onlyAfterUp ? " if up" : ""}`;
}

/** The steps that lead from what the first file makes to the second, and what undoes each. */
function steps(before: string, after: string, options: Partial<PlanOptions> = {}): PlannedStep[] {
  const machine = new Machine();
  const peers = new Map();
  for (const { steps } of makePlan(configOf(before), machine.state, { prune: false, peers }).units) {
    for (const { step } of steps) machine.perform(step);
  }
  return makePlan(configOf(after), machine.state, { prune: false, peers, ...options }).units
    .flatMap(({ steps }) => steps);
}

Deno.test("hooks: a tunnel comes before its sessions and goes behind them", () => {
  const cases: [before: string, after: string, steps: string[], options?: Partial<PlanOptions>][] = [
    ["", FILE, ["createTunnel", "createSession", "/up a", "/up s"]],
    [FILE, FILE, []],
    [FILE, `${FILE}seq = "both"\n`, ["modifySession"]],
    [FILE, FILE + MORE, ["createSession", "/up t"]],
    [FILE, `${FILE}cookie = "00112233"\n`, ["/pre s", "deleteSession", "/down s", "createSession", "/up s"]],
    [
      FILE,
      FILE.replace("peer_tunnel_id = 2", "peer_tunnel_id = 3"),
      [
        "/pre s",
        "/pre a",
        "deleteTunnel",
        "/down s",
        "/down a",
        "createTunnel",
        "createSession",
        "/up a",
        "/up s",
      ],
    ],
    [FILE, "", ["deleteTunnel"], { prune: true }],
    [
      FILE + MORE,
      "",
      ["/pre s", "/pre t", "/pre a", "deleteTunnel", "/down s", "/down t", "/down a"],
      { prune: true, former: configOf(FILE + MORE) },
    ],
    [FILE + MORE, FILE, ["/pre t", "deleteSession", "/down t"], {
      prune: true,
      former: configOf(FILE + MORE),
    }],
    // What goes has the hooks that it came with.
    [
      FILE,
      `${FILE.replaceAll("/pre", "/new")}cookie = "00112233"\n`,
      ["/pre s", "deleteSession", "/down s", "createSession", "/up s"],
      { former: configOf(FILE) },
    ],
    // Nothing is said of hooks by what is there, so a change of theirs is none.
    [FILE, FILE.replaceAll("/up", "/other"), []],
  ];
  for (const [before, after, expected, options] of cases) {
    assertEquals(
      steps(before, after, options).map(({ step }) => words(step)),
      expected,
      `${before}\n${after}`,
    );
  }
});

Deno.test("hooks: undoing what was begun runs those of what was up, and remaking runs those of what comes back", () => {
  const undoOf = (list: PlannedStep[], name: string): string[] =>
    list.find(({ step }) => step.do === name)!.undo.map(words);
  assertEquals(undoOf(steps("", FILE), "createTunnel"), [
    "/pre s if up",
    "/pre a if up",
    "deleteTunnel",
    "/down s if up",
    "/down a if up",
  ]);
  const remade = steps(FILE, FILE.replace("peer_tunnel_id = 2", "peer_tunnel_id = 3"));
  assertEquals(undoOf(remade, "deleteTunnel"), [
    "createTunnel",
    "createSession",
    "setMtu",
    "/up a",
    "/up s",
  ]);
  const session = steps(FILE, `${FILE}cookie = "00112233"\n`);
  assertEquals(undoOf(session, "deleteSession"), ["createSession", "setMtu", "/up s"]);
  assertEquals(undoOf(session, "createSession"), ["/pre s if up", "deleteSession", "/down s if up"]);
});

function hookIn(text: string, at: number): Hook {
  const found = steps("", text).flatMap(({ step }) => step.do === "runHook" ? [step.hook] : []);
  return found[at]!;
}

Deno.test("hooks: settings and their defaults; those of the thing win", () => {
  const plain = hookIn(FILE, 0);
  assertEquals([plain.wait, plain.timeoutMs, hookName(plain)], [true, 30_000, "on_up of tunnel a"]);
  const own = hookIn(`${FILE}hook_wait = false\nhook_timeout = 5\non_up = ["/own", "x y"]\n`, 1);
  assertEquals([own.wait, own.timeoutMs, own.command], [false, 5000, ["/own", "x y"]]);
  assertStrictEquals(hookName(own), "on_up of session s of tunnel a");
});

Deno.test("hooks: their whole environment, in which no cookie is", () => {
  const tunnel = sampleTunnel({
    tunnelId: 1,
    peerTunnelId: 2,
    encap: "udp",
    localPort: 5000,
    peerPort: 6000,
  });
  const cookie = Uint8Array.of(0xde, 0xad, 0xbe, 0xef);
  const session = sampleSession({
    sessionId: 10,
    peerSessionId: 20,
    interfaceName: "pw0",
    cookie,
    peerCookie: cookie,
  });
  const system = { dataplane: "user", netns: "blue" };
  const [ofTunnel, ofSession] = [hookIn(FILE, 0), hookIn(FILE, 1)];
  const common = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    L2TP_EVENT: "up",
    L2TP_DATAPLANE: "user",
    L2TP_NETNS: "blue",
    L2TP_TUNNEL: "a",
    L2TP_TUNNEL_ID: "1",
    L2TP_PEER_TUNNEL_ID: "2",
    L2TP_VERSION: "3",
    L2TP_ENCAP: "udp",
    L2TP_LOCAL: tunnel.local,
    L2TP_REMOTE: tunnel.peer,
    L2TP_LOCAL_PORT: "5000",
    L2TP_REMOTE_PORT: "6000",
  };
  assertEquals(hookEnvironment(ofTunnel, tunnel, undefined, system), common);
  const environment = hookEnvironment(ofSession, tunnel, session, system);
  assertEquals(environment, {
    ...common,
    L2TP_SESSION: "s",
    L2TP_SESSION_ID: "10",
    L2TP_PEER_SESSION_ID: "20",
    L2TP_INTERFACE: "pw0",
  });
  assertNotMatch(JSON.stringify(environment), /deadbeef|222,173/i);
  const ip = hookEnvironment(ofTunnel, { ...tunnel, localPort: undefined }, undefined, system);
  assertStrictEquals(ip.L2TP_LOCAL_PORT, "");
});
