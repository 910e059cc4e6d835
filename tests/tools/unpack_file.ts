/**
 * Assembles the self-extracting executable: the shell script of `unpack_stub.sh`, then a gzipped tar with the
 * `deno` executable and the modules of a bundled program. Same inputs, same bytes.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { type Bundle, withFirstStatement } from "./compile_bundle.ts";
import type { Runtime } from "./compile_runtime.ts";
import type { Target } from "./compile_target.ts";

/**
 * Keeps Deno from what lies around the caller: no deno.json, package.json or lock file of the current folder, no
 * network, no questions.
 */
const RUN_FLAGS = "-A --quiet --no-prompt --no-config --no-lock --no-remote --no-npm";

/**
 * For the daemon: a young generation of 2 MiB in each thread instead of 16. What dies young is collected sooner, and so
 * is what it holds outside of the heap.
 */
const DAEMON_FLAGS = "--v8-flags=--max-semi-space-size=2";

/**
 * For batches and monitors. With everything compiled at once the code that Deno keeps has all functions in it; without,
 * those that run are compiled again at each start.
 */
const LONG_FLAGS = "--v8-flags=--no-lazy";

/**
 * For commands that are over in a moment. A second thread that compiles is no help to them, and a lock that it happens
 * to hold makes the main thread sleep for three milliseconds (V8's locks measure the clock's rate first). The first of
 * the compilers to machine code takes more time than it saves; those for loops that run hot stay.
 */
const SHORT_FLAGS = `${LONG_FLAGS},--single-threaded,--no-sparkplug`;

/**
 * Settings of Deno, Node and OpenTelemetry that would change how the program runs, or keep it from starting
 * (`DENO_V8_FLAGS` with an unknown flag), and that people set for other programs.
 */
const UNSET = [
  ...["AUDIT_PERMISSIONS", "AUTH_TOKENS", "AUTO_SERVE", "CACHE_DB_MODE", "CERT", "COMPAT", "CONDITIONS"],
  ...["COVERAGE_DIR", "DONT_USE_INTERNAL_NODE_COMPAT_STATE", "EXTRA_STDIO_FDS", "INTERNAL_CHILD_ENTRYPOINT"],
  ...["LOG", "NODE_SHIM_ACTIVE", "TLS_CA_STORE", "TOKIO_EVENT_INTERVAL", "TOKIO_MAX_IO_EVENTS_PER_TICK"],
  ...["TRACE_PERMISSIONS", "UNSTABLE_CONTROL_SOCK", "V8_FLAGS"],
].map((name) => `DENO_${name}`).concat(
  ["NODE_CHANNEL_FD", "NODE_DEBUG", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_V8_COVERAGE"],
  ["NPM_CONFIG_REGISTRY", "OTEL_DENO", "OTEL_DENO_CONSOLE"],
);

/**
 * Restores HOME before any module of the program reads it. A process that the program starts from itself has no such
 * variable, and its HOME is correct already.
 */
const RESTORE =
  `{const e=Deno.env,h=e.get("L2TP_START_HOME");if(h!==undefined){e.delete("L2TP_START_HOME");` +
  `if(h==="")e.delete("HOME");else e.set("HOME",h.slice(1))}}`;

const BLOCK = 512;

/** One file of a ustar archive, with nothing in it that depends on when, where or by whom it was made. */
function tarEntry(name: string, mode: number, content: Uint8Array): Uint8Array[] {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => {
    header.set(new TextEncoder().encode(text), at);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  if (name.length > 99) throw new Error(`The file name ${name} is too long for a ustar archive.`);
  put(0, name);
  put(100, octal(mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(content.length, 11));
  put(136, octal(0, 11));
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\x0000");
  put(148, `${octal(header.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return [header, content, new Uint8Array((BLOCK - content.length % BLOCK) % BLOCK)];
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Contents of a self-extracting executable. */
export interface UnpackInputs {
  /** The machine it is for. */
  readonly target: Target;
  /** The `deno` executable to embed. */
  readonly runtime: Runtime;
  /** The program. */
  readonly bundle: Bundle;
  /** The program's version, for the comment at the top. */
  readonly version: string;
  /** Effort of gzip, 1 to 9. */
  readonly level: number;
}

/**
 * The bytes of the self-extracting executable.
 *
 * The name of the folder that it unpacks into is a hash over the unpacked files, so every build that differs in
 * them has its own.
 */
export async function selfExtracting(inputs: UnpackInputs): Promise<Uint8Array> {
  const { modules } = withFirstStatement(inputs.bundle, RESTORE);
  const entries = [...modules].map(([name, text]) => tarEntry(name, 0o400, new TextEncoder().encode(text)));
  entries.push(tarEntry("l2tp", 0o500, inputs.runtime.bytes), [new Uint8Array(2 * BLOCK)]);
  const tar = join(entries.flat());
  const payload = gzipSync(tar, { level: inputs.level });
  const template = await Deno.readTextFile(new URL("./unpack_stub.sh", import.meta.url));
  const values: Record<string, string | number> = {
    VERSION: inputs.version,
    TARGET: inputs.target.triple,
    DENO: inputs.runtime.version,
    MACHINE: inputs.target.machine,
    MEGABYTES: Math.ceil(tar.length / 1e6),
    KEY: createHash("sha256").update(tar).digest("hex").slice(0, 32),
    UNSET: UNSET.join(" "),
    FLAGS: RUN_FLAGS,
    DAEMON: DAEMON_FLAGS,
    LONG: LONG_FLAGS,
    SHORT: SHORT_FLAGS,
    OFFSET: 0,
    SIZE: 0,
  };
  // The script holds its own length, and the digits of that are part of it.
  for (;;) {
    const script = new TextEncoder().encode(
      template.replace(/@([A-Z]+)@/g, (whole, name: string) => String(values[name] ?? whole)),
    );
    if (values.OFFSET === script.length + 1) return join([script, payload]);
    values.OFFSET = script.length + 1;
    values.SIZE = script.length + payload.length;
  }
}
