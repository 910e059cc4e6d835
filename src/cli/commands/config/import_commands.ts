/**
 * Converts files of commands: `ip l2tp add …` by this program's grammar, and `ip link set` and `ip addr add` for the
 * interfaces of the sessions.
 *
 * @module
 */

import { ipVersionOf } from "../../../base/inet.ts";
import type { Imported } from "../../../config/import/networkd.ts";
import { prefixText, readEndAddress, readPrefix } from "../../../config/schema/kinds.ts";
import type { ConfigProblem } from "../../../config/schema/problem.ts";
import { applicableTunnel, sessionFields, tunnelFields } from "../../../config/schema/fields.ts";
import { sessionSetting } from "../../../config/schema/schema.ts";
import type { EndAddress, SessionSettings, TunnelSettings } from "../../../config/schema/settings.ts";
import type { Arguments } from "../../grammar/arguments.ts";
import { logicalLines, splitWords } from "../batch.ts";
import { isTableCommand } from "../../grammar/command.ts";
import { parseLine, withoutProgramName } from "../../grammar/parse.ts";
import { UsageError } from "../../grammar/usage_error.ts";

/** A tunnel, as the lines so far create it. */
interface Tunnel {
  readonly label: string;
  readonly settings: TunnelSettings;
  readonly sessions: { readonly label: string; readonly settings: SessionSettings }[];
}

/**
 * Reads the commands without running them. Other lines are left out, with a remark, which never quotes the line: it may
 * be of a file with secrets.
 */
export function importCommands(text: string): Imported {
  const remarks: ConfigProblem[] = [];
  const tunnels: Tunnel[] = [];
  for (const entry of logicalLines(text.split("\n"))) {
    if (entry === undefined) continue;
    const remark = (message: string): void => {
      remarks.push({ line: entry.line, column: 1, message, advice: [] });
    };
    try {
      const words = splitWords(entry.text);
      if (words.length > 0) readCommand(words, tunnels, remark);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      remark(withoutSecrets(error.message));
    }
  }
  return { tunnels, remarks };
}

/** An error's message without a word of the line that may be a secret: a cookie, or one that is no keyword. */
function withoutSecrets(message: string): string {
  return message.replace(/^Error: /, "").replace(/^argument ".*" is wrong: cookie/s, "cookie")
    .replace(/^Unknown command: .*/s, "a word is no keyword of l2tp")
    .replace(/^(Command|Option) ".*" is unknown.*/s, "the command is unknown to l2tp");
}

function readCommand(words: readonly string[], tunnels: Tunnel[], remark: (message: string) => void): void {
  const plain = words[0] === "sudo" ? words.slice(1) : words;
  if (plain[0] === "modprobe" || plain[0] === "set") return;
  if (plain[0] === "ip" && plain[1] !== "l2tp") {
    if (!readInterfaceCommand(plain.slice(1), tunnels)) {
      remark("left out: it sets nothing of an interface above");
    }
    return;
  }
  if (plain[0] !== "ip" && plain[0] !== "l2tp" && plain[0] !== "add") {
    return remark("left out: not a command of ip or l2tp");
  }
  const { command } = parseLine(withoutProgramName(plain));
  if (command === undefined || !isTableCommand(command) || command.verb !== "add") {
    return remark("left out: it adds neither a tunnel nor a session");
  }
  const { arguments: given, ignored } = command;
  for (const notice of ignored) remark(notice);
  if (given.netns !== undefined) {
    remark(`netns ${given.netns} is left out: a configuration is for one namespace`);
  }
  if (given.tunnel) {
    tunnels.push({ label: String(given.tunnelId), settings: tunnelOf(given), sessions: [] });
  }
  if (!given.session) return;
  const tunnel = tunnels.findLast(({ settings }) => settings.tunnelId === given.tunnelId);
  if (tunnel === undefined) return remark(`there is no tunnel ${given.tunnelId} above: left out`);
  const settings = sessionOf(given);
  tunnel.sessions.push({ label: settings.interfaceName ?? String(given.sessionId), settings });
}

function endOf(argument: EndAddress | undefined, hosts: boolean): TunnelSettings["local"] {
  if (argument === undefined) return undefined;
  if (argument.type !== "address") {
    return readEndAddress(argument.type === "any" ? "any" : argument.text, hosts);
  }
  const scope = argument.scope === undefined ? "" : `%${argument.scope}`;
  return readEndAddress(argument.address + scope, hosts);
}

function tunnelOf(given: Arguments): TunnelSettings {
  const settings = {
    ...tunnelFields(given),
    encap: given.encap ?? "udp",
    local: endOf(given.local, false),
    remote: endOf(given.remote, true),
  };
  // ip takes and ignores settings that would be wrong in a configuration.
  return applicableTunnel(settings, ipVersionOf(given.remote?.address ?? ""));
}

function sessionOf(given: Arguments): SessionSettings {
  const { sequence = "none", up, mtu, bridge, addresses } = given;
  return { ...sessionFields(given), sequence, up, mtu, bridge, addresses };
}

/** `link set [dev] NAME …` and `addr add PREFIX dev NAME`; returns whether it was understood. */
function readInterfaceCommand(words: readonly string[], tunnels: readonly Tunnel[]): boolean {
  const [object = "", verb = "", ...rest] = words.filter((word) => word !== "dev");
  if (object.startsWith("l") && "link".startsWith(object) && verb === "set") {
    const [name, ...changes] = rest;
    const session = sessionNamed(name, tunnels);
    return session !== undefined && readLinkChanges(changes, session);
  }
  if (
    object.startsWith("a") && "address".startsWith(object) && ["add", "a"].includes(verb) && rest.length === 2
  ) {
    const session = sessionNamed(rest[1], tunnels);
    const prefix = readPrefix(rest[0]!);
    if (session === undefined || prefix === undefined) return false;
    const before = session.addresses ?? [];
    if (!before.some((each) => prefixText(each) === prefixText(prefix))) {
      session.addresses = [...before, prefix];
    }
    return true;
  }
  return false;
}

function sessionNamed(name: string | undefined, tunnels: readonly Tunnel[]): SessionSettings | undefined {
  return tunnels.flatMap(({ sessions }) => sessions).find(({ settings }) =>
    name !== undefined && settings.interfaceName === name
  )?.settings;
}

function readLinkChanges(words: readonly string[], into: SessionSettings): boolean {
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "up" || word === "down") into.up = word === "up";
    else if (word === "nomaster") into.bridge = undefined;
    else if (word === "master" && left.length > 0) into.bridge = left.shift();
    else if (word === "mtu" && /^[0-9]{1,5}$/.test(left[0] ?? "")) {
      if (sessionSetting("mtu").read(BigInt(left.shift()!), into) !== undefined) return false;
    } else return false;
  }
  return words.length > 0;
}
