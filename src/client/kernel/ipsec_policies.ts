/**
 * Detects IPsec policies of a network namespace.
 *
 * @module
 */

import { Errno } from "../../base/errno.ts";
import { SyscallError } from "../../base/errors.ts";
import { NetlinkConnection } from "../../driver/netlink/connection.ts";
import { NetlinkSocket } from "../../driver/netlink/socket.ts";
import { NETLINK_XFRM } from "../../wire/netlink/constants.ts";
import {
  decodePolicyCount,
  encodeGetPolicyInfo,
  XFRM_MSG_GETSPDINFO,
  XFRM_MSG_NEWSPDINFO,
} from "../../wire/xfrm/policy_info.ts";

/**
 * Reports whether the calling thread's network namespace has any IPsec policy. A kernel without XFRM has none.
 *
 * @throws {NetlinkError} if the kernel refuses the request
 * @throws {SyscallError} if the socket fails
 */
export function hasIpsecPolicies(): boolean {
  using stack = new DisposableStack();
  let connection: NetlinkConnection;
  try {
    connection = stack.use(new NetlinkConnection(NetlinkSocket.open(NETLINK_XFRM)));
  } catch (error) {
    if (error instanceof SyscallError && error.errno === Errno.EPROTONOSUPPORT) return false;
    throw error;
  }
  let count = 0;
  const request = {
    operation: "XFRM_MSG_GETSPDINFO",
    type: XFRM_MSG_GETSPDINFO,
    payload: encodeGetPolicyInfo(),
  };
  connection.request(request, ({ type, payload }) => {
    if (type === XFRM_MSG_NEWSPDINFO) count = decodePolicyCount(payload);
  });
  return count > 0;
}
