/**
 * What a client and `l2tp daemon` say to each other about PPP sessions, as JSON in messages of the "l2tpd" family.
 * Pure.
 *
 * @module
 */

import { DecodeError } from "../../base/errors.ts";
import { parseIpv4 } from "../../base/ip_address.ts";
import { isInterfaceName } from "../../model/interface_name.ts";
import type { AuthMethod, PppStatus } from "../../model/ppp/status.ts";
import type { PppdStatus } from "../../model/ppp/pppd.ts";
import type {
  PppIpv4Settings,
  PppSecret,
  PppSecretsSource,
  PppSessionSettings,
} from "../../model/ppp/settings.ts";
import { decodeL2tpdJson, encodeL2tpdJson, L2TPD_CMD } from "./family.ts";

/** A session of PPP. */
export interface PppSessionId {
  /** Whose session it is: the kernel's, or the daemon's own. */
  readonly dataplane: "kernel" | "user";
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
}

/** Which session PPP is to run on, and how. */
export interface PppRequest extends PppSessionId {
  /** How to run it. */
  readonly settings: PppSessionSettings;
}

/** A PPP session on which the daemon runs PPP. */
export interface PppLinkStatus extends PppSessionId {
  /** Name of its interface. */
  readonly interfaceName: string;
  /** How it was to be run. */
  readonly settings: Omit<PppSessionSettings, "secrets">;
  /** The link. */
  readonly status: PppStatus;
  /** There for pppd's sessions. */
  readonly pppd?: undefined;
}

/** A PPP session that pppd has. */
export interface PppdSessionStatus extends PppSessionId {
  /** Name of its interface, as long as it has one. */
  readonly interfaceName?: string | undefined;
  /** There for the daemon's own. */
  readonly status?: undefined;
  /** How pppd is doing. */
  readonly pppd: PppdStatus;
}

/** How a PPP session is doing. */
export type PppSessionStatus = PppLinkStatus | PppdSessionStatus;

/** Most names with secrets in one request. */
const SECRETS_MAX = 2000;
/** Longest request, in bytes: an attribute has room for little more. */
const REQUEST_BYTES_MAX = 60_000;
const TEXT_BYTES_MAX = 255;
/** Longest path that Linux takes, in bytes. */
const PATH_BYTES_MAX = 4095;
const AUTH_METHODS: ReadonlySet<unknown> = new Set(["pap", "chap", "mschap", "mschapv2", "none"]);

/**
 * Payload of a request of one of the commands that are about one session. It has the secrets in it.
 *
 * @throws {RangeError} if the names and secrets have more bytes than a message has room for
 */
export function encodePppRequest(
  request: PppRequest,
  command: "PPP" | "PPP_SECRETS" | "PPP_END" = "PPP",
): Uint8Array<ArrayBuffer> {
  const payload = encodeL2tpdJson(L2TPD_CMD[command], request);
  if (payload.length > REQUEST_BYTES_MAX) {
    throw new RangeError(
      `The request has ${payload.length} bytes of names and secrets: too many for one message`,
    );
  }
  return payload;
}

/**
 * The request in a payload.
 *
 * @throws {DecodeError} naming the member that makes no sense, and never its value
 */
export function decodePppRequest(payload: Uint8Array): PppRequest {
  const request = new Members(decodeL2tpdJson(payload), "");
  return {
    dataplane: request.one("dataplane", isDataplane),
    tunnelId: request.one("tunnelId", isId),
    sessionId: request.one("sessionId", isId),
    settings: readSettings(request.members("settings")),
  };
}

