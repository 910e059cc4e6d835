/**
 * Tells on whose socket a control message arrived.
 *
 * @module
 */

import type { EventHub } from "../../base/event_hub.ts";
import { formatIpAddress } from "../../base/ip_address.ts";
import type { DaemonEvents } from "../events.ts";
import type { LinuxPlatform } from "./linux_platform.ts";

/**
 * For each control message that the data plane received, emits `control` with the addresses of both ends. A message on
 * a socket that has gone meanwhile is dropped.
 */
export function relayControlMessages(events: EventHub<DaemonEvents>, platform: LinuxPlatform): void {
  events.on("controlReceived", ({ endpoint, bytes, source }) => {
    const address = platform.addressOf(endpoint);
    if (address === undefined) return;
    const { netns, local, port } = address;
    const peer = formatIpAddress(source.address);
    events.emit("control", { netns, control: { local, port, peer, peerPort: source.port, message: bytes } });
  });
}
