/**
 * The generated parts of the documentation: Markdown made from the tables that the program itself uses. A part stands
 * in a page between `<!-- generated: NAME -->` and `<!-- /generated -->`.
 *
 * @module
 */

import { EXIT_CODES, exitCodeText } from "../../src/cli/errors/exit_codes.ts";
import { DAEMON_KEYWORDS, daemonKeywordText } from "../../src/cli/grammar/daemon_keywords.ts";
import { helpFor, KEYWORDS, PPP_KEYWORDS, requiredFor, type Use } from "../../src/cli/grammar/grammar.ts";
import {
  keywordText,
  optionText,
  shownOptions,
  shownVerbs,
  verbOptionText,
} from "../../src/cli/commands/help.ts";
import {
  PPP_SETTINGS,
  SESSION_SETTINGS,
  type Setting,
  TUNNEL_SETTINGS,
} from "../../src/config/schema/schema.ts";
import { DROP_MEANINGS } from "../../src/dataplane/drop_reasons.ts";
import { METRICS } from "../../src/metrics/metrics.ts";
import { DIFFERENCES as KERNEL_DIFFERENCES } from "../conformance/differences.ts";
import { DIFFERENCES as IP_DIFFERENCES } from "../kernel/differences.ts";
import { type Room, ROOMS } from "../lint/room_table.ts";
import { JSON_OUTPUTS, type Schema } from "./json_schema.ts";

/** The JSON Schema of what `-json` prints, from the project's root. `deno task docs` writes it. */
export const SCHEMA_PATH = "docs/reference/output.schema.json";

const ROOT = new URL("../../", import.meta.url);

/** A Markdown table. A bar in a cell is escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll("|  |", "| |");
  return [line(header), `|${" --- |".repeat(header.length)}`, ...rows.map(line)].join("\n") + "\n";
}

function code(text: string): string {
  return `\`${text}\``;
}

function settingRows<T>(schema: readonly Setting<T>[]): string[][] {
  return schema.map(({ key, type, help, fallback, required, own, changes }) => [
    code(key),
    help,
    type.replaceAll('"', "`"),
    required ? "required" : fallback === undefined ? "" : code(fallback),
    own ? "no" : "yes",
    changes ? "yes" : "no",
  ]);
}

/** The keys of a configuration file, with what each means. */
function configuration(): string {
  const header = ["key", "meaning", "value", "default", "in classes", "changes in place"];
  return [
    ["Keys of a tunnel", table(header, settingRows(TUNNEL_SETTINGS))],
    ["Keys of a session", table(header, settingRows(SESSION_SETTINGS))],
    ["Keys of a session's table `ppp`", table(header, settingRows(PPP_SETTINGS))],
  ].map(([title, rows]) => `### ${title}\n\n${rows}`).join("\n");
}

const COMMANDS: readonly [title: string, use: Use][] = [
  ["add tunnel", "add tunnel"],
  ["add session", "add session"],
  ["set tunnel", "set tunnel"],
  ["set session", "set session"],
  ["del tunnel", "del tunnel"],
  ["del session", "del session"],
  ["show and flush tunnel", "filter tunnel"],
  ["show and flush session", "filter session"],
];

/** Verbs, the keywords of each command, and options. */
function commandLine(): string {
  const verbs = shownVerbs().map(({ words, synopsis, help, options = [] }) => [
    words.map(code).join(", "),
    synopsis === "" ? "" : code(synopsis),
    [help, ...options.map((option) => `${code(verbOptionText(option))}: ${option.help}`)].join(". "),
  ]);
  const keywords = COMMANDS.map(([title, use]) => {
    const rows = KEYWORDS.filter(({ uses }) => uses.includes(use)).map((keyword) => [
      code(keywordText(keyword)),
      keyword.alias === undefined ? "" : code(keyword.alias),
      helpFor(keyword, [use]),
      requiredFor(use, {}).includes(keyword.word) ? "yes" : "",
    ]);
    return `### ${title}\n\n${table(["keyword", "short", "meaning", "required"], rows)}`;
  });
  const ppp = PPP_KEYWORDS.map((keyword) => [code(keywordText(keyword)), keyword.help]);
  const daemon = DAEMON_KEYWORDS.map((keyword) => [code(daemonKeywordText(keyword)), keyword.help]);
  const options = shownOptions().map((option) => [code(optionText(option)), option.help]);
  return [
    `## Verbs\n\n${table(["verb", "arguments", "what it does"], verbs)}`,
    `## Keywords\n\n${keywords.join("\n")}`,
    `### Behind \`ppp\`\n\n${table(["keyword", "meaning"], ppp)}`,
    `### Behind \`daemon\`\n\n${table(["keyword", "meaning"], daemon)}`,
    `## Options\n\n${table(["option", "meaning"], options)}`,
  ].join("\n");
}

function exitCodes(): string {
  return table(["code", "meaning"], EXIT_CODES.map((each) => [String(each.code), exitCodeText(each)]));
}

