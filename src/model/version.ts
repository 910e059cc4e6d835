/** The program's version, the same as in deno.json. */
export const PROGRAM_VERSION = "0.1.0";
/** When the manual page last said something new. */
export const MANUAL_DATE = "2026-11-27";
