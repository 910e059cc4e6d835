/** Version 3 over UDP with many sessions of the same id: the session of each packet, against a linear search. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type DataSession, type DataTunnel, DROP, type Endpoint } from "../../../src/dataplane/mod.ts";
import { SourceHash } from "../../../src/dataplane/sessions/source_hash.ts";
import { Random } from "../../support/random.ts";
import { arriving, DataPathHarness, drops, frame, type Source } from "../support.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/** A version 3 packet without cookie and sublayer; over UDP with that version. */
function packetFor(endpoint: Endpoint, sessionId: number, version = 3): Uint8Array {
  const bytes = Uint8Array.of(0, version, 0, 0, 0, 0, 0, 0, ...frame());
  new DataView(bytes.buffer).setUint32(4, sessionId);
  return arriving(endpoint.kind, endpoint.isUdp ? bytes : bytes.slice(4));
}

/** The options of a tunnel of the model. */
interface Peer {
  readonly tunnel: DataTunnel;
  readonly endpoint: Endpoint;
  readonly source: { address: readonly number[]; port?: number | undefined; scopeId?: number } | undefined;
}

/** How much of the source a tunnel that accepts it compares; -1 if it does not accept it. */
function fit({ endpoint, source: wanted }: Peer, source: Source): number {
  if (wanted === undefined) return 0;
  if (wanted.address.some((byte, i) => byte !== source.address[i])) return -1;
  const isPorted = endpoint.isUdp && wanted.port !== undefined;
  if (isPorted && wanted.port !== source.port) return -1;
  const isScoped = (wanted.scopeId ?? 0) !== 0;
  if (isScoped && wanted.scopeId !== (source.scopeId ?? 0)) return -1;
  return 1 + (isPorted ? 2 : 0) + (isScoped ? 1 : 0);
}

/** Packets that count on a session as from a wrong peer. */
function wrongPeer(session: DataSession): number {
  return session.counters[DROP.wrong_peer]!;
}

/** All sessions in the order of their creation. */
type Model = { readonly peer: Peer; readonly session: DataSession }[];

/** The session that gets a packet: of the most specific tunnel, and among those the oldest. */
function owner(model: Model, endpoint: Endpoint, id: number, source: Source): DataSession | undefined {
  let best: DataSession | undefined;
  let most = -1;
  for (const { peer, session } of model) {
    if (session.sessionId !== id || peer.endpoint !== endpoint || fit(peer, source) <= most) continue;
    best = session;
    most = fit(peer, source);
  }
  return best;
}

/** Addresses of either family; link-local ones with a scope. */
function sources(isIpv6: boolean): Source[] {
  const found: Source[] = [];
  for (const host of [2, 3, 4]) {
    for (const port of [1701, 1702, 40000]) {
      if (!isIpv6) found.push({ address: [10, 0, 0, host], port });
      else {
        const tail = [...new Array<number>(13).fill(0), host];
        found.push({ address: [0xfd, 0, ...tail.slice(1), 7], port });
        found.push({ address: [0xfd, 0, 1, ...tail.slice(2), host], port });
        for (const scopeId of [3, 4]) found.push({ address: [0xfe, 0x80, ...tail], port, scopeId });
      }
    }
  }
  return found;
}

function makePeers(harness: DataPathHarness): Peer[] {
  const peers: Peer[] = [];
  let tunnelId = 0;
  for (const kind of ["udp4", "udp4", "udp6", "ip4", "ip6"] as const) {
    const endpoint = harness.endpoint(kind);
    const all = sources(endpoint.isIpv6);
    const wanted: Peer["source"][] = [undefined, undefined];
    // Each source in full, some twice, and without its port or its scope.
    for (const [i, source] of all.entries()) {
      wanted.push(source);
      if (i % 3 === 0) wanted.push(source, { ...source, scopeId: 0 });
      if (i % 4 === 0) wanted.push({ ...source, port: undefined });
      if (i % 5 === 0) wanted.push({ ...source, port: undefined, scopeId: 0 });
    }
    for (const source of wanted) {
      const peer = source && { ...source, address: Uint8Array.from(source.address) };
      peers.push({ source, endpoint, tunnel: harness.tunnel(endpoint, { tunnelId: ++tunnelId, peer }) });
    }
  }
  return peers;
}

