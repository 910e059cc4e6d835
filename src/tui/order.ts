/**
 * Filters and sorts the listed sessions.
 *
 * @module
 */

import type { Overview, SessionStatus } from "../status/overview.ts";
import { throughput, ZERO_RATES } from "../status/rates.ts";
import type { SortKey, ViewState } from "./state.ts";

/** Returns the sessions that match the filter, in the selected order. */
export function listedSessions(
  { sessions }: Pick<Overview, "sessions">,
  { filter, sort, reversed }: Pick<ViewState, "filter" | "sort" | "reversed">,
): SessionStatus[] {
  const picked = sessions.filter(matcher(filter)).map((status) => ({ status, value: valueOf(status, sort) }));
  const direction = reversed ? -1 : 1;
  picked.sort((a, b) => direction * compare(a.value, b.value) || compareIds(a.status, b.status));
  return picked.map(({ status }) => status);
}

/** Returns a predicate: a session matches all words of the filter and none of the words after `!`. */
function matcher(filter: string): (status: SessionStatus) => boolean {
  const words = filter.toLowerCase().split(" ").filter((word) => word !== "" && word !== "!");
  if (words.length === 0) return () => true;
  return (status) => {
    const text = searchText(status);
    return words.every((word) => word.startsWith("!") ? !text.includes(word.slice(1)) : text.includes(word));
  };
}

function searchText({ key, state, session, tunnel, link, master }: SessionStatus): string {
  const parts = [session.interfaceName, link?.name, key, state, tunnel?.local, tunnel?.peer, master];
  return parts.filter((part) => part !== undefined).join(" ").toLowerCase();
}

/** Returns the sort value: a name, an id, or a negated number where the largest comes first. */
function valueOf(
  { rates = ZERO_RATES, errors, session, link }: SessionStatus,
  sort: SortKey,
): number | string {
  switch (sort) {
    case "rate":
      return -throughput(rates);
    case "rx":
      return -rates.rxBytes;
    case "tx":
      return -rates.txBytes;
    case "errors":
      return -errors.reduce((sum, { total }) => sum + total, 0);
    case "name":
      return link?.name ?? session.interfaceName ?? "";
    case "id":
      return session.tunnelId * 2 ** 32 + session.sessionId;
    default:
      return sort satisfies never;
  }
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "string" && typeof b === "string") {
    return (names ??= new Intl.Collator("en", { numeric: true })).compare(a, b);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts `pw2` before `pw10`. Created on first use because the constructor is slow. */
let names: Intl.Collator | undefined;

function compareIds(a: SessionStatus, b: SessionStatus): number {
  return a.session.tunnelId - b.session.tunnelId || a.session.sessionId - b.session.sessionId;
}
