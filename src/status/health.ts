/**
 * Finds problems of tunnels and sessions, with advice. The rules are tables; each rule checks one tunnel or session.
 *
 * @module
 */

import type { PendingTunnel, WaitingFor } from "../model/pending_tunnel.ts";
import { isPppType } from "../model/pseudowire.ts";
import { interfaceOverhead } from "../model/session_mtu.ts";
import type { Overview, SessionStatus, SocketStatus, TunnelStatus } from "./overview.ts";
import { ERROR_RULES, type ErrorRule } from "./health_errors.ts";
import { shortDuration } from "./units.ts";

/** Severity of a problem. `error`: no packets pass. `warning`: packets are lost. `note`: worth knowing. */
export type Severity = "error" | "warning" | "note";

/** A problem of a tunnel, session or socket, or of the daemon. */
export interface Problem {
  /** Name of the rule, for programs. */
  readonly problem: string;
  readonly severity: Severity;
  /** Name of the affected object, such as `session 10 in tunnel 1 (pw0)`. */
  readonly subject: string;
  readonly tunnelId?: number | undefined;
  readonly sessionId?: number | undefined;
  readonly interfaceName?: string | undefined;
  /** Description, in one line. */
  readonly message: string;
  /** Advice, one line each. */
  readonly advice: readonly string[];
}

/** Result of a rule that found a problem. */
export interface HealthVerdict {
  /** Description, in one line. */
  readonly message: string;
  /** Advice, one line each. */
  readonly advice: readonly string[];
}

/** A rule that checks one kind of object. */
export interface HealthRule<T> {
  /** Name of the problem. */
  readonly problem: string;
  readonly severity: Severity;
  /** Checks one object. Returns `undefined` if it is fine. */
  readonly judge: (thing: T) => HealthVerdict | undefined;
}

/** Time without a packet from the peer that counts as a problem, in milliseconds. */
export const SILENCE_MS = 180_000;

/** Rules for sessions. */
export const SESSION_RULES: readonly HealthRule<SessionStatus>[] = [
  {
    problem: "interface_down",
    severity: "error",
    judge: ({ link, session }) =>
      link === undefined || link.up || isPppType(session.pseudowireType) ? undefined : {
        message: "interface down",
        advice: [`ip link set ${link.name} up`],
      },
  },
  {
    problem: "ppp_down",
    severity: "error",
    judge: ({ link, session }) =>
      link === undefined || link.up || !isPppType(session.pseudowireType) ? undefined : {
        message: "interface down: PPP, which sets it up, has not come up or has ended",
        advice: ["Each end tells its reason: l2tp show -d session"],
      },
  },
  {
    problem: "interface_no_carrier",
    severity: "error",
    judge: ({ link, state }) =>
      link === undefined || !link.up || state !== "down" ? undefined : {
        message: `interface up, but its state is ${link.state}`,
        advice: [`To see its state: ip -d link show ${link.name}`],
      },
  },
  {
    problem: "interface_absent",
    severity: "note",
    judge: ({ state, session }) =>
      state !== "absent" ? undefined : {
        message: `no interface ${session.interfaceName} here: renamed, deleted, or in another namespace`,
        advice: [
          "Its state, MTU and addresses are unknown. Search all namespaces: ip -all netns exec ip link",
        ],
      },
  },
  {
    problem: "never_received",
    severity: "warning",
    judge: ({ session: { counters }, tunnel, state }) =>
      state === "down" || counters.rxPackets > 0n || counters.rxErrors > 0n || counters.txPackets === 0n
        ? undefined
        : {
          message: `no packet received from the peer yet, ${counters.txPackets} sent to it`,
          advice: [
            ...reach(tunnel?.peer),
            "At the peer: is its session up, and do its ids, addresses and ports mirror ours?",
          ],
        },
  },
  {
    problem: "peer_silent",
    severity: "warning",
    judge: ({ session: { counters }, tunnel, silentMs, state }) =>
      state === "down" || silentMs < SILENCE_MS || counters.rxPackets === 0n ? undefined : {
        message: `no packets from the peer for ${shortDuration(silentMs)}`,
        advice: [
          ...reach(tunnel?.peer),
          "At the peer: does its session still exist, and is its interface up?",
        ],
      },
  },
  { problem: "mtu_too_large", severity: "warning", judge: judgeMtu },
];

/** Rules for tunnels. */
export const TUNNEL_RULES: readonly HealthRule<TunnelStatus>[] = [
  {
    problem: "local_address_gone",
    severity: "error",
    judge: ({ hasLocalAddress, tunnel }) =>
      hasLocalAddress ? undefined : {
        message: `${tunnel.local} is no longer an address in this namespace`,
        advice: [`ip addr add ${tunnel.local}/… dev …`],
      },
  },
  {
    problem: "outer_interface_down",
    severity: "error",
    judge: ({ link, tunnel }) =>
      link === undefined || link.up ? undefined : {
        message: `interface ${link.name} with the local address ${tunnel.local} is down`,
        advice: [`ip link set ${link.name} up`],
      },
  },
  {
    problem: "no_sessions",
    severity: "note",
    judge: ({ sessions, tunnel: { tunnelId } }) =>
      sessions.length > 0 ? undefined : {
        message: "no sessions",
        advice: [`l2tp add session tunnel_id ${tunnelId} session_id … peer_session_id …`],
      },
  },
];

