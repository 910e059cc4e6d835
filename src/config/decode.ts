/**
 * Makes a configuration of what a TOML parser gives, or says what is wrong and where. Pure.
 *
 * @module
 */

import { nearestWord } from "../base/words.ts";
import { type Path, Positions } from "./positions.ts";
import { type Problem, sortProblems } from "./place.ts";
import { checkConfig } from "./rules.ts";
import { SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "./schema.ts";
import type {
  Config,
  Origin,
  SessionEntry,
  SessionSettings,
  TunnelEntry,
  TunnelSettings,
} from "./settings.ts";

/** What became of a file. */
export interface Decoded {
  /** The configuration, as far as it could be read. */
  readonly config: Config;
  /** What is wrong with it, in the file's order; it can be used if there is nothing. */
  readonly problems: readonly Problem[];
}

/** A table as the parser gives it. */
type Table = Readonly<Record<string, unknown>>;

/** Decodes a file: what the parser made of it (integers as bigint), and its text, for the places. */
export function decodeConfig(root: unknown, toml: string): Decoded {
  const decoder = new Decoder(new Positions(toml));
  const config = decoder.decode(root);
  const problems = sortProblems([...decoder.problems, ...checkConfig(config, decoder.unread)]);
  return { config, problems };
}

/** Whether the parser gave a table here, and no array, date or plain value. */
function isTable(value: unknown): value is Table {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Settings with where they are from. */
interface Layer<T> {
  readonly settings: T;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Shared settings: of the defaults, and of the classes by name. */
interface Shared<T> {
  readonly defaults: Layer<T>;
  readonly classes: ReadonlyMap<string, Layer<T>>;
}

const ROOT_KEYS = ["defaults", "class", "tunnel"];
const SHARED_KEYS = ["tunnel", "session"];

class Decoder {
  readonly problems: Problem[] = [];
  /** Settings that are there and could not be read, so that they are not told to be missing. */
  readonly unread = new Set<string>();
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  decode(root: unknown): Config {
    const file = isTable(root) ? root : {};
    this.#checkKeys(file, [], ROOT_KEYS);
    for (const key of ["defaults", "class"]) this.#checkKeys(this.#table(file, [key]), [key], SHARED_KEYS);
    const tunnels = this.#shared<TunnelSettings>(file, "tunnel", TUNNEL_SETTINGS);
    const sessions = this.#shared<SessionSettings>(file, "session", SESSION_SETTINGS);
    return {
      tunnels: this.#named(file, ["tunnel"]).map(([label, table]) =>
        this.#tunnel(label, table, tunnels, sessions)
      ),
    };
  }

  #tunnel(
    label: string,
    table: Table,
    shared: Shared<TunnelSettings>,
    sharedSessions: Shared<SessionSettings>,
  ): TunnelEntry {
    const path = ["tunnel", label];
    const thing = this.#thing(table, path, TUNNEL_SETTINGS, shared, ["session"]);
    const sessions = this.#named(table, [...path, "session"]).map(([label, table]): SessionEntry => {
      const own = [...path, "session", label];
      const session = this.#thing(table, own, SESSION_SETTINGS, sharedSessions, []);
      return { label, place: this.#positions.key(own), ...session };
    });
    return { label, place: this.#positions.key(path), ...thing, sessions };
  }

  /** A tunnel or a session with all that it has of its own, of its classes and of the defaults. */
  #thing<T extends object>(
    table: Table,
    path: Path,
    schema: readonly Setting<T>[],
    { defaults, classes }: Shared<T>,
    alsoAllowed: readonly string[],
  ): Layer<T> {
    const own = this.#layer(table, path, schema, "own", ["class", ...alsoAllowed]);
    const layers = [defaults, ...this.#classesOf(table, path, classes), own];
    return {
      settings: Object.assign({}, ...layers.map(({ settings }) => settings)) as T,
      origins: new Map(layers.flatMap(({ origins }) => [...origins])),
    };
  }

  #classesOf<T>(table: Table, path: Path, classes: ReadonlyMap<string, Layer<T>>): Layer<T>[] {
    const given = table.class;
    if (given === undefined) return [];
    const names: unknown[] = Array.isArray(given) ? given : [given];
    return names.flatMap((name, i) => {
      const at: Path = Array.isArray(given) ? [...path, "class", i] : [...path, "class"];
      if (typeof name !== "string") {
        this.#wrong(at, "class must be the name of a class, or an array of names");
        return [];
      }
      const found = classes.get(name);
      if (found === undefined) {
        const kind = path.length === 2 ? "tunnel" : "session";
        this.#wrong(at, `there is no class "${name}" for a ${kind}`, [
          ...didYouMean(name, [...classes.keys()]),
          `A class is a table: [class.${kind}.${name}]`,
        ]);
      }
      return found ?? [];
    });
  }

  /** `defaults` and `class` of tunnels or sessions. */
  #shared<T extends object>(
    file: Table,
    kind: "tunnel" | "session",
    schema: readonly Setting<T>[],
  ): Shared<T> {
    const path = ["defaults", kind];
    const defaults = this.#table(this.#table(file, ["defaults"]), path);
    return {
      defaults: this.#layer(defaults, path, schema, "defaults", []),
      classes: new Map(
        this.#named(this.#table(file, ["class"]), ["class", kind]).map(([name, table]) => [
          name,
          this.#layer(table, ["class", kind, name], schema, "class", []),
        ]),
      ),
    };
  }

  #layer<T extends object>(
    table: Table,
    path: Path,
    schema: readonly Setting<T>[],
    from: Origin["from"],
    alsoAllowed: readonly string[],
  ): Layer<T> {
    this.#checkKeys(table, path, [...schema.map(({ key }) => key), ...alsoAllowed]);
    const settings = {} as T;
    const origins = new Map<string, Origin>();
    for (const { key, own, read } of schema) {
      const value = table[key];
      if (value === undefined) continue;
      const at = [...path, key];
      if (own && from !== "own") {
        this.#wrong(at, `${key} cannot be shared: each has its own`, [], "key");
        continue;
      }
      const wrong = read(value, settings);
      if (wrong === undefined) {
        origins.set(key, { key: this.#positions.key(at), value: this.#positions.value(at), from });
        continue;
      }
      const { item, reason } = wrong;
      const what = item === undefined ? key : `${key}[${item}]`;
      this.#wrong(item === undefined ? at : [...at, item], `${what} ${reason}`);
      this.unread.add(key);
    }
    return { settings, origins };
  }

  /** The tables within the table that `path` names, the last of it in `parent`, by name. */
  #named(parent: Table, path: Path): [string, Table][] {
    return Object.entries(this.#table(parent, path)).flatMap(([name, table]): [string, Table][] => {
      if (isTable(table)) return [[name, table]];
      const example = `[${[...path, "NAME"].join(".")}]`;
      this.#wrong(
        [...path, name],
        `${name} must be a table`,
        [`Every ${path.at(-1)} has a name: ${example}`],
        "key",
      );
      return [];
    });
  }

  /** The table that the last of `path` names in `parent`; an empty one if there is none. */
  #table(parent: Table, path: Path): Table {
    const table = parent[path.at(-1)!];
    if (isTable(table)) return table;
    if (table !== undefined) this.#wrong(path, `${path.at(-1)} must be a table`, [], "key");
    return {};
  }

  #checkKeys(table: Table, path: Path, allowed: readonly string[]): void {
    for (const key of Object.keys(table)) {
      if (allowed.includes(key)) continue;
      const where = path.length === 0 ? "" : ` in [${path.join(".")}]`;
      this.#wrong([...path, key], `unknown key "${key}"${where}`, didYouMean(key, allowed), "key");
    }
  }

  #wrong(
    path: Path,
    message: string,
    advice: readonly string[] = [],
    what: "key" | "value" = "value",
  ): void {
    this.problems.push({ ...this.#positions[what](path), message, advice });
  }
}

function didYouMean(word: string, candidates: readonly string[]): string[] {
  const nearest = nearestWord(word, candidates);
  return nearest === undefined ? [] : [`Did you mean "${nearest}"?`];
}
