/**
 * The peers of the comparison: the bare cable, the kernel's VXLAN, fastd, openvpn, and a minimal tunnel.
 *
 * @module
 */

import type { Pair } from "../../support/namespaces.ts";
import { sh } from "../../support/processes.ts";
import { ensurePackages } from "../../tools/debian.ts";
import { pidsOf, Program } from "./programs.ts";
import type { Made, Variant } from "./tunnel.ts";

const DEVICE = "pw";
/** Of the devices of fastd and openvpn, which do not choose one that fits: that of VXLAN. What they add fits, too. */
const MTU = 1450;
/** Socket buffers of openvpn: its default loses packets between two bursts. fastd has no such option. */
const SOCKET_BUFFER = 4 * 1024 * 1024;

const cable: Variant = {
  name: "veth",
  what: "the cable itself, a veth pair",
  make: () => Promise.resolve({ device: "cable" }),
};

const vxlan: Variant = {
  name: "vxlan",
  what: "the kernel's VXLAN, UDP over IPv4",
  make: async (pair) => {
    for (const [own, netns] of [[1, pair.a], [2, pair.b]] as const) {
      const ends = `local 10.0.0.${own} remote 10.0.0.${3 - own}`;
      await netns.ip(`link add ${DEVICE} type vxlan id 7 ${ends} dstport 4789 dev cable`);
    }
    return { device: DEVICE };
  },
};

/**
 * Installs it, unless it is installed.
 *
 * @throws {Error} a service of this machine runs because of that
 */
async function install(program: string): Promise<void> {
  const before = pidsOf([program]);
  await ensurePackages([program], "the benchmark against peers");
  const started = pidsOf([program]).filter((pid) => !before.includes(pid));
  if (started.length > 0) {
    throw new Error(
      `installing ${program} has started it on this machine (process ${
        started.join(", ")
      }): stop that service first`,
    );
  }
}

/** The keys of both ends, as fastd makes them. */
async function fastdKeys(folder: string): Promise<{ readonly secret: string; readonly key: string }[]> {
  const ends = [];
  for (const end of ["a", "b"]) {
    const secret = (await sh("fastd", "--generate-key", "--machine-readable")).trim();
    const file = `${folder}/${end}.key`;
    await Deno.writeTextFile(file, `secret "${secret}";\n`, { mode: 0o600 });
    const key = (await sh("fastd", "--config", file, "--show-key", "--machine-readable")).trim();
    ends.push({ secret, key });
  }
  return ends;
}

async function makeFastd(pair: Pair, stack: AsyncDisposableStack): Promise<Made> {
  await install("fastd");
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bench-fastd." });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const keys = await fastdKeys(folder);
  const programs: Program[] = [];
  for (const [own, netns] of [[1, pair.a], [2, pair.b]] as const) {
    const peer = 3 - own;
    const file = `${folder}/${own}.conf`;
    const lines = [
      `mode tap; interface "${DEVICE}"; method "null"; mtu ${MTU};`,
      `bind 10.0.0.${own}:10000;`,
      `secret "${keys[own - 1]!.secret}";`,
      `peer "other" { key "${keys[peer - 1]!.key}"; remote 10.0.0.${peer}:10000; }`,
    ];
    await Deno.writeTextFile(file, lines.join("\n") + "\n", { mode: 0o600 });
    programs.push(stack.use(new Program(netns.name, ["fastd", "--config", file])));
  }
  for (const program of programs) await program.says("connection with <other> established");
  return { device: DEVICE, pids: [programs[0]!.pid, programs[1]!.pid] };
}

const fastd: Variant = {
  name: "fastd",
  what: "fastd, method null (no encryption), UDP over IPv4",
  make: makeFastd,
};

/** Static point to point, as 2.6 still does it: no TLS, so no keys, no control channel and no renegotiation. */
async function makeOpenvpn(pair: Pair, stack: AsyncDisposableStack): Promise<Made> {
  await install("openvpn");
  const programs: Program[] = [];
  for (const [own, netns] of [[1, pair.a], [2, pair.b]] as const) {
    const words = `openvpn --dev ${DEVICE} --dev-type tap --proto udp4 --port 1194 ` +
      `--local 10.0.0.${own} --remote 10.0.0.${3 - own} --cipher none --auth none --disable-dco ` +
      `--tun-mtu ${MTU} --sndbuf ${SOCKET_BUFFER} --rcvbuf ${SOCKET_BUFFER} --verb 3`;
    const program = stack.use(new Program(netns.name, words.split(" ")));
    programs.push(program);
    await program.says("link remote");
    // Without addresses to set it leaves the device as it is.
    await netns.ip(`link set ${DEVICE} mtu ${MTU}`);
  }
  return { device: DEVICE, pids: [programs[0]!.pid, programs[1]!.pid] };
}

const openvpn: Variant = {
  name: "openvpn",
  what: "openvpn 2.6 tap, no encryption, no TLS, no DCO, UDP over IPv4",
  make: makeOpenvpn,
};

/** Of its device: one frame with its virtio header fills a datagram, which is about what ours has. */
const FLOOR_MTU = 1446;
const FLOOR_SOURCE = new URL("./floor.c", import.meta.url).pathname;

async function makeFloor(pair: Pair, stack: AsyncDisposableStack): Promise<Made> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-bench-floor." });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const floor = `${folder}/floor`;
  await sh("gcc", "-O2", "-o", floor, FLOOR_SOURCE);
  const programs: Program[] = [];
  for (const [own, netns] of [[1, pair.a], [2, pair.b]] as const) {
    const program = stack.use(
      new Program(netns.name, [floor, DEVICE, `10.0.0.${own}`, `10.0.0.${3 - own}`]),
    );
    programs.push(program);
    await program.says("ready");
    await netns.ip(`link set ${DEVICE} mtu ${FLOOR_MTU}`);
  }
  return { device: DEVICE, pids: [programs[0]!.pid, programs[1]!.pid] };
}

/** Upper bound of a tunnel with these system calls, which ours should approach. */
const floor: Variant = {
  name: "floor",
  what: "the system calls of ours alone, in C: no header, no checksum, no look-up",
  make: makeFloor,
};

/** The peers. */
export const OTHER_VARIANTS: readonly Variant[] = [cable, vxlan, fastd, openvpn, floor];
