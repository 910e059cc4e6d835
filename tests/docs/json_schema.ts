/**
 * The JSON Schema of what `-json` prints, made from its TypeScript types as `deno doc` reports them.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A line of output or a whole output, with the type that describes it. */
export interface JsonOutput {
  /** Commands that print it. */
  readonly command: string;
  /** Name of the type. */
  readonly type: string;
  /** Whether the output is an array of the type, or a stream with one value a line. */
  readonly form: "array" | "object" | "lines";
}

/** Everything that the program prints as JSON. */
export const JSON_OUTPUTS: readonly JsonOutput[] = [
  { command: "show, show tunnel", type: "TunnelJson", form: "array" },
  { command: "show session", type: "SessionJson", form: "array" },
  { command: "status", type: "StatusJson", form: "object" },
  { command: "status --watch", type: "StatusJson", form: "lines" },
  { command: "monitor", type: "EventJson", form: "lines" },
  { command: "monitor --trace", type: "TraceJson", form: "lines" },
  { command: "apply", type: "ChangeJson", form: "array" },
  { command: "doctor", type: "DoctorJson", form: "object" },
  { command: "COMMAND that fails, on stderr", type: "ErrorJson", form: "lines" },
];

/** Files that declare the types of the outputs. */
const ENTRY_FILES = ["src/cli/output/json.ts", "src/cli/output/status_json.ts"];

/** A JSON Schema (draft 2020-12), or a part of one. */
export type Schema = { [keyword: string]: unknown };

/** The parts of `deno doc --json` that the conversion reads. */
interface DocType {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any -- its shape depends on `kind`
  readonly value?: any;
}

interface DocProperty {
  readonly name: string;
  readonly jsDoc?: { readonly doc?: string };
  readonly optional?: boolean;
  readonly tsType: DocType;
}

interface DocDeclaration {
  readonly kind: string;
  readonly jsDoc?: { readonly doc?: string };
  readonly def: {
    readonly properties?: readonly DocProperty[];
    readonly extends?: readonly DocType[];
    readonly indexSignatures?: readonly { readonly tsType: DocType }[];
    readonly tsType?: DocType;
  };
}

interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly DocDeclaration[];
}

/** Reads the exported declarations of a file. */
function documentedSymbols(path: string): readonly DocSymbol[] {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "--quiet", path],
    cwd: ROOT.pathname,
  }).outputSync();
  if (!success) throw new Error(`deno doc ${path}: ${new TextDecoder().decode(stderr)}`);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    nodes: Record<string, { symbols: readonly DocSymbol[] }>;
  };
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

/** Converts types; every named type becomes a definition, found in the file that imports it or declares it. */
class Converter {
  /** Definitions by the name of their type. */
  readonly definitions: Record<string, Schema> = {};
  readonly #files = new Map<string, readonly DocSymbol[]>();

  /** Makes the definition of a type that the file declares, and those of the types in it. */
  define(name: string, path: string): void {
    if (name in this.definitions) return;
    const declaration = this.#symbols(path).find((symbol) => symbol.name === name)?.declarations[0];
    if (declaration === undefined) throw new Error(`${path} does not export the type ${name}`);
    // Before its members, which may lead back here.
    this.definitions[name] = {};
    const { def, jsDoc } = declaration;
    const schema = def.tsType === undefined ? this.#object(def, path) : this.#type(def.tsType, path);
    this.definitions[name] = described(jsDoc?.doc, schema);
  }

