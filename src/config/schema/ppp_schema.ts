/**
 * Settings of PPP on a session, as one table: the table `ppp` of a session in the configuration, and the keywords after
 * `ppp` on the command line. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { BOOLEAN, integer, type Kind } from "./kinds.ts";
import { DNS, FILE, IPV4, POOL, PPP_NAME, REQUIRE, secondsFromZero } from "./ppp_kinds.ts";
import { type Setting, setting, type Traits } from "./setting.ts";

/** Least MTU of IPv4 (RFC 791), and the least MRU that leaves room for control packets. */
const SIZE: Kind<number> = { ...integer(128, 65_535), placeholder: "BYTES" };
/** Number of echo requests. */
const FAILURES: Kind<number> = { ...integer(1, 100), placeholder: "COUNT" };

function ppp<Field extends keyof DesiredPpp>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<DesiredPpp[Field]>>,
  traits: Traits<NonNullable<DesiredPpp[Field]>>,
): Setting<DesiredPpp> {
  return setting<DesiredPpp, Field>("ppp", key, field, kind, traits);
}

/** Settings of PPP, in the order in which they are written. */
export const PPP_SETTINGS: readonly Setting<DesiredPpp>[] = [
  ppp("user", "user", PPP_NAME, { help: "our name for authentication" }),
  ppp("secret-file", "secretFile", FILE, {
    help: "file of lines `NAME SECRET`: our secret under our name, and secrets of peers",
    changes: true,
  }),
  ppp("require", "require", REQUIRE, {
    help: "how the peer must authenticate, best method first",
    byDefault: ["none"],
  }),
  ppp("local", "local", IPV4, { help: "our IPv4 address; assigned by the peer unless given" }),
  ppp("remote", "remote", IPV4, { help: "the peer's IPv4 address; chosen by the peer unless given" }),
  ppp("pool", "pool", POOL, {
    help: "range of addresses to assign to the peer",
  }),
  ppp("dns", "dns", DNS, {
    help: "DNS servers for the peer, at most two",
    byDefault: [],
  }),
  ppp("askdns", "askDns", BOOLEAN, { help: "ask the peer for DNS servers", byDefault: false }),
  ppp("mtu", "mtu", SIZE, { help: "MTU of the interface; less if the peer's MRU is smaller" }),
  ppp("mru", "mru", SIZE, { help: "largest packet that the peer may send; by the path MTU unless given" }),
  ppp("defaultroute", "defaultRoute", BOOLEAN, {
    help: "install a default route through the session",
    byDefault: false,
  }),
  ppp("ipv4", "ipv4", BOOLEAN, { help: "carry IPv4", byDefault: true }),
  ppp("ipv6", "ipv6", BOOLEAN, { help: "carry IPv6", byDefault: true }),
  ppp("mss", "clampMss", BOOLEAN, {
    help: "clamp the MSS of TCP connections to the MTU (userspace)",
    byDefault: false,
  }),
  ppp("echo", "echoIntervalMs", secondsFromZero(3600), {
    help: "interval between LCP echo requests; 0: none",
    byDefault: 20_000,
  }),
  ppp("echo_failures", "echoFailures", FAILURES, {
    help: "number of unanswered echo requests that ends the link",
    byDefault: 5,
  }),
];
