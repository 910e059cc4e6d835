/**
 * Plans in tests: machines that are as a text says, and the steps that lead to another.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseToml } from "../../../src/apply/toml.ts";
import { decodeConfig } from "../../../src/config/file/decode.ts";
import { hookName } from "../../../src/config/plan/hooks.ts";
import { makePlan, type Plan, type PlanOptions, type Unit } from "../../../src/config/plan/plan.ts";
import type { SecretsFile } from "../../../src/config/plan/secrets.ts";
import type { Config } from "../../../src/config/schema/settings.ts";
import type { PlanStep } from "../../../src/config/plan/steps.ts";
import { Machine } from "../machine.ts";

/** The configuration that a text is. */
export function configOf(text: string): Config {
  const parsed = parseToml(text);
  assert("root" in parsed, text);
  const { config, problems } = decodeConfig(parsed.root, text);
  assertEquals(problems, [], text);
  return config;
}

/** Nothing is pruned, and no peer has a name. */
export const NO_PEERS: PlanOptions = { prune: false, peers: new Map() };

/** The plan that makes the machine as the text says. */
export function planFor(machine: Machine, text: string, options: Partial<PlanOptions> = {}): Plan {
  return makePlan(configOf(text), machine.state, { ...NO_PEERS, ...options });
}

/** Does the steps, of which none may be refused. */
export function perform(machine: Machine, { steps }: Unit): void {
  for (const { step } of steps) {
    try {
      machine.perform(step);
    } catch (error) {
      throw new Error(`${words(step)} failed among ${steps.map(({ step }) => words(step)).join(", ")}`, {
        cause: error,
      });
    }
  }
}

/** What the machines have of files of secrets. */
export const SECRETS: SecretsFile = { stamp: "1", names: new Set(["alice"]) };

/** A machine that is as the text says. */
export function machineAs(text: string, options: Partial<PlanOptions> = {}): Machine {
  const machine = new Machine();
  for (const file of ["", "0", "1"]) machine.secrets.set(`/etc/secrets${file}`, SECRETS);
  for (const unit of planFor(machine, text, options).units) perform(machine, unit);
  machine.done.length = 0;
  return machine;
}

/** A step in a few words. */
function words(step: PlanStep): string {
  switch (step.do) {
    case "createTunnel":
      return `+tunnel ${step.tunnel.tunnelId}`;
    case "deleteTunnel":
      return `-tunnel ${step.tunnelId}`;
    case "createSession":
      return `+session ${step.session.sessionId} ${step.session.interfaceName ?? ""}`.trim();
    case "deleteSession":
      return `-session ${step.key.sessionId}`;
    case "modifySession":
      return `modify ${step.key.sessionId} ${JSON.stringify(step.changes)}`;
    case "moveLink":
      return `to ${step.netns}`;
    case "setMtu":
      return `mtu ${step.mtu}`;
    case "setBridge":
      return `bridge ${step.bridge ?? "none"}`;
    case "setUp":
      return step.up ? "up" : "down";
    case "addAddress":
      return `+${step.prefix.address}/${step.prefix.prefixLength}`;
    case "deleteAddress":
      return `-${step.prefix.address}/${step.prefix.prefixLength}`;
    case "runPpp":
      return `+ppp ${step.key.sessionId} ${step.interfaceName ?? ""}`.trim();
    case "renewSecrets":
      return `secrets ${step.key.sessionId} ${step.ppp.secretFile}`;
    case "runHook":
      return `${step.hook.event} ${hookName(step.hook)}${step.hook.onlyAfterUp ? " if up" : ""}`;
    default:
      return step satisfies never;
  }
}

/** A tunnel with a session whose interface is set up. */
export const A = `[tunnel.a]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
local = "10.0.0.1"
remote = "10.0.0.2"
[tunnel.a.session.s]
session_id = 10
peer_session_id = 20
interface = "pw0"
mtu = 1400
addresses = ["10.1.1.1/24"]
up = true
`;
/** A tunnel with a session whose interface has a free name. */
export const B = `[tunnel.b]
tunnel_id = 3
peer_tunnel_id = 4
remote = "10.0.0.2"
udp_sport = 5000
udp_dport = 5000
[tunnel.b.session.s]
session_id = 11
peer_session_id = 21
`;

/** From a state that the first text made: the second text, and the steps of each unit. */
export type ExpectedPlan = readonly [
  name: string,
  before: string,
  after: string,
  units: string[][],
  options?: Partial<PlanOptions>,
];

/** Holds plans against what they are to be, does them, and plans again: then there is nothing to do. */
export function checkPlans(plans: readonly ExpectedPlan[]): void {
  for (const [name, before, after, units, options] of plans) {
    const machine = machineAs(before);
    const plan = planFor(machine, after, options);
    assertEquals(plan.units.map(({ steps }) => steps.map(({ step }) => words(step))), units, name);
    assertEquals(plan.units.flatMap(({ blockers }) => blockers), [], name);
    for (const unit of plan.units) perform(machine, unit);
    assertEquals(
      planFor(machine, after, options).units,
      [],
      `${name}: a second time there is nothing to do`,
    );
  }
}
