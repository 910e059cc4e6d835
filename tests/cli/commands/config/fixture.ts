/**
 * Two configurations, and a machine that has one as its file.
 *
 * @module
 */

import { FakeHost } from "../../../support/fake_host.ts";

/** Where the file is unless another is said. */
export const FILE = "/etc/l2tp/l2tp.toml";
/** A tunnel over IP, and a session with all of its interface. */
export const PARIS = `[tunnel.paris]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
local = "10.0.0.1"
remote = "10.0.0.2"

[tunnel.paris.session.one]
session_id = 10
peer_session_id = 20
interface = "pw0"
mtu = 1400
addresses = ["10.1.1.1/24"]
up = true
`;
/** A tunnel over UDP, and a session with sequence numbers. */
export const LYON = `[tunnel.lyon]
tunnel_id = 3
peer_tunnel_id = 4
local = "10.0.0.1"
remote = "10.0.0.3"
udp_sport = 5000
udp_dport = 5001

[tunnel.lyon.session.one]
session_id = 11
peer_session_id = 21
seq = "both"
`;

/** A machine with nothing but the file. */
export function hostWith(text: string, path = FILE): FakeHost {
  const host = new FakeHost();
  host.files.set(path, text.split("\n"));
  return host;
}
