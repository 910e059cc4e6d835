/**
 * A PPP engine that replaces pppd: one link negotiates LCP, authentication, IPCP and IPV6CP. Its inputs are received
 * frames, the time and random bytes. Its outputs are effects: frames to send and state changes to report.
 *
 * ```ts ignore
 * const link = new PppLink({ crypto, random, name: "lns", require: ["mschapv2"], peerSecret, ipv4, ipv6: false });
 * link.open(now);
 * link.lowerUp(now);
 * // for each received frame of a control protocol
 * link.receive(frame, now);
 * // when link.deadline() has passed
 * link.timeout(now);
 * // after each of these calls
 * for (const effect of link.takeEffects()) perform(effect);
 * ```
 *
 * @module
 */

export type {
  AuthenticatedEffect,
  FinishedEffect,
  Ipv4DownEffect,
  Ipv4UpEffect,
  Ipv6DownEffect,
  Ipv6UpEffect,
  LinkDownEffect,
  LinkUpEffect,
  PppDropReason,
  PppEffect,
  SendEffect,
} from "./effects.ts";
export { PppLink } from "./link.ts";
export type {
  AddressPool,
  PppCrypto,
  PppIpv4Options,
  PppIpv6Options,
  PppOptions,
  ProxyAuth,
  ProxyLcp,
} from "./options.ts";
