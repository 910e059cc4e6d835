/**
 * `import`: converts configuration files of other programs.
 *
 * @module
 */

import { loadToml, readConfig } from "../../../apply/read_config.ts";
import { type Imported, importNetworkd } from "../../../config/import/networkd.ts";
import { importQl2tpd } from "../../../config/import/ql2tpd.ts";
import type { ConfigProblem } from "../../../config/schema/problem.ts";
import { writeConfig, type WrittenTunnel } from "../../../config/file/write.ts";
import { readConfigText, tellProblems } from "./check.ts";
import type { Context } from "../../context.ts";
import { EXIT_FAILURE } from "../../errors/failure.ts";
import { importCommands } from "./import_commands.ts";
import { argumentRequired } from "../../grammar/messages.ts";
import type { Options } from "../../grammar/options.ts";
import { UsageError } from "../../grammar/usage_error.ts";

const FORMATS = ["networkd", "ql2tpd", "ip"] as const;

/** The format of a file. */
type Format = typeof FORMATS[number];

/** Prints one configuration for all files; resolves to the exit code. */
export async function importFiles(
  context: Context,
  words: readonly string[],
  options: Options,
): Promise<number> {
  const given = FORMATS.find((format) => format === words[0]);
  const files = given === undefined ? words : words.slice(1);
  if (files.length === 0) {
    throw new UsageError(argumentRequired("FILE"), { advice: ["See: l2tp help import"] });
  }
  const tunnels: WrittenTunnel[] = [];
  for (const file of files) {
    const text = readConfigText(context, file);
    const format = given ?? formatOf(text);
    const { tunnels: found, remarks } = await read(format, text);
    tellProblems(context, file, remarks, options);
    for (const tunnel of found) tunnels.push({ ...tunnel, label: freeLabel(tunnel, tunnels) });
  }
  if (tunnels.length === 0) {
    throw new UsageError(`Error: there is no tunnel in ${files.join(", ")}.`, {
      advice: [
        "l2tp recognizes units of systemd-networkd, files of go-l2tp and commands: see l2tp help import",
      ],
    });
  }
  const toml = writeConfig(tunnels, [`Generated from ${files.join(", ")} by l2tp import.`]);
  context.print(toml);
  const { problems } = await readConfig(toml);
  // Problems of the output were errors or gaps of the input.
  tellProblems(context, "the configuration printed", problems, options);
  return problems.length === 0 ? 0 : EXIT_FAILURE;
}

function formatOf(text: string): Format {
  if (/^\s*\[(NetDev|L2TP|L2TPSession)\]\s*$/m.test(text)) return "networkd";
  return /^\s*\[\s*tunnel\s*[.\]]/m.test(text) ? "ql2tpd" : "ip";
}

async function read(format: Format, text: string): Promise<Imported> {
  if (format === "networkd") return importNetworkd(text);
  if (format === "ip") return importCommands(text);
  const { parseToml } = await loadToml();
  const parsed = parseToml(text);
  if ("problem" in parsed) return { tunnels: [], remarks: [parsed.problem] satisfies ConfigProblem[] };
  return importQl2tpd(parsed.root, text);
}

/** The tunnel's name, or a similar one that no other tunnel has. */
function freeLabel({ label }: WrittenTunnel, others: readonly WrittenTunnel[]): string {
  const taken = new Set(others.map((other) => other.label));
  if (!taken.has(label)) return label;
  for (let i = 2;; i++) if (!taken.has(`${label}-${i}`)) return `${label}-${i}`;
}
