/**
 * Reads the TOML of go-l2tp's ql2tpd (`ql2tpd.toml(5)`): static L2TPv3 tunnels. Pure.
 *
 * @module
 */

import { isHostName } from "../../base/words.ts";
import type { Imported } from "./networkd.ts";
import { ID, readEndAddress } from "../schema/kinds.ts";
import { sessionSetting } from "../schema/schema.ts";
import type { ConfigProblem } from "../schema/problem.ts";
import { type Path, Positions } from "../file/positions.ts";
import type { EndAddress, SessionSettings, TunnelSettings } from "../schema/settings.ts";
import type { WrittenSession, WrittenTunnel } from "../file/write.ts";

/** Settings of its control protocol, which static tunnels do not have. */
const CONTROL = ["hello_timeout", "window_size", "retry_timeout", "max_retries", "host_name", "framing_caps"];

/** Reads a file, from the result of a TOML parser (integers as bigint) and its text. */
export function importQl2tpd(root: unknown, toml: string): Imported {
  const reader = new Reader(new Positions(toml));
  return { tunnels: reader.read(root), remarks: reader.remarks };
}

type Table = Readonly<Record<string, unknown>>;

function tableOf(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Table : {};
}

class Reader {
  readonly remarks: ConfigProblem[] = [];
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  read(root: unknown): WrittenTunnel[] {
    const file = tableOf(root);
    for (const key of Object.keys(file)) if (key !== "tunnel") this.#remark([key], `${key} is left out`);
    return Object.entries(tableOf(file.tunnel)).map(([label, table]) =>
      this.#tunnel(label, tableOf(table), ["tunnel", label])
    );
  }

  #remark(path: Path, message: string): void {
    this.remarks.push({ ...this.#positions.key(path), message, advice: [] });
  }

  #tunnel(label: string, table: Table, path: Path): WrittenTunnel {
    const settings: TunnelSettings = {};
    for (const [key, value] of Object.entries(table)) {
      const at = [...path, key];
      if (key === "session") continue;
      if (key === "tid") settings.tunnelId = this.#id(value, at);
      else if (key === "ptid") settings.peerTunnelId = this.#id(value, at);
      else if (key === "encap" && (value === "udp" || value === "ip")) settings.encap = value;
      else if (key === "version" && value === "l2tpv3") settings.version = 3;
      else if (key === "version" && value === "l2tpv2") settings.version = 2;
      else if (key === "local" || key === "peer") this.#end(key, value, at, settings);
      else if (CONTROL.includes(key)) {
        this.#remark(at, `${key} belongs to a control protocol, and is left out`);
      } else this.#remark(at, `${key} is left out`);
    }
    if (settings.encap === "ip") settings.localPort = settings.peerPort = undefined;
    const sessions = Object.entries(tableOf(table.session)).map(([label, session]) =>
      this.#session(label, tableOf(session), [...path, "session", label])
    );
    return { label, settings, sessions };
  }

  /** `ADDRESS:PORT`, `[ADDRESS]:PORT`, or without port. */
  #end(key: "local" | "peer", value: unknown, at: Path, into: TunnelSettings): void {
    const text = String(value);
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
    const address = bracketed ?? plain ?? text;
    let end: EndAddress | undefined = readEndAddress(
      address === "" && key === "local" ? "any" : address,
      false,
    );
    if (end === undefined && key === "peer" && isHostName(address)) end = readEndAddress(address, true);
    if (end === undefined) this.#remark(at, `${key} "${text}" is not an address`);
    const number = port === undefined ? undefined : Number(port);
    if (key === "local") [into.local, into.localPort] = [end, number];
    else [into.remote, into.peerPort] = [end, number];
  }

  #session(label: string, table: Table, path: Path): WrittenSession {
    // Its default, unlike ours, is no sublayer.
    const settings: SessionSettings = {};
    const sublayer = sessionSetting("l2spec_type");
    sublayer.read("none", settings);
    for (const [key, value] of Object.entries(table)) {
      const at = [...path, key];
      if (key === "sid") settings.sessionId = this.#id(value, at);
      else if (key === "psid") settings.peerSessionId = this.#id(value, at);
      else if (key === "pseudowire" && (value === "eth" || value === "ppp")) settings.pseudowire = value;
      else if (key === "seqnum" && typeof value === "boolean") settings.sequence = value ? "both" : "none";
      else if (key === "reorder_timeout" && typeof value === "bigint") {
        settings.reorderTimeoutMs = Number(value);
      } else if (key === "cookie") settings.cookie = this.#cookie(value, at);
      else if (key === "peer_cookie") settings.peerCookie = this.#cookie(value, at);
      else if (key === "interface_name" && typeof value === "string") settings.interfaceName = value;
      else if (key !== sublayer.key || sublayer.read(value, settings) !== undefined) {
        this.#remark(at, `${key} is left out`);
      }
    }
    return { label, settings };
  }

  #id(value: unknown, at: Path): number | undefined {
    const id = ID.read(value);
    if (typeof id === "number") return id;
    this.#remark(at, `${at.at(-1)} must be ${ID.type}`);
    return undefined;
  }

  #cookie(value: unknown, at: Path): Uint8Array | undefined {
    const isCookie = Array.isArray(value) && [4, 8].includes(value.length) &&
      value.every((byte) => typeof byte === "bigint" && byte >= 0n && byte <= 255n);
    if (isCookie) return Uint8Array.from(value, Number);
    this.#remark(at, `${at.at(-1)} must be 4 or 8 bytes`);
    return undefined;
  }
}
