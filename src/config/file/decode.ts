/**
 * Decodes the result of a TOML parser into a configuration, or finds its problems and their positions. Pure.
 *
 * @module
 */

import { nearestWord } from "../../base/words.ts";
import type { DesiredPpp } from "../../model/ppp/settings.ts";
import { type Path, Positions } from "./positions.ts";
import { type ConfigProblem, sortProblems } from "../schema/problem.ts";
import { withoutIdlePpp } from "../schema/ppp_layers.ts";
import { checkConfig } from "../schema/rules.ts";
import { PPP_SETTINGS, SESSION_SETTINGS, type Setting, TUNNEL_SETTINGS } from "../schema/schema.ts";
import type {
  Config,
  ConfigSession,
  ConfigTunnel,
  Origin,
  SessionSettings,
  TunnelSettings,
} from "../schema/settings.ts";

/** A decoded file. */
export interface Decoded {
  /** The configuration, as far as it could be read. */
  readonly config: Config;
  /** Its problems, in the file's order. The configuration can be used if there are none. */
  readonly problems: readonly ConfigProblem[];
}

/** A table as the parser gives it. */
type Table = Readonly<Record<string, unknown>>;

/** Decodes a file, from the result of the parser (integers as bigint) and, for positions, its text. */
export function decodeConfig(root: unknown, toml: string): Decoded {
  const decoder = new Decoder(new Positions(toml));
  const config = decoder.decode(root);
  const problems = sortProblems([...decoder.problems, ...checkConfig(config, decoder.unread)]);
  return { config, problems };
}

