/**
 * All cases, in the order of the reference.
 *
 * @module
 */

import type { Case } from "./case.ts";
import { DATA_CASES } from "./cases_data.ts";
import { MANAGED_CASES } from "./cases_managed.ts";
import { DEVICE_CASES } from "./cases_device.ts";
import { NOTIFICATION_CASES } from "./cases_notifications.ts";
import { PROTOCOL_CASES } from "./cases_protocol.ts";
import { RACE_CASES } from "./cases_races.ts";
import { REPLY_CASES } from "./cases_replies.ts";
import { SEQUENCE_CASES } from "./cases_sequence.ts";
import { SESSION_CASES } from "./cases_session.ts";
import { SHORT_CASES } from "./cases_short.ts";
import { TUNNEL_CASES } from "./cases_tunnel.ts";
import { V2_CASES } from "./cases_v2.ts";

/** The cases. */
export const CASES: readonly Case[] = [
  ...PROTOCOL_CASES,
  ...TUNNEL_CASES,
  ...SESSION_CASES,
  ...REPLY_CASES,
  ...NOTIFICATION_CASES,
  ...DEVICE_CASES,
  ...DATA_CASES,
  ...SHORT_CASES,
  ...SEQUENCE_CASES,
  ...V2_CASES,
  ...MANAGED_CASES,
  ...RACE_CASES,
];
