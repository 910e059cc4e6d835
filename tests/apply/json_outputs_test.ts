/**
 * What the program prints with `-json` is what its JSON Schema (`docs/reference/output.schema.json`) says, judged by
 * another program's validator.
 */

import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/2020";
import { bindLibc } from "../../ffi/libc.ts";
import { daemonLibc, localLibc } from "../../ffi/packet_libc.ts";
import { SCHEMA_PATH } from "../docs/blocks.ts";
import { JSON_OUTPUTS } from "../docs/json_schema.ts";
import type { Namespace } from "../support/namespaces.ts";
import { until } from "../support/until.ts";
import { ON_KERNEL, Site } from "./fixture.ts";

// Libraries that are loaded within a test count as its leak.
bindLibc();
localLibc();
daemonLibc();

const schema = JSON.parse(Deno.readTextFileSync(new URL(`../../${SCHEMA_PATH}`, import.meta.url)));
const ajv = new Ajv2020({ strictTypes: false, allErrors: true });
ajv.addSchema(schema, "output");

/** Names of the types that were judged. */
const judged = new Set<string>();

/** Checks a value against the type. */
function judge(type: string, value: unknown, where: string): void {
  judged.add(type);
  const validate = ajv.getSchema(`output#/$defs/${type}`);
  assert(validate !== undefined, `the schema has no ${type}`);
  assert(validate(value), `${where}: ${JSON.stringify(validate.errors)}\n${JSON.stringify(value)}`);
}

/** Checks every element of an array, of which there are `count` at least, and the array as an output. */
function judgeAll(type: string, text: string, where: string, count = 1): void {
  const values = JSON.parse(text) as unknown[];
  assert(values.length >= count, `${where}: ${text}`);
  for (const value of values) judge(type, value, where);
  const validate = ajv.getSchema("output")!;
  assert(validate(values), `${where}: no alternative of the schema's root: ${text}`);
}

const TUNNELS = `
[tunnel.one]
tunnel_id = 1
peer_tunnel_id = 2
encap = "ip"
local = "10.0.0.1"
remote = "10.0.0.2"
[tunnel.one.session.eth]
session_id = 10
peer_session_id = 20
cookie = "0011223344556677"
peer_cookie = "8899aabb"
interface = "pw0"
mtu = 1400
up = true
[tunnel.two]
tunnel_id = 3
peer_tunnel_id = 4
version = 2
local = "10.0.0.1"
remote = "10.0.0.2"
udp_sport = 1701
udp_dport = 1701
[tunnel.two.session.dialin]
session_id = 11
peer_session_id = 21
interface = "dial0"
[tunnel.two.session.dialin.ppp]
`;

/** Starts a command that prints lines until it is interrupted; resolves to the lines once `enough`. */
async function linesOf(
  site: Site,
  netns: Namespace,
  words: readonly string[],
  act: () => Promise<void>,
  enough: (lines: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const child = site.spawn(netns, ...words);
  let text = "";
  const lines = (): string[] => text.split("\n").slice(0, -1);
  const reading = (async () => {
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) text += piece;
  })();
  const errors = new Response(child.stderr).text();
  try {
    await until(async () => {
      await act();
      return enough(lines());
    }, `the lines of ${words.join(" ")}`);
  } finally {
    child.kill("SIGINT");
    await child.status;
    await Promise.all([reading, errors]);
  }
  return lines();
}

Deno.test("-json: every output is as its schema says", async (t) => {
  await using site = await Site.create();
  const { a } = site.pair;
  const run = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await site.run(a, "-json", ...words);
    assert(code === 0 || code === 1, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };

  await t.step("apply", async () => {
    const path = `${site.folder}/l2tp.toml`;
    await Deno.writeTextFile(path, TUNNELS);
    judgeAll("ChangeJson", await run("apply", "--dry-run", "-f", path), "dry run", 4);
    judgeAll("ChangeJson", await run("apply", "-f", path), "apply", 4);
    await Deno.writeTextFile(path, TUNNELS.replace("mtu = 1400", "mtu = 1300"));
    judgeAll("ChangeJson", await run("apply", "-f", path), "change");
  });

  await t.step("show", async () => {
    for (const options of [[], ["-s"], ["-d"], ["-s", "-d"]]) {
      judgeAll("TunnelJson", await run(...options, "show"), `show ${options}`, 2);
      judgeAll("TunnelJson", await run(...options, "show", "tunnel"), `show tunnel ${options}`, 2);
      judgeAll("SessionJson", await run(...options, "show", "session"), `show session ${options}`, 2);
    }
  });

  await t.step("status, doctor", async () => {
    judge("StatusJson", JSON.parse(await run("status")), "status");
    judge("DoctorJson", JSON.parse(await run("doctor")), "doctor");
    const watched = await linesOf(
      site,
      a,
      ["-json", "status", "--watch"],
      () => Promise.resolve(),
      ({ length }) => length >= 2,
    );
    for (const line of watched) judge("StatusJson", JSON.parse(line), "status --watch");
  });

  const makeAndDelete = async (): Promise<void> => {
    await run("add", "session", ..."tunnel_id 1 session_id 12 peer_session_id 22".split(" "));
    await run("del", "session", ..."tunnel_id 1 session_id 12".split(" "));
  };

  await t.step("monitor", async () => {
    const lines = await linesOf(
      site,
      a,
      ["-json", "monitor", "-t"],
      makeAndDelete,
      (lines) => lines.some((line) => line.includes("session_deleted")),
    );
    for (const line of lines) judge("EventJson", JSON.parse(line), "monitor");
  });

  await t.step({
    name: "monitor --trace",
    ignore: ON_KERNEL,
    fn: async () => {
      const lines = await linesOf(
        site,
        a,
        ["-json", "monitor", "--trace"],
        makeAndDelete,
        (lines) => lines.some((line) => line.includes("register_session")),
      );
      for (const line of lines) judge("TraceJson", JSON.parse(line), "monitor --trace");
    },
  });

  await t.step("errors", async () => {
    const bad = `${site.folder}/bad.toml`;
    await Deno.writeTextFile(bad, "[tunnel.one]\ntunnel_id = 0\n");
    await Deno.writeTextFile(`${site.folder}/batch`, "show tunnel\nadd tunnel tunnel_id 9\n");
    const table: [words: string[], code: number][] = [
      [["add", "tunnel", ..."tunnel_id 1 peer_tunnel_id 9 encap ip local any remote 10.0.0.2".split(" ")], 2],
      [["del", "session", "tunnel_id", "77", "session_id", "1"], 2],
      [["add", "tunnel", "tunnel_id", "x"], 255],
      [["nonsense"], 255],
      [["apply", "-f", bad], 255],
      [["check", bad], 255],
      [["-batch", `${site.folder}/batch`], 255],
    ];
    for (const [words, code] of table) {
      const ended = await site.run(a, "-json", ...words);
      assert(ended.code === code, `${words.join(" ")}: exit ${ended.code}, not ${code}: ${ended.stderr}`);
      const lines = ended.stderr.trimEnd().split("\n");
      for (const line of lines) judge("ErrorJson", JSON.parse(line), words.join(" "));
    }
  });

  await t.step("every type of output was judged", () => {
    const types = new Set(JSON_OUTPUTS.map(({ type }) => type));
    if (ON_KERNEL) types.delete("TraceJson");
    assertEquals([...judged].sort(), [...types].sort());
  });
});
