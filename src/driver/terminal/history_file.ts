/**
 * The history of typed lines, in a file that only its user can read.
 *
 * @module
 */

/** Options of a history file. */
export interface HistoryFileOptions {
  /** Number of lines kept; the file may grow to twice as many in between. */
  readonly size: number;
}

/** Environment variables that locate the state of programs. */
export interface StateEnvironment {
  /** `XDG_STATE_HOME`. */
  readonly stateHome: string | undefined;
  /** `HOME`. */
  readonly home: string | undefined;
}

/**
 * Path of the history (XDG Base Directory Specification: relative paths are ignored); `undefined` if neither variable
 * is usable.
 */
export function historyPath({ stateHome, home }: StateEnvironment): string | undefined {
  if (stateHome?.startsWith("/")) return `${stateHome}/l2tp/history`;
  return home?.startsWith("/") ? `${home}/.local/state/l2tp/history` : undefined;
}

/** A history file. Its errors are ignored: the lines are then lost when the program ends. */
export class HistoryFile {
  readonly #path: string | undefined;
  readonly #size: number;
  #lines = 0;

  /** Does not open the file yet. */
  constructor(path: string | undefined, { size }: HistoryFileOptions) {
    this.#path = path;
    this.#size = size;
  }

  /** Reads all lines, oldest first. */
  load(): string[] {
    const lines = this.#read();
    this.#lines = lines.length;
    if (lines.length <= this.#size) return lines;
    const last = lines.slice(-this.#size);
    this.#replace(last);
    return last;
  }

  /** Appends a line, which must not contain a newline. */
  add(line: string): void {
    try {
      using file = this.#open({ append: true, create: true });
      file?.writeSync(new TextEncoder().encode(`${line}\n`));
      if (file !== undefined) this.#lines++;
    } catch {
      return;
    }
    if (this.#lines > 2 * this.#size) this.#replace(this.#read().slice(-this.#size));
  }

  #read(): string[] {
    try {
      using file = this.#open({ read: true });
      if (file === undefined) return [];
      const bytes = new Uint8Array(file.statSync().size);
      let length = 0;
      for (let count = 1; count > 0 && length < bytes.length; length += count) {
        count = file.readSync(bytes.subarray(length)) ?? 0;
      }
      return new TextDecoder().decode(bytes.subarray(0, length)).split("\n").filter((line) => line !== "");
    } catch {
      return [];
    }
  }

  /** Replaces the file atomically: other shells may read or append at the same time. */
  #replace(lines: readonly string[]): void {
    const next = `${this.#path}.${Deno.pid}`;
    try {
      Deno.writeTextFileSync(next, lines.map((line) => `${line}\n`).join(""), {
        mode: 0o600,
        createNew: true,
      });
      Deno.renameSync(next, this.#path!);
      this.#lines = lines.length;
    } catch {
      // The file stays too long for now.
    }
  }

  /** Opens the file; returns `undefined` if it does not belong to this user. */
  #open(options: Deno.OpenOptions): Deno.FsFile | undefined {
    if (this.#path === undefined) return undefined;
    const folder = this.#path.slice(0, this.#path.lastIndexOf("/"));
    if (options.create) Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(Deno.lstatSync(folder)) || !isOwnOrMissing(this.#path)) return undefined;
    using stack = new DisposableStack();
    const file = stack.use(Deno.openSync(this.#path, { ...options, mode: 0o600 }));
    if ((file.statSync().mode! & 0o077) !== 0) Deno.chmodSync(this.#path, 0o600);
    stack.move();
    return file;
  }
}

/**
 * Root with another user's HOME must not follow that user's links, nor leave files there that the user cannot read.
 */
function isOwn({ uid, isSymlink }: Deno.FileInfo): boolean {
  return uid === Deno.uid() && !isSymlink;
}

function isOwnOrMissing(path: string): boolean {
  try {
    const info = Deno.lstatSync(path);
    return isOwn(info) && info.isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}
