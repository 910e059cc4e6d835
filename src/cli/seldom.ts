/**
 * What most runs of the program do not need, behind one door: loaded as a whole when any of it is needed. One door
 * and not one for each keeps the bundled program in few files, and every file costs start-up time.
 *
 * @module
 */

export * as client from "../client/seldom.ts";
export { apply } from "./apply.ts";
export { check } from "./config_file.ts";
export { importFiles } from "./import.ts";
export { save } from "./save.ts";
export { runBatch } from "./batch.ts";
export { completions, completionScript } from "./completion.ts";
export { debugfs } from "./debugfs.ts";
export { doctor } from "./doctor.ts";
export { executeTable } from "./execute.ts";
export { failureOf, failureText } from "./failure.ts";
export { help, shortUsage } from "./help.ts";
export { keep } from "./keep.ts";
export { manualPage } from "./man.ts";
export { metrics } from "./metrics.ts";
export { monitor } from "./monitor.ts";
export { service } from "./service.ts";
export { status } from "./status.ts";
export { PROGRAM_VERSION } from "./version.ts";
