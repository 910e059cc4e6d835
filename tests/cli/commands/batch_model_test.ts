/**
 * Batches against the obvious way to do them: random lines as one batch, and the same lines one by one, each a program
 * of its own. Tables, exit code, output and errors must agree.
 */

import { assert, assertStrictEquals } from "@std/assert";
import { FakeHost } from "../../support/fake_host.ts";
import { Random } from "../../support/random.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

/**
 * A line that may be right, be refused by the kernel, or be wrong. Ids are few, so that they meet. No line deletes, and
 * with `force` none undoes what it did: after that a program waits a second for ids to become free, one that comes later
 * does not.
 */
function randomLine(random: Random, force: boolean): string {
  const tid = 1 + random.below(4);
  const sid = 1 + random.below(5);
  const name = random.pick(["", "", " name pw0", " name pw1", " name pw%d", " name a:b"]);
  const encap = random.oneIn(2)
    ? "encap ip"
    : `udp_sport ${random.pick(["5000", "5001", "5002"])} udp_dport 1`;
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return `add tunnel tid ${tid} ptid 1 local ${
        random.pick(["10.0.0.1", "10.0.0.1", "10.9.9.9"])
      } remote 10.0.0.2 ${encap}`;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return `add session tid ${tid} sid ${sid} psid 1${name}${random.oneIn(4) ? " pw_type ppp" : ""}`;
    case 10:
      return force ? "# nothing" : `add session tid ${tid} sid ${sid} psid 1${name} up`;
    case 11:
      return random.oneIn(3) ? `set tunnel tid ${tid}` : `set session tid ${tid} sid ${sid} seq both`;
    case 12:
      return "show";
    case 13:
      if (force) return "show session";
      return `add tunnel session tid ${tid} ptid 1 sid ${sid} psid 1 local 10.0.0.1 remote 10.0.0.2 ${encap}${name}`;
    case 14:
      return random.oneIn(4)
        ? random.pick(["bogus", "add tunnel tid x", "add tunnel", 'show "'])
        : `show tunnel tid ${tid}`;
    default:
      return random.oneIn(8)
        ? `add session tid ${tid} sid ${sid}`
        : `add session tid ${tid} sid ${sid} psid 1 offset 3`;
  }
}

/** All that can be seen of a host afterwards. */
function state({ home: { l2tp, links } }: FakeHost): unknown {
  return {
    tunnels: [...l2tp.tunnels.values()],
    sessions: l2tp.sessions,
    links: [...links.links.values()].map(({ index: _, ...link }) => link),
  };
}

/** Advice is about what is there when it is given, which in a batch may be more. */
function withoutAdvice(err: string): string {
  return err.split("\n").filter((line) => !line.startsWith("  ")).join("\n");
}

/** Does the lines one by one, as a batch is described. */
async function oneByOne(
  host: FakeHost,
  lines: readonly string[],
  force: boolean,
): Promise<[number, string, string]> {
  let [out, err, code] = ["", "", 0];
  for (const [i, line] of lines.entries()) {
    if (line.startsWith("#")) continue;
    const unterminated = (line.match(/"/g) ?? []).length === 1;
    const outcome = unterminated
      ? { code: 1, out: "", err: "Unterminated quoted string\n" }
      : await host.run(line);
    out += outcome.out;
    err += outcome.err;
    if (outcome.code === 0) continue;
    err += `Command failed f:${i + 1}\n`;
    code = outcome.code === 255 && !force ? 255 : 1;
    if (!force) break;
  }
  return [code, out, withoutAdvice(err)];
}

/** Compares random batches with the same lines one by one. */
async function compare(rounds: number, seed: number, acceptsDuplicates: boolean): Promise<void> {
  const random = new Random(seed);
  let failing = 0;
  for (let round = 0; round < rounds; round++) {
    const force = random.oneIn(2);
    const lines = Array.from({ length: 1 + random.below(30) }, () => randomLine(random, force));
    const [batched, single] = [new FakeHost(), new FakeHost()];
    for (const host of [batched, single]) host.home.l2tp.acceptsDuplicates = acceptsDuplicates;
    batched.background = random.oneIn(2);
    // Now and then the next line is long in coming.
    batched.files.set("f", lines.flatMap((line) => random.oneIn(6) ? [line, undefined] : [line]));
    const { code, out, err } = await batched.run(force ? "-force -b f" : "-b f");
    const expected = await oneByOne(single, lines, force);
    const label = `seed ${seed}, round ${round}, force ${force}:\n${lines.join("\n")}`;
    assertDeepStrictEquals([code, out, withoutAdvice(err)], expected, label);
    assertDeepStrictEquals(state(batched), state(single), label);
    assertStrictEquals(batched.leaks, 0, label);
    if (code !== 0) failing++;
  }
  // Batches of only right or only wrong lines would prove little.
  assert(failing > rounds / 6 && failing < rounds, `${failing} of ${rounds} failed`);
}

Deno.test("a batch looks as if its lines were done one by one: random batches", async () => {
  await compare(200, 0xba7c, false);
});

Deno.test("a batch looks as if its lines were done one by one where the kernel takes a session's id twice", async () => {
  await compare(120, 0xba7d, true);
});
