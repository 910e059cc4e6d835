/**
 * A system in memory that does the steps of plans and refuses what a kernel refuses: ids, ports and names that are taken,
 * things that are not there.
 *
 * @module
 */

import { type Actual, type ActualSession, type ActualTunnel } from "../../src/config/plan/actual.ts";
import type { PlanStep, SessionIds } from "../../src/config/plan/steps.ts";
import { SecretsError } from "../../src/base/secrets_error.ts";
import type { SecretsFile } from "../../src/config/plan/secrets.ts";
import type { DesiredPpp } from "../../src/model/ppp/settings.ts";
import { ZERO_COUNTERS } from "../../src/model/counters.ts";
import type { Session, SessionParameters } from "../../src/model/session.ts";
import type { TunnelParameters } from "../../src/model/tunnel.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
/** A step that changes an interface. */
type LinkStep = Extract<
  PlanStep,
  { do: "moveLink" | "setMtu" | "setBridge" | "setUp" | "addAddress" | "deleteAddress" }
>;
type Link = Mutable<NonNullable<ActualSession["link"]>>;

/** A step is refused. */
export class RefusedError extends Error {}

/** The system. */
export class Machine {
  /** Its bridges. */
  readonly bridges: Set<string> = new Set(["br0", "br1"]);
  /** Other namespaces, with their bridges. */
  readonly namespaces: Map<string, Set<string>> = new Map([
    ["blue", new Set(["br0", "br1", "br9"])],
    ["red", new Set(["br0", "br1"])],
  ]);
  /** Files of secrets. */
  readonly secrets: Map<string, SecretsFile | SecretsError> = new Map();
  /** How many times a second its clock ticks. */
  timerHz = 1000;
  /** What was done, in order. */
  readonly done: PlanStep[] = [];
  readonly #tunnels = new Map<number, ActualTunnel>();
  readonly #sessions = new Map<string, ActualSession>();

  /** Its state, as a value of its own. */
  get state(): Actual {
    const sessions = [...this.#sessions.values()];
    const { secrets } = this;
    const system = structuredClone({
      tunnels: [...this.#tunnels.values()].sort((a, b) => a.tunnel.tunnelId - b.tunnel.tunnelId).map((
        entry,
      ) => ({
        ...entry,
        sessions: sessions.filter(({ session }) => session.tunnelId === entry.tunnel.tunnelId)
          .sort((a, b) => a.session.sessionId - b.session.sessionId),
      })),
      interfaces: new Set([
        ...this.bridges,
        ...sessions.flatMap(({ link, ppp }) => {
          const own = ppp === undefined ? [] : [ppp.interfaceName];
          return link === undefined || link.away ? own : [...own, link.name];
        }),
      ]),
      netns: "home",
      namespaces: this.namespaces,
      timerHz: this.timerHz,
    });
    return { ...system, secrets };
  }

