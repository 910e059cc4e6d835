/**
 * PPP settings of sessions that come from several tables. Pure.
 *
 * @module
 */

import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { pppConflicts } from "./ppp_rules.ts";
import { PPP_SETTINGS } from "./ppp_schema.ts";
import type { Origin, SessionSettings } from "./settings.ts";

/**
 * The settings without PPP defaults that contradict a setting of the session itself or of its classes: such defaults are not
 * meant for this session.
 */
export function withoutIdlePpp(
  settings: SessionSettings,
  origins: ReadonlyMap<string, Origin>,
): SessionSettings {
  if (settings.ppp === undefined) return settings;
  const isShared = (key: string): boolean => origins.get(key)?.from === "defaults";
  if (settings.pseudowire === "eth" && isShared("ppp")) return { ...settings, ppp: undefined };
  const ppp: DesiredPpp = { ...settings.ppp };
  for (const { key, against } of pppConflicts(ppp)) {
    // Defaults that contradict themselves are wrong.
    const idle = [key, against].filter((each) => isShared(`ppp.${each}`));
    const field = PPP_SETTINGS.find((setting) => idle.length === 1 && setting.key === idle[0])?.field;
    if (field !== undefined) delete ppp[field];
  }
  return { ...settings, ppp };
}
