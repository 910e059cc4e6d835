/**
 * Debian packages that the tests and tools need: which are missing, and how they get installed.
 *
 * @module
 */

/** Time that apt waits for another apt or dpkg, in seconds. */
const APT_LOCK_SECONDS = 300;

/** Packages are missing and this process cannot install them: it is not root, or this is not Debian. */
export class PackagesMissingError extends Error {
  /** The class, for programs that cannot use instanceof. */
  override readonly name = "PackagesMissingError";

  /**
   * Says what is missing and what to do about it.
   *
   * @param packages the Debian names of what is missing
   * @param why what needs them, to be read after "needed for"
   * @param hasApt whether the user could install them with apt-get
   */
  constructor(readonly packages: readonly string[], readonly why: string, readonly hasApt: boolean) {
    const names = packages.join(" ");
    super(
      hasApt
        ? `Debian packages are missing for ${why}; run: sudo apt-get install --no-install-recommends ${names}`
        : `programs are missing for ${why}, and there is no apt-get here to install them: ` +
          `install what Debian calls ${names}`,
    );
  }
}

/** apt-get ran and failed. */
export class AptError extends Error {
  /** The class, for programs that cannot use instanceof. */
  override readonly name = "AptError";

  /**
   * Says which command failed, and what it said.
   *
   * @param command the whole command line
   * @param code its exit code
   * @param output its stdout and stderr
   */
  constructor(readonly command: readonly string[], readonly code: number, readonly output: string) {
    super(`${command.join(" ")} failed (exit code ${code}):\n${output.trimEnd()}`);
  }
}

/**
 * Returns the packages that are not installed, in the given order: all of them on a machine without dpkg.
 */
export async function missingPackages(packages: readonly string[]): Promise<string[]> {
  if (packages.length === 0) return [];
  // dpkg-query exits with 1 for an unknown package: ignore its exit code.
  const query = await run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", ...packages]);
  const installed = new Set<string>();
  for (const line of query?.stdout.split("\n") ?? []) {
    const [name, status] = line.split(" ");
    if (name !== undefined && status === "installed") installed.add(name);
  }
  return packages.filter((name) => !installed.has(name));
}

/**
 * Makes sure that these Debian packages are installed. Does nothing, and says nothing, if they are; otherwise
 * installs them, which takes root and apt-get, after one line on stderr.
 *
 * @param packages Debian package names
 * @param why what needs them, for the user, to be read after "needed for"
 * @throws {PackagesMissingError} they are missing and cannot be installed from here
 * @throws {AptError} apt-get could not install them
 */
export async function ensurePackages(packages: readonly string[], why: string): Promise<void> {
  const missing = await missingPackages(packages);
  if (missing.length === 0) return;
  const hasApt = await run(["apt-get", "--version"]) !== undefined;
  if (!hasApt || Deno.uid() !== 0) throw new PackagesMissingError(missing, why, hasApt);
  console.error(`installing Debian packages for ${why}: ${missing.join(" ")}`);
  const install = installCommand(missing);
  // Stale package lists name versions the mirror no longer has, empty ones name nothing: both fail here, and
  // most machines are spared an update.
  if ((await apt(install)).code === 0) return;
  await updatePackageLists();
  const second = await apt(install);
  if (second.code !== 0) throw new AptError(install, second.code, second.output);
}

/**
 * Updates apt's package lists. Needs root.
 *
 * @throws {AptError} apt-get failed
 */
export async function updatePackageLists(): Promise<void> {
  const command = ["apt-get", "-q", ...lockOptions(), "update"];
  const { code, output } = await apt(command);
  if (code !== 0) throw new AptError(command, code, output);
}

function lockOptions(): string[] {
  return ["-o", `DPkg::Lock::Timeout=${APT_LOCK_SECONDS}`];
}

function installCommand(packages: readonly string[]): string[] {
  return ["apt-get", "-q", "-y", ...lockOptions(), "install", "--no-install-recommends", ...packages];
}

async function apt(command: readonly string[]): Promise<{ code: number; output: string }> {
  const ended = await run(command, { DEBIAN_FRONTEND: "noninteractive" });
  if (ended === undefined) return { code: 127, output: "apt-get not found" };
  return { code: ended.code, output: ended.stdout + ended.stderr };
}

/** Runs a program to its end; `undefined` if the program does not exist. */
async function run(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string } | undefined> {
  const [program, ...args] = command;
  if (program === undefined) return undefined;
  try {
    const ended = await new Deno.Command(program, { args, stdin: "null", env: { LC_ALL: "C", ...env } })
      .output();
    const text = new TextDecoder();
    return { code: ended.code, stdout: text.decode(ended.stdout), stderr: text.decode(ended.stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
