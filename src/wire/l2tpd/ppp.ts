/**
 * Requests and statuses of PPP sessions, as JSON in messages of the "l2tpd" family. Pure.
 *
 * @module
 */

import { JsonObjectReader } from "../../base/json_reader.ts";
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
import { decodeL2tpdJson, encodeL2tpdJson, L2TPD_CMD, textPieces } from "./family.ts";

/** A session of PPP. */
export interface PppSessionId {
  /** Whose session it is: the kernel's, or the daemon's own. */
  readonly dataplane: "kernel" | "user";
  /** Our id of the tunnel. */
  readonly tunnelId: number;
  /** Our id of the session. */
  readonly sessionId: number;
}

/** A session, and the settings to run PPP on it with. */
export interface PppRequest extends PppSessionId {
  /** Settings of PPP. */
  readonly settings: PppSessionSettings;
}

/** A PPP session on which the daemon runs PPP. */
export interface PppLinkStatus extends PppSessionId {
  /** Name of its interface. */
  readonly interfaceName: string;
  /** Settings that PPP runs with. */
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
  /** Status of pppd. */
  readonly pppd: PppdStatus;
}

/** Status of a PPP session. */
export type PppSessionStatus = PppLinkStatus | PppdSessionStatus;

/** Most names with secrets in one request. */
const SECRETS_MAX = 2000;
/** Longest request, in bytes: an attribute has room for little more. */
const REQUEST_BYTES_MAX = 60_000;
const TEXT_BYTES_MAX = 255;
/** Longest path that Linux takes, in bytes. */
const PATH_BYTES_MAX = 4095;
const ID_MAX = 0xffff_ffff;
/** Bounds of MTU and MRU, in bytes. */
const SIZE_MIN = 128;
const SIZE_MAX = 0xffff;
/** Greatest number that an `int` of C takes. */
const COUNT_MAX = 0x7fff_ffff;
const DATAPLANES = ["kernel", "user"] as const;
const AUTH_METHODS = ["pap", "chap", "mschap", "mschapv2", "none"] as const satisfies readonly (
  | AuthMethod
  | "none"
)[];

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
 * The request in a payload. A newer client may have more members.
 *
 * @throws {DecodeError} naming the member that is wrong, and never its value
 */
export function decodePppRequest(payload: Uint8Array): PppRequest {
  const request = decodeL2tpdJson(payload, "L2TPD_CMD_PPP");
  return { ...readId(request), settings: readSettings(memberOrEmpty(request, "settings")) };
}

/** The statuses as JSON lines, in ASCII, in pieces for one message each. */
export function encodePppStatuses(statuses: Iterable<PppSessionStatus>): Iterable<string> {
  return textPieces(jsonLines(statuses));
}

/**
 * The statuses in the pieces. The daemon is this program: of a status, only what it is about is checked. An older daemon
 * tells no settings.
 *
 * @throws {DecodeError} naming the member that is wrong
 */
export function decodePppStatuses(pieces: readonly string[]): PppSessionStatus[] {
  return pieces.join("").split("\n").filter((line) => line !== "").map(readStatus);
}

function readStatus(line: string): PppSessionStatus {
  const status = JsonObjectReader.parse(line, "L2TPD_CMD_PPP_STATUS");
  const id = readId(status);
  const rest: { readonly [name: string]: unknown } = Object.fromEntries(status.rest());
  if (rest.status === undefined && rest.pppd === undefined) throw status.error("status", "it is absent");
  return { settings: {}, ...id, ...rest } as unknown as PppSessionStatus;
}

/** A line for each, in ASCII. */
function* jsonLines(values: Iterable<object>): Generator<string> {
  for (const value of values) {
    const json = JSON.stringify(value);
    // deno-lint-ignore no-control-regex
    yield json.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`) +
      "\n";
  }
}

function readId(reader: JsonObjectReader): PppSessionId {
  return {
    dataplane: reader.choice("dataplane", DATAPLANES),
    tunnelId: reader.integer("tunnelId", ID_MAX, 1),
    sessionId: reader.integer("sessionId", ID_MAX, 1),
  };
}

/** The reader of the object; without one, of an empty one. */
function memberOrEmpty(reader: JsonObjectReader, name: string): JsonObjectReader {
  return reader.has(name) ? reader.object(name) : new JsonObjectReader({}, name);
}

function readSettings(from: JsonObjectReader): PppSessionSettings {
  const text = (name: string): string => from.utf8(name, TEXT_BYTES_MAX);
  const boolean = (name: string): boolean => from.boolean(name);
  const size = (name: string): number => from.integer(name, SIZE_MAX, SIZE_MIN);
  const count = (name: string): number => from.integer(name, COUNT_MAX);
  return {
    interfaceName: from.optional("interfaceName", (name) => from.textThat(name, isName, "an interface name")),
    user: from.optional("user", text),
    secrets: from.optional("secrets", (name) => from.objects(name, SECRETS_MAX, readSecret)),
    secretsFrom: from.optional("secretsFrom", (name) => readSource(from.object(name))),
    require: from.optional("require", (name) => from.choices(name, AUTH_METHODS, AUTH_METHODS.length)),
    ipv4: from.takeIf("ipv4", false) ? false : readIpv4(memberOrEmpty(from, "ipv4")),
    ipv6: from.optional("ipv6", boolean),
    mtu: from.optional("mtu", size),
    mru: from.optional("mru", size),
    clampMss: from.optional("clampMss", boolean),
    echoIntervalMs: from.optional("echoIntervalMs", count),
    echoFailures: from.optional("echoFailures", count),
    pppdFile: from.optional("pppdFile", (name) => from.textThat(name, isAbsolutePath, "an absolute path")),
  };
}

function readSecret(from: JsonObjectReader): PppSecret {
  return { name: from.utf8("name", TEXT_BYTES_MAX), secret: from.utf8("secret", TEXT_BYTES_MAX) };
}

function readSource(from: JsonObjectReader): PppSecretsSource {
  return { file: from.utf8("file", PATH_BYTES_MAX), stamp: from.utf8("stamp", TEXT_BYTES_MAX) };
}

function readIpv4(from: JsonObjectReader): PppIpv4Settings {
  const address = (name: string): string => from.textThat(name, isIpv4, "an IPv4 address");
  const addresses = (name: string): string[] => from.textsThat(name, 2, isIpv4, "IPv4 addresses");
  return {
    local: from.optional("local", address),
    remote: from.optional("remote", address),
    pool: from.optional("pool", (name) => {
      const [first, last] = addresses(name);
      if (first === undefined || last === undefined) throw from.error(name, "it must be two addresses");
      return [first, last] as const;
    }),
    dns: from.optional("dns", addresses),
    askDns: from.optional("askDns", (name) => from.boolean(name)),
    defaultRoute: from.optional("defaultRoute", (name) => from.boolean(name)),
  };
}

function isAbsolutePath(text: string): boolean {
  return text.startsWith("/") && !text.includes("\0") &&
    new TextEncoder().encode(text).length <= PATH_BYTES_MAX;
}

function isName(text: string): boolean {
  return isInterfaceName(text) && !text.includes("%");
}

function isIpv4(text: string): boolean {
  return parseIpv4(text) !== undefined;
}
