/** The program's version, where the command line looks for it. */
export { PROGRAM_VERSION } from "../model/version.ts";