  #stampOf({ secretFile }: DesiredPpp): string | undefined {
    const file = secretFile === undefined ? undefined : this.secrets.get(secretFile);
    need(!(file instanceof SecretsError), "no secrets");
    return (file as SecretsFile | undefined)?.stamp;
  }

  /** Does a step. */
  perform(step: PlanStep): void {
    switch (step.do) {
      case "createTunnel":
        this.#createTunnel(step.tunnel, step.scope);
        break;
      case "deleteTunnel":
        need(this.#tunnels.delete(step.tunnelId), `no tunnel ${step.tunnelId}`);
        for (const [name, { session }] of this.#sessions) {
          if (session.tunnelId === step.tunnelId) this.#sessions.delete(name);
        }
        break;
      case "createSession":
        this.#createSession(step.session);
        break;
      case "runPpp": {
        const entry = this.#session(step.key);
        need(entry.session.pseudowireType === 7 && entry.ppp === undefined, "no PPP can be run");
        const interfaceName = this.#freeName(step.interfaceName ?? "ppp%d");
        const ppp = { interfaceName, desired: step.ppp, stamp: this.#stampOf(step.ppp) };
        this.#sessions.set(nameOf(step.key), { ...entry, ppp });
        break;
      }
      case "renewSecrets": {
        const entry = this.#session(step.key);
        const { interfaceName, desired } = entry.ppp ?? refuse("no PPP runs");
        const renewed = { ...desired, secretFile: step.ppp.secretFile };
        const ppp = { interfaceName, desired: renewed, stamp: this.#stampOf(renewed) };
        this.#sessions.set(nameOf(step.key), { ...entry, ppp });
        break;
      }
      case "deleteSession":
        need(this.#sessions.delete(nameOf(step.key)), `no session ${nameOf(step.key)}`);
        break;
      case "modifySession": {
        const entry = this.#session(step.key);
        this.#sessions.set(nameOf(step.key), {
          ...entry,
          session: { ...entry.session, ...step.changes } as Session,
        });
        break;
      }
      case "runHook":
        break;
      default:
        this.#changeLink(step);
    }
    this.done.push(step);
  }

  #createTunnel(parameters: TunnelParameters, scope: string | undefined): void {
    const { tunnelId, peerTunnelId, version = 3, encap, local = "", peer = "" } = parameters;
    need(!this.#tunnels.has(tunnelId), `tunnel ${tunnelId} is there`);
    need(peer !== "", "no peer");
    const isUdp = encap === "udp";
    const isIpv6 = peer.includes(":");
    const ports = [...this.#tunnels.values()].map(({ tunnel }) => tunnel.localPort);
    need(!isUdp || !ports.includes(parameters.localPort), `port ${parameters.localPort} is taken`);
    const tunnel = {
      tunnelId,
      peerTunnelId,
      version,
      encap,
      local: local === "0.0.0.0" ? "10.0.0.1" : local === "::" ? "fd00::1" : local,
      peer,
      localPort: isUdp ? parameters.localPort : undefined,
      peerPort: isUdp ? parameters.peerPort : undefined,
      udpChecksum: isUdp && !isIpv6 ? parameters.udpChecksum ?? false : undefined,
      checksumTx: isUdp && isIpv6 ? parameters.checksumTx ?? true : undefined,
      checksumRx: isUdp && isIpv6 ? parameters.checksumRx ?? true : undefined,
      usingIpsec: false,
      counters: ZERO_COUNTERS,
    };
    this.#tunnels.set(tunnelId, { tunnel, scope, sessions: [] });
  }

  #createSession(parameters: SessionParameters): void {
    const { tunnelId, sessionId, peerSessionId, pseudowire = "eth" } = parameters;
    const { tunnel } = this.#tunnels.get(tunnelId) ?? refuse(`no tunnel ${tunnelId}`);
    const name = nameOf({ tunnelId, sessionId });
    need(!this.#sessions.has(name), `session ${name} is there`);
    const sharing = [...this.#sessions.values()].find(({ session }) =>
      session.sessionId === sessionId &&
      (tunnel.encap === "ip" || this.#tunnels.get(session.tunnelId)?.tunnel.encap === "ip")
    );
    need(sharing === undefined, `session id ${sessionId} is taken`);
    const isPpp = pseudowire === "ppp";
    const interfaceName = isPpp ? undefined : this.#freeName(parameters.interfaceName ?? "l2tpeth%d");
    this.#sessions.set(name, {
      session: {
        tunnelId,
        sessionId,
        peerTunnelId: tunnel.peerTunnelId,
        peerSessionId,
        pseudowireType: isPpp ? 7 : 5,
        interfaceName,
        cookie: parameters.cookie,
        peerCookie: parameters.peerCookie,
        sendSeq: parameters.sendSeq ?? false,
        recvSeq: parameters.recvSeq ?? false,
        lnsMode: parameters.lnsMode ?? false,
        usingIpsec: false,
        reorderTimeoutMs: parameters.reorderTimeoutMs ?? 0,
        counters: ZERO_COUNTERS,
      },
      l2spec: tunnel.version === 2 ? "none" : parameters.l2spec ?? "default",
      link: interfaceName === undefined ? undefined : {
        name: interfaceName,
        netns: "home",
        away: false,
        up: false,
        mtu: 1458,
        bridge: undefined,
        addresses: [],
      },
    });
  }

  #freeName(template: string): string {
    const taken = this.state.interfaces;
    for (let i = 0;; i++) {
      const name = template.replace("%d", String(i));
      if (!taken.has(name)) return name;
      need(name !== template, `interface ${name} is there`);
    }
  }

  #session(key: SessionIds): ActualSession {
    return this.#sessions.get(nameOf(key)) ?? refuse(`no session ${nameOf(key)}`);
  }

  #changeLink(step: LinkStep): void {
    const link = this.#session(step.key).link as Link | undefined ?? refuse("no interface");
    need(step.do === "moveLink" || (step.key.netns ?? "home") === link.netns, "interface is elsewhere");
    const bridges = this.namespaces.get(link.netns) ?? this.bridges;
    const other = ({ address }: { address: string }): boolean =>
      "prefix" in step && address !== step.prefix.address;
    switch (step.do) {
      case "moveLink":
        need(!link.away && this.namespaces.has(step.netns), `no namespace ${step.netns}`);
        Object.assign(link, { netns: step.netns, away: true, up: false, bridge: undefined, addresses: [] });
        break;
      case "setMtu":
        link.mtu = step.mtu;
        break;
      case "setBridge":
        need(step.bridge === undefined || bridges.has(step.bridge), `no bridge ${step.bridge}`);
        link.bridge = step.bridge;
        break;
      case "setUp":
        link.up = step.up;
        link.addresses = step.up
          ? [...link.addresses, { address: "fe80::1234", prefixLength: 64, automatic: false }]
          : link.addresses.filter(({ address }) => !address.includes(":"));
        break;
      case "addAddress":
        need(link.addresses.every(other), `address ${step.prefix.address} is there`);
        link.addresses = [...link.addresses, { ...step.prefix, automatic: false }];
        break;
      case "deleteAddress":
        need(!link.addresses.every(other), `no address ${step.prefix.address}`);
        link.addresses = link.addresses.filter(other);
        break;
      default:
        step satisfies never;
    }
  }
}

function need(condition: boolean, why: string): void {
  if (!condition) refuse(why);
}

function refuse(why: string): never {
  throw new RefusedError(why);
}

function nameOf({ tunnelId, sessionId }: SessionIds): string {
  return `${tunnelId}/${sessionId}`;
}