  #symbols(path: string): readonly DocSymbol[] {
    const known = this.#files.get(path) ?? documentedSymbols(path);
    this.#files.set(path, known);
    return known;
  }

  /** An interface; members of the interfaces that it extends come first. */
  #object(def: DocDeclaration["def"], path: string): Schema {
    const properties: Record<string, unknown> = {};
    const required: string[] = [];
    for (const parent of def.extends ?? []) {
      this.#reference(parent, path);
      const base = this.definitions[parent.value.typeName as string]!;
      Object.assign(properties, base.properties);
      required.push(...base.required as string[]);
    }
    for (const { name, jsDoc, optional, tsType } of def.properties ?? []) {
      properties[name] = described(jsDoc?.doc, this.#type(tsType, path));
      if (optional !== true) required.push(name);
    }
    const [index] = def.indexSignatures ?? [];
    return {
      type: "object",
      properties,
      required,
      additionalProperties: index === undefined ? false : this.#type(index.tsType, path),
    };
  }

  #type(type: DocType, path: string): Schema {
    switch (type.kind) {
      case "keyword":
        return keyword(type.value as string);
      case "literal":
        return { const: type.value[type.value.kind] };
      case "array":
        return { type: "array", items: this.#type(type.value, path) };
      case "typeOperator":
        return this.#type(type.value.tsType, path);
      case "union":
        return this.#union(type.value, path);
      case "typeLiteral":
        return this.#object(type.value, path);
      case "parenthesized":
        return this.#type(type.value, path);
      case "typeRef":
        return this.#reference(type, path);
      default:
        throw new Error(`${path}: types of kind ${type.kind} are not converted: ${JSON.stringify(type)}`);
    }
  }

  #union(members: readonly DocType[], path: string): Schema {
    const schemas = members.map((member) => this.#type(member, path));
    return schemas.every((schema) => "const" in schema)
      ? { enum: schemas.map((schema) => schema.const) }
      : { anyOf: schemas };
  }

  #reference({ value }: DocType, path: string): Schema {
    const { typeName, typeParams, resolution } = value as {
      typeName: string;
      typeParams?: readonly DocType[];
      resolution?: { kind: string; specifier?: string };
    };
    if (typeName === "Readonly" || typeName === "ReadonlyArray" || typeName === "Array") {
      const inner = this.#type(typeParams![0]!, path);
      return typeName === "Readonly" ? inner : { type: "array", items: inner };
    }
    if (typeName === "Record") {
      return { type: "object", additionalProperties: this.#type(typeParams![1]!, path) };
    }
    const from = resolution?.specifier === undefined
      ? path
      : new URL(resolution.specifier, `file:///${path}`).pathname.slice(1);
    this.define(typeName, from);
    return { $ref: `#/$defs/${typeName}` };
  }
}

function keyword(name: string): Schema {
  switch (name) {
    case "string":
    case "boolean":
    case "null":
      return { type: name };
    case "number":
      return { type: "number" };
    case "unknown":
      return {};
    default:
      throw new Error(`The type ${name} is not converted`);
  }
}

function described(doc: string | undefined, schema: Schema): Schema {
  return doc === undefined ? schema : { description: doc.replaceAll(/\s+/g, " ").trim(), ...schema };
}

function outputSchema({ command, type, form }: JsonOutput): Schema {
  const reference = { $ref: `#/$defs/${type}` };
  return {
    title: `l2tp -json ${command}${form === "lines" ? " (a line)" : ""}`,
    ...(form === "array" ? { type: "array", items: reference } : reference),
  };
}

/** The schema of everything that `-json` prints: an alternative for each output, and a definition for each type. */
export function jsonSchema(): Schema {
  const converter = new Converter();
  const files = new Map(ENTRY_FILES.map((path) => [path, documentedSymbols(path)]));
  for (const { type } of JSON_OUTPUTS) {
    const path = ENTRY_FILES.find((path) => files.get(path)!.some(({ name }) => name === type));
    if (path === undefined) throw new Error(`No file exports the type ${type}`);
    converter.define(type, path);
  }
  const sorted = Object.entries(converter.definitions).sort(([a], [b]) => a < b ? -1 : 1);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Output of l2tp -json",
    description: 'Any output. Each alternative names its commands; with form "a line" it describes one line.',
    anyOf: JSON_OUTPUTS.map(outputSchema),
    $defs: Object.fromEntries(sorted),
  };
}
