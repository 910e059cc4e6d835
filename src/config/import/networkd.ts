/**
 * Reads `.netdev` units of systemd-networkd whose kind is l2tp (systemd.netdev(5), sections `[L2TP]` and `[L2TPSession]`).
 * Pure.
 *
 * @module
 */

import { ipVersionOf } from "../../base/inet.ts";
import { ID, PORT, readEndAddress } from "../schema/kinds.ts";
import { applicableTunnel } from "../schema/fields.ts";
import { sessionSetting, type Setting, tunnelSetting } from "../schema/schema.ts";
import type { ConfigProblem } from "../schema/problem.ts";
import type { SessionSettings, TunnelSettings } from "../schema/settings.ts";
import type { WrittenTunnel } from "../file/write.ts";

/** A converted configuration of another program. */
export interface Imported {
  /** Its tunnels. */
  readonly tunnels: readonly WrittenTunnel[];
  /** Remarks about lines that were left out. */
  readonly remarks: readonly ConfigProblem[];
}

/** A line `Key=value`. */
interface Line {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** Reads a unit: one tunnel with its sessions. */
export function importNetworkd(text: string): Imported {
  const remarks: ConfigProblem[] = [];
  const remark = ({ line }: Pick<Line, "line">, message: string): void => {
    remarks.push({ line, column: 1, message, advice: [] });
  };
  const sections = readSections(text, remark);
  const netdev = sections.find(([{ section }]) => section === "NetDev")?.[1] ?? [];
  const kind = netdev.find(({ key }) => key === "Kind");
  if (kind?.value !== "l2tp") {
    remark(
      kind ?? { line: 1 },
      `this is not a unit of an L2TP tunnel: its Kind is ${kind?.value ?? "missing"}`,
    );
    return { tunnels: [], remarks };
  }
  for (const line of netdev) {
    if (!["Kind", "Name", "Description"].includes(line.key)) remark(line, `${line.key} is left out`);
  }
  const settings: TunnelSettings = {};
  const sessions: { label: string; settings: SessionSettings }[] = [];
  for (const [{ section }, lines] of sections) {
    if (section === "L2TP") { for (const line of lines) readTunnelLine(line, settings, remark); }
    else if (section === "L2TPSession") sessions.push(readSession(lines, remark));
    else if (section !== "NetDev") remark(lines[0] ?? { line: 1 }, `section [${section}] is left out`);
  }
  const label = netdev.find(({ key }) => key === "Name")?.value ?? String(settings.tunnelId);
  return { tunnels: [{ label, settings: relevant(settings), sessions }], remarks };
}

type Remark = (line: Pick<Line, "line">, message: string) => void;

function readSections(text: string, remark: Remark): [{ readonly section: string }, Line[]][] {
  const sections: [{ section: string }, Line[]][] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const [, section] = /^\[(.+)\]$/.exec(line) ?? [];
    if (section !== undefined) {
      sections.push([{ section }, []]);
      continue;
    }
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    const last = sections.at(-1);
    if (key === undefined || last === undefined) remark({ line: i + 1 }, "the line is not a setting");
    else last[1].push({ section: last[0].section, key, value: value!, line: i + 1 });
  }
  return sections;
}

function readTunnelLine(line: Line, into: TunnelSettings, remark: Remark): void {
  const { key, value } = line;
  switch (key) {
    case "TunnelId":
      into.tunnelId = numberOf(line, ID, remark);
      break;
    case "PeerTunnelId":
      into.peerTunnelId = numberOf(line, ID, remark);
      break;
    case "UDPSourcePort":
      into.localPort = numberOf(line, PORT, remark);
      break;
    case "UDPDestinationPort":
      into.peerPort = numberOf(line, PORT, remark);
      break;
    case "Remote":
      into.remote = value === "any" ? undefined : readEndAddress(value, false);
      if (into.remote === undefined) remark(line, `Remote "${value}" is not an address`);
      break;
    case "Local":
      into.local = readEndAddress(["", "auto", "static", "dynamic"].includes(value) ? "any" : value, false);
      if (into.local === undefined) remark(line, `Local "${value}" is not an address`);
      if (value === "static" || value === "dynamic") remark(line, `Local=${value} becomes local = "any"`);
      break;
    case "EncapsulationType":
      if (value === "ip" || value === "udp") into.encap = value;
      else remark(line, `EncapsulationType "${value}" is neither ip nor udp`);
      break;
    case "UDPChecksum":
    case "UDPCheckSum":
      put(tunnelSetting("udp_csum"), booleanOf(line, remark), into);
      break;
    case "UDP6ZeroChecksumTx":
    case "UDP6CheckSumTx":
      put(tunnelSetting("udp6_csum_tx"), not(booleanOf(line, remark)), into);
      break;
    case "UDP6ZeroChecksumRx":
    case "UDP6CheckSumRx":
      put(tunnelSetting("udp6_csum_rx"), not(booleanOf(line, remark)), into);
      break;
    default:
      remark(line, `${key} is left out`);
  }
}

function readSession(lines: readonly Line[], remark: Remark): { label: string; settings: SessionSettings } {
  const settings: SessionSettings = {};
  for (const line of lines) {
    const { key, value } = line;
    if (key === "Name") settings.interfaceName = value;
    else if (key === "SessionId") settings.sessionId = numberOf(line, ID, remark);
    else if (key === "PeerSessionId") settings.peerSessionId = numberOf(line, ID, remark);
    else if (key !== "Layer2SpecificHeader" || !put(sessionSetting("l2spec_type"), value, settings)) {
      remark(line, `${key}=${value} is left out`);
    }
  }
  return { label: settings.interfaceName ?? String(settings.sessionId), settings };
}

/** Without settings that do not apply to the encapsulation and IP version; networkd ignores them as well. */
function relevant(settings: TunnelSettings): TunnelSettings {
  const local = settings.local ?? readEndAddress("any", false);
  return applicableTunnel({ ...settings, local }, ipVersionOf(settings.remote?.address ?? ""));
}

/** Puts a value into the settings; returns whether it is valid. */
function put<T>(setting: Setting<T>, value: unknown, into: T): boolean {
  return value !== undefined && setting.read(value, into) === undefined;
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** A boolean as systemd parses it (`parse_boolean`). */
function booleanOf(line: Line, remark: Remark): boolean | undefined {
  const value = line.value.toLowerCase();
  if (["1", "yes", "y", "true", "t", "on"].includes(value)) return true;
  if (["0", "no", "n", "false", "f", "off"].includes(value)) return false;
  remark(line, `${line.key} "${line.value}" is neither yes nor no`);
  return undefined;
}

function numberOf(line: Line, kind: typeof ID, remark: Remark): number | undefined {
  const value = /^[0-9]{1,10}$/.test(line.value) ? kind.read(BigInt(line.value)) : undefined;
  if (typeof value === "number") return value;
  remark(line, `${line.key} "${line.value}" must be ${kind.type}`);
  return undefined;
}
