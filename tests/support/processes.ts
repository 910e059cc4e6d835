/**
 * Running programs in tests, the program under test among them.
 *
 * @module
 */

/** Result of a program. */
export interface Ended {
  /** Exit code, or 128 and the signal's number. */
  readonly code: number;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/** Options of a program run. */
export interface RunOptions {
  /** Standard input. Default: empty. */
  readonly stdin?: string | undefined;
  /** Environment variables, in addition to the test's own or, with `clearEnv`, instead of them. */
  readonly env?: Record<string, string> | undefined;
  readonly clearEnv?: boolean | undefined;
  /** Working directory. */
  readonly cwd?: string | undefined;
}

/** Without looking for settings; only the packages' versions are known. */
const BARE = [
  "--no-config",
  "--no-lock",
  "--import-map",
  new URL("../../deno.json", import.meta.url).pathname,
];

const ROOT = new URL("../../", import.meta.url).pathname;

/**
 * Command of the program under test: the executable in `L2TP_UNDER_TEST`, or `main.ts` on this Deno.
 */
export function programUnderTest(): readonly [string, ...string[]] {
  const executable = Deno.env.get("L2TP_UNDER_TEST");
  if (executable !== undefined && executable !== "") return [executable];
  return [Deno.execPath(), "run", "--no-check", ...BARE, "-A", `${ROOT}main.ts`];
}

/** Runs a program to its end. */
export async function runProgram(
  [program, ...args]: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const child = new Deno.Command(program!, {
    args,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...options.env },
    clearEnv: options.clearEnv ?? false,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  }).spawn();
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Runs the program under test. */
export async function l2tp(args: readonly string[], options?: RunOptions): Promise<Ended> {
  return await runProgram([...programUnderTest(), ...args], options);
}

/**
 * Runs a program that must succeed; its standard output.
 *
 * @throws {Error} with its words if it fails
 */
export async function sh(...command: readonly string[]): Promise<string> {
  const ended = await runProgram(command);
  if (ended.code !== 0) {
    throw new Error(`${command.join(" ")}: exit ${ended.code}: ${ended.stderr}${ended.stdout}`);
  }
  return ended.stdout;
}

/** Splits at blanks; words in single quotes stay whole and may be empty. */
export function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}
