/**
 * The L2TP subsystem as a library.
 *
 * ```ts ignore
 * import { L2tpClient, LinkClient, NetlinkError } from "@l2tp/l2tp";
 *
 * using l2tp = L2tpClient.open();
 * l2tp.createTunnel({
 *   tunnelId: 1,
 *   peerTunnelId: 2,
 *   encap: "udp",
 *   local: "10.0.0.1",
 *   localPort: 5000,
 *   peer: "10.0.0.2",
 *   peerPort: 6000,
 * });
 * try {
 *   l2tp.createSession({ tunnelId: 1, sessionId: 10, peerSessionId: 20, interfaceName: "pw0" });
 *   using links = LinkClient.open();
 *   links.changeLink(links.link("pw0")!.index, { up: true });
 * } catch (error) {
 *   if (error instanceof NetlinkError && error.code === "EEXIST") console.error("pw0 or session 10 is there already");
 *   l2tp.deleteTunnel(1);
 * }
 * ```
 *
 * @module
 */

export type { Creation, CreationOutcome } from "./creation.ts";
export type { DropCounts } from "../model/drop_counts.ts";
export type { SessionOffloads } from "../model/session_offloads.ts";
export { L2tpClient, type L2tpClientOptions, type ListOptions } from "./l2tp_client.ts";
export { openL2tp, type OpenL2tpOptions } from "./open_l2tp.ts";
export type { ClientPurpose, Dataplane, DataplaneChoice, OpenedClient } from "./subsystem.ts";
export { DaemonError, type DaemonTrouble } from "./daemon/error.ts";
export type { DaemonClient } from "./daemon/client.ts";
export type {
  PppClient,
  PppdSessionStatus,
  PppLinkStatus,
  PppRequest,
  PppSessionId,
  PppSessionStatus,
} from "./daemon/ppp_client.ts";
export type {
  PppIpv4Settings,
  PppSecret,
  PppSecretsSource,
  PppSessionSettings,
} from "../model/ppp/settings.ts";
export type {
  AuthMethod,
  AutomatonState,
  LcpValues,
  PppAuthStatus,
  PppEnd,
  PppPhase,
  PppSide,
  PppStatus,
} from "../model/ppp/status.ts";
export type { PppdExit, PppdStatus } from "../model/ppp/pppd.ts";
export type { PendingTunnel, WaitingFor } from "../model/pending_tunnel.ts";
export { L2tpEvents } from "./l2tp_events.ts";
export { LinkClient } from "./link_client.ts";
export {
  DecodeError,
  type DecodeErrorFacts,
  FamilyMissingError,
  NetlinkError,
  type NetlinkErrorFacts,
  NetlinkProtocolError,
  SyscallError,
} from "../base/errors.ts";
export type { Counters } from "../model/counters.ts";
export type { EventsLost, L2tpEvent, SessionEvent, TunnelEvent } from "../model/event.ts";
export type { Link, LinkAddress, LinkChanges, LinkRoute, UdpEnds } from "../model/link.ts";
export type { Optional } from "../model/optional.ts";
export type {
  ChangeableOptions,
  HeaderOptions,
  L2Spec,
  Pseudowire,
  Session,
  SessionChanges,
  SessionCookies,
  SessionIds,
  SessionKey,
  SessionOptionSet,
  SessionParameters,
} from "../model/session.ts";
export type { Encap, Tunnel, TunnelParameters, UdpChecksums } from "../model/tunnel.ts";
export type { GenlFamily } from "../wire/genl/ctrl.ts";
export { NetlinkConnection, type NetlinkRequest } from "../driver/netlink/connection.ts";
export type { NetlinkTransport, NotificationSource } from "../driver/netlink/ports.ts";
export { OwnedFd, PppBridge } from "../driver/ppp/bridge.ts";
export { type Pppol2tpSession, Pppol2tpSocket, type Pppol2tpTunnel } from "../driver/ppp/pppol2tp_socket.ts";
export type { NetlinkMessage } from "../wire/netlink/message.ts";
