/**
 * Makes the executable with `deno compile`, where the runtime that it needs (denort) can be had.
 *
 * @module
 */

import type { Bundle } from "./compile_bundle.ts";
import type { Target } from "./compile_target.ts";

/** Longest wait for an answer from where denort would be downloaded, in milliseconds. */
const ANSWER_MS = 5_000;
/** Longest wait for the whole of `deno compile`, download included, in milliseconds. */
const COMPILE_MS = 600_000;

/** The last and most telling part of what a failed request or a failed `deno compile` says. */
function gist(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const end = lines.findIndex((line) => /^Stack backtrace/.test(line));
  const last = lines.slice(0, end === -1 ? undefined : end).at(-1) ?? "it gave no reason";
  return last.replace(/^\d+: /, "").replace(/^error: /i, "").replace(/^.*\): (?=.)/, "");
}

async function unreachable(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.ok ? undefined : `HTTP ${answer.status}`;
  } catch (error) {
    const cause = error instanceof Error ? error.cause ?? error : error;
    return gist(cause instanceof Error ? cause.message : String(cause));
  }
}

/**
 * Runs `deno compile` on a bundle. It takes denort from `DENORT_BIN`, from Deno's cache or from the network. It probes
 * the network first, so that an unreachable one costs seconds only.
 *
 * @param output path of the executable to make.
 * @returns `undefined` on success, otherwise the reason in one line.
 */
export async function denoCompile(
  bundle: Bundle,
  target: Target,
  output: string,
): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "l2tp-compile-" });
  try {
    for (const [name, text] of bundle.modules) await Deno.writeTextFile(`${folder}/${name}`, text);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), COMPILE_MS);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["compile", "-A", "--no-check", "--no-config", "--no-lock", "--target", target.triple]
        .concat([...bundle.modules.keys()].flatMap((name) => ["--include", name]))
        .concat("--output", `${folder}/l2tp`, bundle.main),
      cwd: folder,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: stop.signal,
    }).spawn();
    let said = "";
    let refused: Promise<string | undefined> | undefined;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      const url = /Download\S* (https?:\S+)\s/.exec(said)?.[1];
      if (url === undefined || refused !== undefined) continue;
      refused = unreachable(url).then((reason) => {
        if (reason !== undefined) stop.abort();
        return reason;
      });
    }
    const status = await child.status;
    clearTimeout(timer);
    const reason = await refused;
    if (!status.success) {
      if (reason !== undefined) return `it cannot download its runtime (${reason})`;
      return stop.signal.aborted ? `it took over ${COMPILE_MS / 60_000} minutes` : gist(said);
    }
    await Deno.copyFile(`${folder}/l2tp`, output);
    await Deno.chmod(output, 0o755);
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
