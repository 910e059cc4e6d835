/**
 * Notifications of changed addresses, routes, interfaces and IPsec policies.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { NETLINK_ROUTE, NETLINK_XFRM } from "../../wire/netlink/constants.ts";
import { XFRMNLGRP_POLICY } from "../../wire/xfrm/policy_info.ts";
import { NetlinkNotifications } from "./notifications.ts";
import type { NotificationSource } from "./ports.ts";

/** `RTNLGRP_LINK`, `RTNLGRP_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV6_IFADDR`, `_IPV6_ROUTE` (`linux/rtnetlink.h`). */
const GROUPS = [1, 5, 7, 9, 11] as const;

/** Enough, since the overrun notification tells the reader as much as the lost ones would. */
const RECEIVE_BUFFER_BYTES = 64 * 1024;

/**
 * Subscribes to rtnetlink changes in the calling thread's network namespace. The datagrams contain the changes.
 *
 * @throws {SyscallError}
 */
export function openNetworkChanges(): NotificationSource {
  return NetlinkNotifications.open(NETLINK_ROUTE, GROUPS, { receiveBufferBytes: RECEIVE_BUFFER_BYTES });
}

/**
 * Subscribes to changes of IPsec policies in the calling thread's network namespace. Returns `undefined` if the
 * kernel has no IPsec.
 *
 * @throws {SyscallError}
 */
export function openPolicyChanges(): NotificationSource | undefined {
  try {
    return NetlinkNotifications.open(NETLINK_XFRM, XFRMNLGRP_POLICY, {
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    });
  } catch (error) {
    if (error instanceof SyscallError && error.errno === Errno.EPROTONOSUPPORT) return undefined;
    throw error;
  }
}
