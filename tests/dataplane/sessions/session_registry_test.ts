import { assertStrictEquals } from "@std/assert";
import type { DataSession, DataTunnel } from "../../../src/dataplane/mod.ts";
import { Random } from "../../support/random.ts";
import { DataPathHarness, frame } from "../support.ts";

Deno.test("registry: 20,000 random additions and removals; each packet finds its session, or none", () => {
  const random = new Random(60);
  const harness = new DataPathHarness();
  const endpoint = harness.endpoint("udp4");
  const peers = [2, 3, 4, 5].map((host) => ({ address: [10, 0, 0, host], port: 1000 + host }));
  const v3 = peers.map(({ address, port }, i) =>
    harness.tunnel(endpoint, { tunnelId: 10 + i, peer: { address: Uint8Array.from(address), port } })
  );
  const v2 = peers.map(({ address, port }, i) =>
    harness.tunnel(endpoint, {
      version: 2,
      tunnelId: 20 + i,
      peer: { address: Uint8Array.from(address), port },
    })
  );
  const model = new Map<string, DataSession>();
  const counters = harness.view();
  const packet = (tunnel: DataTunnel, sessionId: number): Uint8Array => {
    const bytes = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0, ...frame());
    const fields = new DataView(bytes.buffer);
    if (tunnel.version === 3) fields.setUint32(4, sessionId);
    else {
      fields.setUint16(0, 2);
      fields.setUint16(2, tunnel.tunnelId);
      fields.setUint16(4, sessionId);
    }
    return bytes;
  };
  for (let i = 0; i < 20_000; i++) {
    const which = random.below(4);
    const tunnel = random.oneIn(2) ? v3[which]! : v2[which]!;
    // Few ids, so that the chains of version 3 are long; from the whole 32-bit range.
    const sessionId = tunnel.version === 3 ? (1 + random.below(40)) * 0x06000001 : 1 + random.below(40);
    const key = `${tunnel.tunnelId} ${sessionId}`;
    const known = model.get(key);
    const found = harness.receive(endpoint, [packet(tunnel, sessionId)], { source: peers[which]! });
    assertStrictEquals(found[0]?.session, known, key);
    if (known === undefined) {
      const spec = { sessionId, peerSessionId: 1, pseudowire: "ppp", l2spec: "none", counters } as const;
      const session = harness.path.addSession(tunnel, spec);
      harness.path.attachPpp(session, 1, { clampMss: false });
      model.set(key, session);
    } else {
      harness.path.removeSession(known);
      model.delete(key);
    }
    assertStrictEquals(harness.path.sessionCount, model.size);
  }
  for (const tunnel of [...v2, ...v3]) harness.path.removeTunnel(tunnel);
  assertStrictEquals(harness.path.sessionCount, 0);
  harness.assertConservation();
});
