/**
 * PPP, in place of pppd: a link that negotiates LCP, authentication, IPCP and IPV6CP. Bytes, time and chance come in;
 * frames and what to tell the system come out.
 *
 * ```ts ignore
 * const link = new PppLink({ crypto, random, name: "lns", require: ["mschapv2"], peerSecret, ipv4, ipv6: false });
 * link.open(now);
 * link.lowerUp(now);
 * // for each frame of a control protocol that comes
 * link.receive(frame, now);
 * // when link.deadline() has come
 * link.timeout(now);
 * // after each of these
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