/** Whether the value is a table, and not an array, a date or a plain value. */
function isTable(value: unknown): value is Table {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Settings with their origins. */
interface Layer<T> {
  readonly settings: T;
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Shared settings: of the defaults, and of the classes by name. */
interface Shared<T> {
  readonly defaults: Layer<T>;
  readonly classes: ReadonlyMap<string, Layer<T>>;
}

/** Reads one table of a tunnel or session: its own, a class, or the defaults. */
type ReadLayer<T> = (
  table: Table,
  path: Path,
  from: Origin["from"],
  alsoAllowed: readonly string[],
) => Layer<T>;

function originsOf(layers: readonly Layer<unknown>[]): Map<string, Origin> {
  return new Map(layers.flatMap(({ origins }) => [...origins]));
}

/** A session's settings. Later layers win, also within `ppp`. */
function sessionOf(layers: readonly Layer<SessionSettings>[]): Layer<SessionSettings> {
  const all = layers.map(({ settings }) => settings);
  const settings: SessionSettings = Object.assign({}, ...all);
  if (settings.ppp !== undefined) settings.ppp = Object.assign({}, ...all.map(({ ppp }) => ppp));
  const origins = originsOf(layers);
  return { settings: withoutIdlePpp(settings, origins), origins };
}

const ROOT_KEYS = ["defaults", "class", "tunnel"];
const SHARED_KEYS = ["tunnel", "session"];

class Decoder {
  readonly problems: ConfigProblem[] = [];
  /** Keys of settings that are wrong. They do not count as missing. */
  readonly unread = new Set<string>();
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  decode(root: unknown): Config {
    const file = isTable(root) ? root : {};
    this.#checkKeys(file, [], ROOT_KEYS);
    for (const key of ["defaults", "class"]) this.#checkKeys(this.#table(file, [key]), [key], SHARED_KEYS);
    const tunnels = this.#shared(file, "tunnel", this.#tunnelLayer);
    const sessions = this.#shared(file, "session", this.#sessionLayer);
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
  ): ConfigTunnel {
    const path = ["tunnel", label];
    const layers = this.#layers(table, path, this.#tunnelLayer, shared, ["session"]);
    const settings: TunnelSettings = Object.assign({}, ...layers.map(({ settings }) => settings));
    const sessions = this.#named(table, [...path, "session"]).map(([label, table]): ConfigSession => {
      const own = [...path, "session", label];
      const layers = this.#layers(table, own, this.#sessionLayer, sharedSessions, []);
      return { label, place: this.#positions.key(own), ...sessionOf(layers) };
    });
    return { label, place: this.#positions.key(path), settings, origins: originsOf(layers), sessions };
  }

  /** The layers of a tunnel or session: defaults, classes and its own table. */
  #layers<T>(
    table: Table,
    path: Path,
    read: ReadLayer<T>,
    { defaults, classes }: Shared<T>,
    alsoAllowed: readonly string[],
  ): Layer<T>[] {
    const own = read(table, path, "own", ["class", ...alsoAllowed]);
    return [defaults, ...this.#classesOf(table, path, classes), own];
  }

  readonly #tunnelLayer: ReadLayer<TunnelSettings> = (table, path, from, alsoAllowed) =>
    this.#layer(table, path, TUNNEL_SETTINGS, { from, alsoAllowed });

  readonly #sessionLayer: ReadLayer<SessionSettings> = (table, path, from, alsoAllowed) => {
    const allowed = { from, alsoAllowed: [...alsoAllowed, "ppp"] };
    const { settings, origins } = this.#layer(table, path, SESSION_SETTINGS, allowed);
    if (table.ppp === undefined) return { settings, origins };
    const at = [...path, "ppp"];
    const place = this.#positions.key(at);
    const ppp = this.#layer<DesiredPpp>(this.#table(table, at), at, PPP_SETTINGS, { from, prefix: "ppp." });
    return {
      settings: { ...settings, ppp: ppp.settings },
      origins: new Map([...origins, ["ppp", { key: place, value: place, from }], ...ppp.origins]),
    };
  };

  #classesOf<T>(table: Table, path: Path, classes: ReadonlyMap<string, Layer<T>>): Layer<T>[] {
    const given = table.class;
    if (given === undefined) return [];
    const names: unknown[] = Array.isArray(given) ? given : [given];
    return names.flatMap((name, i) => {
      const at: Path = Array.isArray(given) ? [...path, "class", i] : [...path, "class"];
      if (typeof name !== "string") {
        this.#wrong(at, "class must be the name of a class, or a list of names");
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
  #shared<T>(file: Table, kind: "tunnel" | "session", read: ReadLayer<T>): Shared<T> {
    const path = ["defaults", kind];
    const defaults = this.#table(this.#table(file, ["defaults"]), path);
    return {
      defaults: read(defaults, path, "defaults", []),
      classes: new Map(
        this.#named(this.#table(file, ["class"]), ["class", kind]).map(([name, table]) => [
          name,
          read(table, ["class", kind, name], "class", []),
        ]),
      ),
    };
  }

  #layer<T extends object>(
    table: Table,
    path: Path,
    schema: readonly Setting<T>[],
    { from, alsoAllowed = [], prefix = "" }: {
      readonly from: Origin["from"];
      readonly alsoAllowed?: readonly string[];
      /** Prefix of the keys in messages and origins. */
      readonly prefix?: string;
    },
  ): Layer<T> {
    this.#checkKeys(table, path, [...schema.map(({ key }) => key), ...alsoAllowed]);
    const settings = {} as T;
    const origins = new Map<string, Origin>();
    for (const { key, own, read } of schema) {
      const value = table[key];
      if (value === undefined) continue;
      const at = [...path, key];
      if (own && from !== "own") {
        this.#wrong(at, `${key} cannot be shared: each needs its own`, [], "key");
        continue;
      }
      const wrong = read(value, settings);
      if (wrong === undefined) {
        origins.set(prefix + key, { key: this.#positions.key(at), value: this.#positions.value(at), from });
        continue;
      }
      const { item, reason } = wrong;
      const what = item === undefined ? prefix + key : `${prefix}${key}[${item}]`;
      this.#wrong(item === undefined ? at : [...at, item], `${what} ${reason}`);
      this.unread.add(prefix + key);
    }
    return { settings, origins };
  }

  /** The tables within the table at `path`, by name. `parent` has the last key of `path`. */
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

  /** The table at `path`; an empty one if there is none. `parent` has the last key of `path`. */
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
