/**
 * What a plain `show` does not use, of every room that has such parts. It is one module because the bundler makes one
 * file for each set of `import()`s that reach the same code, and every file costs start-up time: with an `import()` for
 * each room, a plain `show` would load more files.
 *
 * @module
 */

export * as client from "./client/lazy.ts";
export * as commands from "./cli/lazy.ts";
export * as driver from "./driver/lazy.ts";
