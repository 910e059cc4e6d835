/**
 * A million damaged frames against links in every phase. Two links negotiate, and each frame between them also arrives
 * in damaged copies. Nothing is thrown, each frame causes few others, and no state grows.
 *
 * The seed is printed; `L2TP_FUZZ_SEED` and `L2TP_FUZZ_COUNT` set seed and count, as for `tests/wire/fuzz_test.ts`.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type PppCrypto, PppLink, type PppOptions } from "../../src/engine/ppp/mod.ts";
import { damage, PPP_FRAMES } from "../support/ppp_frames.ts";
import { Random, setting } from "../support/random.ts";

const SEED = setting("L2TP_FUZZ_SEED", 0x12c0ffee);
const COUNT = setting("L2TP_FUZZ_COUNT", 1_000_000);

/** Most frames that one frame may cause: a reply, Configure-Requests, a Challenge, an Identification. */
const MOST_FRAMES = 6;
/** Longest status in JSON, in characters. */
const MOST_STATUS = 4096;

/** Fast stand-ins for the algorithms. Each result depends on the whole input. */
function digest(length: number): (data: Uint8Array) => Uint8Array {
  return (data) => {
    let sum = 0x811c9dc5;
    for (const byte of data) sum = Math.imul(sum ^ byte, 0x01000193);
    return Uint8Array.from({ length }, (_, i) => sum >>> (i & 24));
  };
}

const CRYPTO: PppCrypto = {
  md5: digest(16),
  md4: digest(16),
  sha1: digest(20),
  des: (key, block) => block.map((byte, i) => byte ^ key[i]!),
};

Deno.test(`PPP links: ${COUNT} damaged frames, seed ${SEED}, nothing thrown, nothing grows`, () => {
  const random = new Random(SEED);
  const room = new Uint8Array(2048);
  const methods = ["pap", "chap", "mschap", "mschapv2"] as const;
  let leases = 0;
  const options = (): PppOptions => ({
    crypto: CRYPTO,
    random: (count) => random.bytes(count),
    name: "joe",
    secret: "pw",
    peerSecret: (name) => name === "joe" ? "pw" : undefined,
    require: random.oneIn(3) ? [] : [random.pick(methods), random.pick([...methods, "none"])],
    refuse: random.oneIn(3) ? [random.pick(methods)] : [],
    pfc: random.oneIn(2),
    identification: random.oneIn(2) ? "fuzz" : undefined,
    echoIntervalMs: 500,
    rechallengeMs: 700,
    ipv4: {
      local: random.oneIn(2) ? "10.0.0.1" : undefined,
      peer: {
        lease: () => {
          leases++;
          return "10.0.0.2";
        },
        release: () => void leases--,
      },
      dns: ["10.0.0.3"],
      askDns: true,
    },
  });
  const phases = new Map<string, number>();
  const drops = new Map<string, number>();
  let damaged = 0;
  let rounds = 0;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    while (damaged < COUNT) {
      rounds++;
      const links = [new PppLink(options()), new PppLink(options())] as const;
      const queues: [Uint8Array[], Uint8Array[]] = [[], []];
      let now = 0;
      /** Collects the frames that a link sends; returns their number. */
      const drain = (end: 0 | 1): number => {
        let frames = 0;
        for (const effect of links[end].takeEffects()) {
          if (effect.effect !== "send") continue;
          frames++;
          assert(effect.frame.length <= 1502);
          queues[1 - end as 0 | 1].push(effect.frame);
        }
        return frames;
      };
      const give = (end: 0 | 1, frame: Uint8Array): void => {
        try {
          links[end].receive(frame, now);
        } catch (error) {
          throw new Error(`seed ${SEED}, frame ${frame.toHex()}`, { cause: error });
        }
        assert(drain(end) <= MOST_FRAMES);
      };
      for (const link of links) {
        link.open(now);
        link.lowerUp(now);
      }
      // Damage nothing for a while, so that every phase is reached.
      const calm = random.below(25);
      const most = 1 + random.below(12);
      for (let step = 0; step < 60; step++) {
        now += random.below(100);
        for (const end of [0, 1] as const) {
          const link = links[end];
          const deadline = link.deadline();
          if (deadline !== undefined && deadline <= now) link.timeout(now);
          // Open a link again after it has finished.
          if (deadline === undefined && random.oneIn(3)) link.open(now);
          drain(end);
          const frame = queues[end].shift();
          // Drop frames that have waited too long.
          if (queues[end].length > 20) queues[end].length = 0;
          for (let n = step < calm ? 0 : 1 + random.below(most); n > 0; n--) {
            damaged++;
            // Damage a sample frame, a frame of the link itself, or the frame it is about to receive.
            const own = random.oneIn(6) ? queues[1 - end as 0 | 1].at(-1) : undefined;
            const original = random.oneIn(4) ? undefined : own ?? frame;
            give(end, damage(original ?? random.pick(PPP_FRAMES), room, random));
          }
          if (frame !== undefined && (step < calm || !random.oneIn(8))) give(end, frame);
        }
      }
      for (const link of links) {
        const status = link.status();
        const { phase } = status;
        phases.set(phase, (phases.get(phase) ?? 0) + 1);
        for (const [reason, count] of Object.entries(status.drops)) {
          drops.set(reason, (drops.get(reason) ?? 0) + count);
        }
        const text = JSON.stringify(status);
        assert(text.length < MOST_STATUS, text);
        link.lowerDown(now);
        link.close(now);
        assertStrictEquals(link.deadline(), undefined);
        assertEquals([link.status().phase, link.status().lcp.state], ["dead", "Initial"]);
      }
      assertStrictEquals(leases, 0);
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  // A fuzz test that never reaches the later phases tests nothing.
  for (const phase of ["establish", "authenticate", "network", "terminate", "dead"]) {
    assert(
      (phases.get(phase) ?? 0) >= Math.floor(rounds / 500),
      `${phase}: ${phases.get(phase)} of ${rounds} rounds`,
    );
  }
  for (
    const reason of [
      "malformed",
      "finished",
      "data",
      "phase",
      "unexpectedReply",
      "foreignOptions",
      "ownMagic",
    ]
  ) {
    assert((drops.get(reason) ?? 0) >= Math.floor(COUNT / 100_000), `${drops.get(reason)} ${reason}`);
  }
  console.log(
    `fuzz: seed ${SEED}, ${damaged} frames, ${rounds} pairs of links, ${JSON.stringify([...phases])}`,
  );
});
