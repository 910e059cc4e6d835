/**
 * What can be said of PPP on a session, as one table: the table `ppp` of a session in a configuration, and the keywords
 * behind `ppp` on the command line. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { BOOLEAN, integer, type Kind } from "./kinds.ts";
import { DNS, FILE, IPV4, POOL, PPP_NAME, REQUIRE, secondsFromZero } from "./ppp_kinds.ts";
import { type Setting, setting, type Traits } from "./setting.ts";

/** Least MTU of IPv4 (RFC 791), and the least MRU that leaves room for control packets. */
const SIZE: Kind<number> = { ...integer(128, 65_535), placeholder: "BYTES" };
/** Echo requests without an answer. */
const FAILURES: Kind<number> = { ...integer(1, 100), placeholder: "COUNT" };

function ppp<Field extends keyof DesiredPpp>(
  key: string,
  field: Field,
  kind: Kind<NonNullable<DesiredPpp[Field]>>,
  traits: Traits<NonNullable<DesiredPpp[Field]>>,
): Setting<DesiredPpp> {
  return setting<DesiredPpp, Field>("ppp", key, field, kind, traits);
}

/** What can be said of PPP on a session, in the order in which it is written. */
export const PPP_SETTINGS: readonly Setting<DesiredPpp>[] = [
  ppp("user", "user", PPP_NAME, { help: "our name towards the peer" }),
  ppp("secret-file", "secretFile", FILE, {
    help: "file of lines `NAME SECRET`: ours under the name of user, and those of peers",
    changes: true,
  }),
  ppp("require", "require", REQUIRE, {
    help: "how the peer must authenticate itself, the first preferred",
    byDefault: ["none"],
  }),
  ppp("local", "local", IPV4, { help: "our IPv4 address; else the peer is asked for one" }),
  ppp("remote", "remote", IPV4, { help: "the peer's IPv4 address; else the peer says it" }),
  ppp("pool", "pool", POOL, {
    help: "addresses to choose the peer's from",
  }),
  ppp("dns", "dns", DNS, {
    help: "name servers for the peer, two at most",
    byDefault: [],
  }),
  ppp("askdns", "askDns", BOOLEAN, { help: "ask the peer for name servers", byDefault: false }),
  ppp("mtu", "mtu", SIZE, { help: "MTU of the interface, where the peer takes larger packets" }),
  ppp("mru", "mru", SIZE, { help: "largest packet that the peer may send; else what the way leaves" }),
  ppp("defaultroute", "defaultRoute", BOOLEAN, {
    help: "send everything that has no other route through the session",
    byDefault: false,
  }),
  ppp("ipv4", "ipv4", BOOLEAN, { help: "carry IPv4", byDefault: true }),
  ppp("ipv6", "ipv6", BOOLEAN, { help: "carry IPv6", byDefault: true }),
  ppp("mss", "clampMss", BOOLEAN, {
    help: "lower the MSS of TCP connections to what fits, in userspace",
    byDefault: false,
  }),
  ppp("echo", "echoIntervalMs", secondsFromZero(3600), {
    help: "how often to ask whether the peer is there; 0: never",
    byDefault: 20_000,
  }),
  ppp("echo_failures", "echoFailures", FAILURES, {
    help: "so many such questions without an answer end the link",
    byDefault: 5,
  }),
];