function readSettings(settings: Members): PppSessionSettings {
  return {
    interfaceName: settings.maybe("interfaceName", isName),
    user: settings.maybe("user", isText),
    secrets: settings.list("secrets", SECRETS_MAX, (item) => {
      const secret = new Members(item, "secrets");
      return { name: secret.one("name", isText), secret: secret.one("secret", isText) } satisfies PppSecret;
    }),
    secretsFrom: readSource(settings),
    require: settings.list("require", AUTH_METHODS.size, (item) => {
      if (!AUTH_METHODS.has(item)) throw makesNoSense("require");
      return item as AuthMethod | "none";
    }),
    ipv4: settings.has("ipv4", false) ? false : readIpv4(settings.members("ipv4")),
    ipv6: settings.maybe("ipv6", isBoolean),
    mtu: settings.maybe("mtu", isSize),
    mru: settings.maybe("mru", isSize),
    clampMss: settings.maybe("clampMss", isBoolean),
    echoIntervalMs: settings.maybe("echoIntervalMs", isCount),
    echoFailures: settings.maybe("echoFailures", isCount),
    pppdFile: settings.maybe("pppdFile", isAbsolutePath),
  };
}

function readSource(settings: Members): PppSecretsSource | undefined {
  if (settings.has("secretsFrom", undefined)) return undefined;
  const source = settings.members("secretsFrom");
  return { file: source.one("file", isPath), stamp: source.one("stamp", isText) };
}

function readIpv4(ipv4: Members): PppIpv4Settings {
  const address = (item: unknown, name: string): string => {
    if (!isAddress(item)) throw makesNoSense(name);
    return item;
  };
  const pool = ipv4.list("pool", 2, (item) => address(item, "pool"));
  if (pool !== undefined && pool.length !== 2) throw makesNoSense("pool");
  return {
    local: ipv4.maybe("local", isAddress),
    remote: ipv4.maybe("remote", isAddress),
    pool: pool === undefined ? undefined : [pool[0]!, pool[1]!],
    dns: ipv4.list("dns", 2, (item) => address(item, "dns")),
    askDns: ipv4.maybe("askDns", isBoolean),
    defaultRoute: ipv4.maybe("defaultRoute", isBoolean),
  };
}

/** The members of a JSON object from somebody else. */
class Members {
  readonly #value: Readonly<Record<string, unknown>>;

  /** @throws {DecodeError} if it is no object */
  constructor(value: unknown, name: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw makesNoSense(name);
    this.#value = value as Record<string, unknown>;
  }

  has(name: string, value: unknown): boolean {
    return this.#value[name] === value;
  }

  one<T>(name: string, is: (value: unknown) => value is T): T {
    const value = this.#value[name];
    if (!is(value)) throw makesNoSense(name);
    return value;
  }

  maybe<T>(name: string, is: (value: unknown) => value is T): T | undefined {
    return this.#value[name] === undefined ? undefined : this.one(name, is);
  }

  list<T>(name: string, most: number, read: (item: unknown) => T): T[] | undefined {
    const value = this.#value[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length > most) throw makesNoSense(name);
    return value.map(read);
  }

  members(name: string): Members {
    return new Members(this.#value[name] ?? {}, name);
  }
}

function isDataplane(value: unknown): value is "kernel" | "user" {
  return value === "kernel" || value === "user";
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 1 && value as number <= 0xffff_ffff;
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 128 && value as number <= 0xffff;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 0 && value as number <= 0x7fff_ffff;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isText(value: unknown): value is string {
  return isTextOf(value, TEXT_BYTES_MAX);
}

function isPath(value: unknown): value is string {
  return isTextOf(value, PATH_BYTES_MAX);
}

function isTextOf(value: unknown, bytesMax: number): value is string {
  return typeof value === "string" && value !== "" && new TextEncoder().encode(value).length <= bytesMax;
}

function isAbsolutePath(value: unknown): value is string {
  return isPath(value) && value.startsWith("/") && !value.includes("\0");
}

function isName(value: unknown): value is string {
  return typeof value === "string" && isInterfaceName(value) && !value.includes("%");
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && parseIpv4(value) !== undefined;
}

function makesNoSense(name: string): DecodeError {
  return new DecodeError({ field: "L2TPD_CMD_PPP", offset: 0, needed: 0, had: 0 }, `${name} makes no sense`);
}
