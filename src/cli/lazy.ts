/**
 * The commands that a plain `show` does not use. `src/lazy.ts` loads them.
 *
 * @module
 */

export { apply } from "./commands/config/apply.ts";
export { checkFile } from "./commands/config/check.ts";
export { importFiles } from "./commands/config/import.ts";
export { save } from "./commands/config/save.ts";
export { runBatch } from "./commands/batch.ts";
export { complete, completionScript } from "./commands/completion.ts";
export { debugfs } from "./commands/debugfs.ts";
export { doctor } from "./commands/doctor.ts";
export { executeTable } from "./commands/execute.ts";
export { failureOf, failureText } from "./errors/failure.ts";
export { help, shortUsage } from "./commands/help.ts";
export { keep } from "./commands/keep.ts";
export { manualPage } from "./commands/man.ts";
export { metrics } from "./commands/metrics.ts";
export { monitor } from "./commands/monitor.ts";
export { service } from "./commands/service.ts";
export { status } from "./commands/status/status.ts";
export { version } from "./commands/version.ts";
