/**
 * The interactive shell. It is apart from `lazy.ts` because it loads `node:readline`, which takes 15 ms.
 *
 * @module
 */

// Reaching all that `lazy.ts` reaches keeps the bundler from splitting the files that a plain `show` loads.
export * as lazy from "./lazy.ts";
export * from "./shell/mod.ts";
