/** Plans for PPP: the steps that lead from what runs to what a file says. */

import { assertEquals } from "@std/assert";
import { SecretsError } from "../../../src/base/secrets_error.ts";
import { Machine } from "../machine.ts";
import { A, B, checkPlans, type ExpectedPlan, machineAs, perform, planFor, SECRETS } from "./plans.ts";

/** A PPP session, and PPP on it. */
const BARE = `${A.slice(0, A.indexOf("interface"))}pw_type = "ppp"\n`;
const PPP = `${BARE}interface = "ppp7"
[tunnel.a.session.s.ppp]
user = "alice"
secret-file = "/etc/secrets"
`;

const PLANS: readonly ExpectedPlan[] = [
  ["PPP", "", PPP, [["+tunnel 1", "+session 10", "+ppp 10 ppp7"]]],
  ["the same PPP", PPP, PPP, []],
  ["defaults of PPP, said or not", PPP, `${PPP}echo = 20\nipv6 = true\nrequire = ["none"]\n`, []],
  ["PPP on a session that had none", BARE, PPP, [["-session 10", "+session 10", "+ppp 10 ppp7"]]],
  ["no PPP any more", PPP, BARE, [["-session 10", "+session 10"]]],
  [
    "other PPP, whose interface keeps its name",
    PPP.replace(/^interface.*\n/m, ""),
    `${PPP.replace(/^interface.*\n/m, "")}mtu = 1400\n`,
    [["-session 10", "+session 10", "+ppp 10 ppp0"]],
  ],
  ["another interface of PPP", PPP, PPP.replace("ppp7", "ppp8"), [
    ["-session 10", "+session 10", "+ppp 10 ppp8"],
  ]],
  [
    "from Ethernet to PPP: the name that the system chose does not stay",
    B,
    `${B}[tunnel.b.session.s.ppp]\n`,
    [
      ["-session 11", "+session 11", "+ppp 11"],
    ],
  ],
  ["another file of secrets", PPP, PPP.replace("/secrets", "/secrets1"), [["secrets 10 /etc/secrets1"]]],
  [
    "PPP comes back with its tunnel",
    PPP,
    `${A.slice(0, A.indexOf("[tunnel.a.session"))}`.replace("= 2", "= 3"),
    [
      ["-tunnel 1", "+tunnel 1", "+session 10", "+ppp 10 ppp7"],
    ],
  ],
];

Deno.test("plans: the steps of each unit with PPP", () => checkPlans(PLANS));

Deno.test("plans: PPP is a difference as any other; a file of secrets that changed is taken up while it runs", () => {
  const said = (machine: Machine, text: string): string[] =>
    planFor(machine, text).units.flatMap(({ changes }) => changes).flatMap(({ action, differences }) => [
      action,
      ...differences.map(({ key, from, to }) => `${key}: ${from} > ${to}`),
    ]);
  const machine = machineAs(PPP);
  assertEquals(said(machine, `${PPP}mtu = 1400\nipv6 = false\n`), [
    "recreate",
    "ppp.mtu: undefined > 1400",
    "ppp.ipv6: true > false",
  ]);
  assertEquals(said(machine, BARE), [
    "recreate",
    'ppp.user: "alice" > undefined',
    'ppp.secret-file: "/etc/secrets" > undefined',
  ]);
  assertEquals(said(machineAs(BARE), `${BARE}[tunnel.a.session.s.ppp]\n`), [
    "recreate",
    "ppp: undefined > {}",
  ]);
  machine.secrets.set("/etc/secrets", { ...SECRETS, stamp: "2" });
  assertEquals(said(machine, PPP), [
    "change",
    'ppp.secret-file: "/etc/secrets" > "/etc/secrets" # changed since',
  ]);
  for (const unit of planFor(machine, PPP).units) perform(machine, unit);
  assertEquals(planFor(machine, PPP).untouched, ["a"]);
});

Deno.test("plans: a file of secrets that is of no use keeps from being made what needs it, and from nothing else", () => {
  const running = machineAs(PPP);
  const unreadable = new SecretsError("/etc/secrets", { trouble: "public" });
  const messages = (machine: Machine, text: string): unknown[] =>
    planFor(machine, text).units.flatMap(({ blockers }) =>
      blockers.map(({ key, cause: { waitsFor, subject }, message }) => [key, waitsFor, subject, message])
    );
  for (
    const [file, message] of [
      [unreadable, 'secret-file "/etc/secrets" is readable by everyone'],
      [{ stamp: "1", names: new Set(["bob"]) }, '"/etc/secrets" has no secret for "alice"'],
    ] as const
  ) {
    const machine = new Machine();
    machine.secrets.set("/etc/secrets", file);
    assertEquals(messages(machine, PPP + B), [["ppp.secret-file", "file", "/etc/secrets", message]]);
  }
  running.secrets.set("/etc/secrets", unreadable);
  assertEquals(planFor(running, PPP).untouched, ["a"]);
  // A tunnel that is re-created takes PPP with it of sessions that are not in the file, too.
  const anew = A.slice(0, A.indexOf("[tunnel.a.session")).replace("= 2", "= 3");
  const stranger = "PPP on session 10, which is not in the file, could not be run again: ";
  assertEquals(messages(running, anew), [
    ["tunnel_id", "file", "/etc/secrets", `${stranger}secret-file "/etc/secrets" is readable by everyone`],
  ]);
  assertEquals(messages(machineAs(PPP), anew), []);
  // Run by a program of somebody's, with secrets that are in no file.
  const bySomebody = machineAs(BARE);
  bySomebody.perform({
    do: "runPpp",
    key: { tunnelId: 1, sessionId: 10 },
    ppp: { require: ["chap"] },
    interfaceName: undefined,
  });
  assertEquals(messages(bySomebody, anew), [
    ["tunnel_id", "file", "secret-file", `${stranger}its secrets are not from a file`],
  ]);
});