function judgeMtu({ link, pathMtu, tunnel, session, debug }: SessionStatus): HealthVerdict | undefined {
  if (link === undefined || pathMtu === undefined || tunnel === undefined) return undefined;
  // An unknown sublayer counts as none: packets have at least this length.
  const overhead = interfaceOverhead(tunnel, session, debug, "none");
  const longest = link.mtu + overhead;
  if (longest <= pathMtu) return undefined;
  return {
    message: `mtu ${link.mtu} makes packets of ${longest} bytes, but path MTU is ${pathMtu}`,
    advice: [`At both ends: ip link set ${link.name} mtu ${pathMtu - overhead}`],
  };
}

function reach(peer: string | undefined): string[] {
  return peer === undefined ? [] : [`Is the peer reachable? ping ${peer}; ip route get ${peer}`];
}

const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

/** Applies all rules. Returns the problems by severity, errors first. */
export function findProblems(
  { tunnels, sessions, sockets, declared, leftBehind }: Omit<Overview, "problems">,
): Problem[] {
  const found: Problem[] = leftBehind === undefined ? [] : [leftBehindProblem(leftBehind)];
  for (const status of tunnels) found.push(...tunnelProblems(status));
  for (const status of sessions) found.push(...sessionProblems(status));
  for (const status of sockets) found.push(...socketProblems(status));
  found.push(...declared.map(declaredProblem));
  return SEVERITIES.flatMap((severity) => found.filter((problem) => problem.severity === severity));
}

function tunnelProblems(status: TunnelStatus): Problem[] {
  const { tunnelId } = status.tunnel;
  const subject = { subject: `tunnel ${tunnelId}`, tunnelId };
  return [
    ...judged(TUNNEL_RULES, status, subject),
    ...errorProblems(status.errors.filter(({ recent }) => recent), {}, subject),
  ];
}

function sessionProblems(status: SessionStatus): Problem[] {
  const { tunnelId, sessionId, interfaceName } = status.session;
  const name = interfaceName === undefined ? "" : ` (${interfaceName})`;
  const subject = {
    subject: `session ${sessionId} in tunnel ${tunnelId}${name}`,
    tunnelId,
    sessionId,
    interfaceName,
  };
  // If no packet was ever received, old errors explain it, too.
  const telling = status.errors.filter(({ recent }) => recent || status.session.counters.rxPackets === 0n);
  return [...judged(SESSION_RULES, status, subject), ...errorProblems(telling, status, subject)];
}

function socketProblems({ local, port, errors }: SocketStatus): Problem[] {
  const subject = { subject: port === 0 ? `${local} (IP)` : `UDP port ${port} of ${local}` };
  return errorProblems(errors.filter(({ recent }) => recent), {}, subject);
}

function leftBehindProblem(journal: string): Problem {
  return {
    problem: "daemon_gone",
    severity: "error",
    subject: "l2tp daemon",
    message: `is not running, and left tunnels in ${journal}`,
    advice: ["To restore them: l2tp daemon. To delete them: l2tp daemon --fresh"],
  };
}

function declaredProblem({ name, tunnelId, waitsFor, subject, message }: PendingTunnel): Problem {
  const of = { subject: `tunnel ${name} of the configuration file`, tunnelId };
  if (waitsFor === undefined) {
    const advice = ["After correcting it: systemctl reload l2tp, or send SIGHUP to the daemon"];
    return { problem: "declared_failed", severity: "error", ...of, message, advice };
  }
  const advice = WAITING_ADVICE[waitsFor](subject ?? "…");
  return { problem: "declared_waiting", severity: "warning", ...of, message, advice: [advice] };
}

/** Command to provide or inspect what a tunnel waits for. The daemon then sets the tunnel up by itself. */
const WAITING_ADVICE: Readonly<Record<WaitingFor, (subject: string) => string>> = {
  name: (host) => `getent hosts ${host}`,
  address: (address) => `ip addr add ${address.replace(/%.*/, "")}/… dev ${address.split("%")[1] ?? "…"}`,
  route: (address) => `ip route get ${address.replace(/%.*/, "")}`,
  interface: (name) => `ip link show ${name}`,
  namespace: (name) => `ip netns add ${name}`,
  file: (path) => `ls -l ${path}`,
};

type Subject = Pick<Problem, "subject" | "tunnelId" | "sessionId" | "interfaceName">;

function judged<T>(rules: readonly HealthRule<T>[], thing: T, subject: Subject): Problem[] {
  return rules.flatMap(({ problem, severity, judge }) => {
    const verdict = judge(thing);
    return verdict === undefined ? [] : [{ problem, severity, ...subject, ...verdict }];
  });
}

/** Applies the error rules. Returns one problem per matching rule, with the packets of all its reasons. */
function errorProblems(
  errors: readonly { readonly reason: string; readonly total: number }[],
  status: Partial<SessionStatus>,
  subject: Subject,
): Problem[] {
  const totals = new Map<ErrorRule, number>();
  for (const { reason, total } of errors) {
    const rule = ERROR_RULES.find((rule) =>
      rule.reasons.includes(reason) && (rule.applies === undefined || rule.applies(status))
    );
    if (rule !== undefined) totals.set(rule, (totals.get(rule) ?? 0) + total);
  }
  return [...totals].map(([{ problem, severity, judge }, total]) => ({
    problem,
    severity,
    ...subject,
    ...judge(status, total),
  }));
}