for (const seed of [1, 2, 3]) {
  Deno.test(`equal ids: 20,000 random additions, removals and packets as by a linear search, seed ${seed}`, () => {
    const random = new Random(seed);
    const harness = new DataPathHarness({ seed: random.next() });
    const peers = makePeers(harness);
    const endpoints = [...new Set(peers.map(({ endpoint }) => endpoint)), harness.endpoint("udp4")];
    const ids = [1, 2, 3, 0x80000001, 0xffffffff];
    const model: Model = [];
    /** The session that counted the last unaccepted packet, by endpoint and id. */
    const blamed = new Map<string, DataSession>();
    const reached = { delivered: 0, wrong_peer: 0, wrong_endpoint: 0, unknown_session: 0, bad_version: 0 };

    const receive = (): void => {
      const endpoint = random.pick(endpoints);
      const id = random.pick(ids);
      const all = sources(endpoint.isIpv6);
      const strange = { ...random.pick(all), port: 9 };
      const source = random.oneIn(3) ? strange : random.pick(all);
      const version = endpoint.isUdp && random.oneIn(8) ? 1 : 3;
      const mine = endpoint.counters;
      const before = { ...drops(mine) };
      const wrong = model.map(({ session }) => wrongPeer(session));
      const expected = owner(model, endpoint, id, source);
      const versions = expected === undefined ? 0 : expected.counters[DROP.bad_version]!;
      const found = harness.receive(endpoint, [packetFor(endpoint, id, version)], { source });
      if (expected !== undefined) {
        if (version === 3) {
          // As text: sessions refer to each other, so printing one would print all.
          assert(found.length === 1 && found[0]!.session === expected, `a packet for ${id}`);
          reached.delivered++;
        } else {
          assertStrictEquals(expected.counters[DROP.bad_version]!, versions + 1);
          reached.bad_version++;
        }
        return;
      }
      assertStrictEquals(found.length, 0);
      const namesakes = model.filter(({ session }) => session.sessionId === id);
      if (namesakes.some(({ peer }) => peer.endpoint === endpoint)) {
        const counted = model.filter(({ session }, i) => wrongPeer(session) !== wrong[i]);
        assertStrictEquals(counted.length, 1);
        const { peer, session } = counted[0]!;
        assertStrictEquals(session.sessionId, id);
        assertStrictEquals(peer.endpoint, endpoint);
        const key = `${endpoints.indexOf(endpoint)} ${id}`;
        const last = blamed.get(key);
        // Another session counts only after this one was removed.
        if (last !== undefined && last.index >= 0) assert(session === last, `counted for ${id}`);
        blamed.set(key, session);
        reached.wrong_peer++;
      } else {
        const unknown = version === 3 ? "unknown_session" : "bad_version";
        const reason = namesakes.length > 0 ? "wrong_endpoint" : unknown;
        assertDeepStrictEquals(drops(mine), { ...before, [reason]: (before[reason] ?? 0) + 1 });
        reached[reason]++;
      }
    };

    for (let i = 0; i < 20_000; i++) {
      // Phases of growth and of shrinking, down to nothing.
      const grows = (i >> 10) % 2 === 0;
      if (random.below(10) < (grows ? 6 : 1)) {
        const peer = random.pick(peers);
        const sessionId = random.pick(ids);
        const others = model.filter(({ session }) => session.sessionId === sessionId);
        const isTaken = others.some((other) =>
          other.peer === peer || !other.peer.endpoint.isUdp || !peer.endpoint.isUdp
        );
        const add = (): DataSession => harness.session(peer.tunnel, { sessionId, l2spec: "none" });
        if (isTaken) assertThrows(add, RangeError);
        else model.push({ peer, session: add() });
      } else if (model.length > 0 && random.below(10) < (grows ? 3 : 9)) {
        const [gone] = model.splice(random.below(model.length), 1);
        harness.path.removeSession(gone!.session);
      }
      receive();
      assertStrictEquals(harness.path.sessionCount, model.length);
    }
    harness.assertConservation();
    for (const [what, times] of Object.entries(reached)) assert(times > 50, `${what}: ${times}`);
    for (const { session } of model.splice(0)) harness.path.removeSession(session);
    for (let i = 0; i < 100; i++) receive();
    harness.assertConservation();
  });
}

Deno.test("equal ids: after the removal of the session that counts spoofed packets, another one counts them", () => {
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [0, 3, 1, 2]]) {
    const harness = new DataPathHarness();
    const endpoint = harness.endpoint("udp4");
    const sessions = [2, 3, 4, 5].map((host) =>
      harness.session(
        harness.tunnel(endpoint, { peer: { address: Uint8Array.of(10, 0, 0, host), port: 1701 } }),
      )
    );
    const wrong = (): number[] => sessions.map(wrongPeer);
    const spoof = (): void => {
      const source = { address: [192, 0, 2, 1], port: 1701 };
      assertEquals(harness.receive(endpoint, [packetFor(endpoint, 1)], { source }), []);
    };
    for (const place of order) {
      const before = wrong();
      spoof();
      const counted = wrong().findIndex((times, i) => times !== before[i]);
      assert(sessions[counted]!.index >= 0, "nothing is counted on what is gone");
      spoof();
      before[counted]! += 2;
      assertDeepStrictEquals(wrong(), before);
      harness.path.removeSession(sessions[place]!);
    }
    assertStrictEquals(wrong().reduce((sum, times) => sum + times), 8);
    spoof();
    assertEquals(drops(endpoint.counters), { unknown_session: 1 });
    harness.assertConservation();
  }
});

Deno.test("source hash: neighbouring sources and ids have different keys, which depend on the seed", () => {
  const names = new Int32Array(7);
  for (const isIpv6 of [false, true]) {
    const all = (seed: number): number[] => {
      const hash = new SourceHash(seed);
      const keys: number[] = [];
      for (let host = 0; host < 64; host++) {
        for (let port = 0; port < 64; port++) {
          names[0] = 2 | (port << 24);
          names[isIpv6 ? 5 : 1] = host << 24;
          for (let id = 1; id < 9; id++) keys.push(hash.key(id, 2, isIpv6, names, 0, 0));
        }
      }
      return keys;
    };
    const keys = all(5);
    assert(new Set(keys).size > keys.length - 20, `${new Set(keys).size} of ${keys.length}`);
    assertDeepStrictEquals(all(5), keys);
    assert(all(6).filter((key, i) => key === keys[i]).length < 20);
  }
});