function metrics(): string {
  const rows = METRICS.map(({ name, type, help, labels }) => [code(name), type, labels.join(", "), help]);
  return table(["metric", "type", "labels", "meaning"], rows);
}

function dropReasons(): string {
  return table(
    ["reason", "meaning"],
    Object.entries(DROP_MEANINGS).map(([name, text]) => [code(name), text]),
  );
}

/** What a room may import, in words: shared folders by their last name. */
function importsOf({ imports, pure }: Room): string {
  const short = (path: string): string => path.replace(/^src\//, "").replace(/\/$/, "");
  const words = imports.length === 0 ? "nothing" : imports.map(short).join(", ");
  return pure === true ? `${words} (pure)` : words;
}

function rooms(): string {
  const sorted = ROOMS.filter(({ path }) => !isSubRoom(path))
    .flatMap((
      room,
    ) => [room, ...ROOMS.filter(({ path }) => path !== room.path && path.startsWith(room.path))]);
  const rows = sorted.map((room) => [code(room.path), room.holds, importsOf(room)]);
  rows.push([
    [code("main.ts"), code("src/lazy.ts"), code("src/lazy_shell.ts")].join(", "),
    "connect the parts",
    "everything",
  ]);
  return table(["room", "holds", "may import"], rows);
}

function isSubRoom(path: string): boolean {
  return ROOMS.some((room) => room.path !== path && path.startsWith(room.path));
}

function differencesFromIp(): string {
  return table(["name", "difference"], Object.entries(IP_DIFFERENCES));
}

/** Differences of the userspace subsystem from kernels that are as new as it is. */
function differencesFromKernel(): string {
  const rows = Object.entries(KERNEL_DIFFERENCES)
    .filter(([, { kernel, user }]) => JSON.stringify(kernel) !== JSON.stringify(user))
    .map(([name, { why }]) => [name, why]);
  return table(["name", "difference"], rows);
}

/** A type of the schema in a few words. */
function typeText(schema: Schema): string {
  const { type, $ref, anyOf, enum: values, items } = schema as {
    type?: string;
    $ref?: string;
    anyOf?: readonly Schema[];
    enum?: readonly unknown[];
    items?: Schema;
  };
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(", ");
  if (anyOf !== undefined) return anyOf.map(typeText).join(" or ");
  if ("const" in schema) return code(JSON.stringify(schema.const));
  if (type === "array") return `array of ${typeText(items!)}`;
  return type ?? "any value";
}

/** A type's description, and its members with their conditions. */
function typeSection(name: string, schema: Schema): string {
  const { description, properties, required = [], additionalProperties } = schema as {
    description?: string;
    properties?: Record<string, Schema>;
    required?: readonly string[];
    additionalProperties?: false | Schema;
  };
  const head = `### ${name}\n\n${description === undefined ? "" : `${description}\n\n`}`;
  if (properties === undefined) return `${head}${typeText(schema)}\n`;
  const rows = Object.entries(properties).map(([member, its]) => [
    code(member),
    typeText(its),
    required.includes(member) ? "" : "yes",
    its.description as string | undefined ?? "",
  ]);
  if (additionalProperties !== undefined && additionalProperties !== false) {
    rows.push(["any other name", typeText(additionalProperties), "yes", ""]);
  }
  return `${head}${table(["member", "type", "may be absent", "meaning"], rows)}`;
}

const FORMS = { array: "an array", object: "one object", lines: "one object a line" } as const;

/** The outputs and their types, from the schema as it stands in the documentation. */
function json(): string {
  const schema = JSON.parse(Deno.readTextFileSync(new URL(SCHEMA_PATH, ROOT))) as {
    $defs: Record<string, Schema>;
  };
  const outputs = JSON_OUTPUTS.map(({ command, type, form }) => [
    command,
    FORMS[form],
    `[${type}](#${type.toLowerCase()})`,
  ]);
  const types = Object.entries(schema.$defs).map(([name, its]) => typeSection(name, its));
  return `${table(["command", "form", "type"], outputs)}\n## Types\n\n${types.join("\n")}`;
}

/** The generated parts by their names. */
export const BLOCKS: Readonly<Record<string, () => string>> = {
  configuration,
  "command line": commandLine,
  "drop reasons": dropReasons,
  "exit codes": exitCodes,
  json,
  metrics,
  rooms,
  "differences from ip": differencesFromIp,
  "differences from the kernel": differencesFromKernel,
};

const BLOCK = /(<!-- generated: (.+) -->\n)[^]*?(<!-- \/generated -->)/g;

/**
 * The page with its generated parts as `blocks` make them.
 *
 * @throws {RangeError} if the page has a part that is not in `blocks`
 */
export function withBlocks(page: string, blocks: Readonly<Record<string, () => string>>): string {
  return page.replaceAll(BLOCK, (_, begin: string, name: string, end: string) => {
    const make = blocks[name];
    if (make === undefined) throw new RangeError(`There is no generated part "${name}"`);
    return `${begin}${make()}${end}`;
  });
}
