/** The doctor in namespaces where something is broken on purpose: each trouble is found, and its advice ends it. */

import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { AF_INET } from "../../src/base/inet.ts";
import { openUdp } from "../../ffi/sockets/udp.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import type { DoctorJson } from "../../src/cli/output/json.ts";
import { TestDaemon } from "../support/daemon.ts";
import { type Namespace, Pair } from "../support/namespaces.ts";
import { l2tp } from "../support/processes.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

bindLibc();
localLibc();
daemonLibc();

const TUNNEL = "tunnel_id 1 peer_tunnel_id 2 local 10.0.0.1 remote 10.0.0.2 udp_sport 1702 udp_dport 1702";
const SESSION = "session_id 10 peer_session_id 20 name pw0 addr 192.168.9.1/24 up";

/** A host with a healthy tunnel. */
class Patient {
  readonly netns: Namespace;
  readonly folder: string;

  constructor(netns: Namespace, folder: string) {
    this.netns = netns;
    this.folder = folder;
  }

  async l2tp(
    line: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const words = ["-n", this.netns.name, "-dataplane", "user", ...line.split(" ")];
    return await l2tp(words, { env: { L2TP_RUNTIME_DIR: this.folder } });
  }

  /** Returns the doctor's errors and warnings as `check: text`. */
  async troubles(): Promise<{ readonly texts: string[]; readonly fixes: string[] }> {
    const { code, stdout, stderr } = await this.l2tp("-json doctor");
    assertStrictEquals(stderr, "");
    const { ok, findings } = JSON.parse(stdout) as DoctorJson;
    const bad = findings.filter(({ level }) => level === "error" || level === "warning");
    assertDeepStrictEquals([code, ok], bad.length === 0 ? [0, true] : [1, false]);
    return { texts: bad.map(({ check, text }) => `${check}: ${text}`), fixes: bad.flatMap(({ fix }) => fix) };
  }

  /** Exactly one trouble, like this. */
  async expect(text: RegExp): Promise<string> {
    const { texts, fixes } = await this.troubles();
    assertStrictEquals(texts.length, 1, JSON.stringify(texts));
    assertMatch(texts[0]!, text);
    return fixes[0]!;
  }

  async expectHealth(): Promise<void> {
    assertEquals((await this.troubles()).texts, []);
  }
}

Deno.test("the doctor finds exactly what was broken, and its advice helps", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start({ args: ["--keep"] });
  const { a } = pair;
  const patient = new Patient(a, daemon.folder);
  const added = await patient.l2tp(`add tunnel session ${TUNNEL} ${SESSION}`);
  assertStrictEquals(added.code, 0, added.stderr);
  await patient.expectHealth();

  await a.ip("link set pw0 mtu 1480");
  const fix = await patient.expect(
    /^paths: pw0 has MTU 1480, .* 1534 bytes, but the path MTU to 10\.0\.0\.2 is 1500: /,
  );
  await a.sh(...fix.split(" "));
  await patient.expectHealth();

  // The path MTU decreases beyond our own interface.
  await a.ip("route add 10.0.0.2/32 dev cable mtu 1300");
  await a.sh(...(await patient.expect(/^paths: .* is 1300: /)).split(" "));
  await patient.expectHealth();

  await a.ip("link set pw0 down");
  await a.sh(...(await patient.expect(/^interfaces: Session 10 in tunnel 1: pw0 is down\.$/)).split(" "));
  await patient.expectHealth();

  await a.ip("addr del 10.0.0.1/24 dev cable");
  await patient.expect(/^paths: Tunnel 1: 10\.0\.0\.1 is no longer an address of this host\.$/);
  await a.ip("addr add 10.0.0.1/24 dev cable");
  await a.ip("route replace 10.0.0.2/32 dev cable mtu 1300");

  await a.ip("route replace unreachable 10.0.0.2/32");
  await patient.expect(/^paths: Tunnel 1: no route to the peer 10\.0\.0\.2: EHOSTUNREACH\.$/);
  await a.ip("route del unreachable 10.0.0.2/32");
  await patient.expectHealth();

  {
    using _other = inNamespace(
      a.name,
      () => openUdp(AF_INET, { local: { address: Uint8Array.of(10, 0, 0, 1), port: 1701 } }),
    );
    await patient.expect(
      new RegExp(`^ports: UDP port 1701 at 10\\.0\\.0\\.1 is bound by .*\\(process ${Deno.pid}\\): `),
    );
  }
  await patient.expectHealth();

  await a.ip("link set pw0 name renamed");
  await patient.expect(/^interfaces: Session 10 in tunnel 1: there is no interface pw0 /);
  await a.ip("link set renamed name pw0");

  // A packet from an address that is not behind this interface.
  await a.sh("sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.cable.rp_filter=1");
  await a.ip("addr add 10.77.0.1/24 dev pw0");
  await pair.b.ip("addr add 10.77.0.2/24 dev lo");
  // Fill the neighbour table first: an ARP request from the wrong address gets no reply.
  await pair.b.sh("ping", "-q", "-c", "1", "10.0.0.1");
  await pair.b.ip("route add 10.77.0.1/32 via 10.0.0.1 src 10.77.0.2");
  await pair.b.sh("sh", "-c", "ping -q -c 2 -i 0.2 -W 1 -I 10.77.0.2 10.77.0.1 || true");
  const loose = await patient.expect(
    /^sysctls: \d+ packets were dropped by reverse path filtering/,
  );
  await a.sh(...loose.split(" "));
  await patient.expectHealth();

  await daemon.end("SIGKILL");
  await patient.expect(/^daemon: No daemon is running, but a previous one left tunnels in .*journal\.$/);
  const { stdout } = await patient.l2tp("doctor");
  assertMatch(stdout, /^warning {3}daemon: .*\n {10}To restore them: l2tp daemon\. /m);
  await using _next = await TestDaemon.start({ folder: daemon.folder });
  await patient.expectHealth();
});

Deno.test("the doctor finds a daemon that does not answer, within seconds", async () => {
  await using pair = await Pair.create();
  await using daemon = await TestDaemon.start();
  const patient = new Patient(pair.a, daemon.folder);
  Deno.kill(daemon.pid, "SIGSTOP");
  try {
    const start = performance.now();
    const { texts } = await patient.troubles();
    assert(performance.now() - start < 15_000, "it waits no longer than it must");
    assertStrictEquals(texts.length, 1);
    assertMatch(texts[0]!, /^daemon: The daemon at .* does not answer\.$/);
  } finally {
    Deno.kill(daemon.pid, "SIGCONT");
  }
});
