/** The program's version, the same as in deno.json. */
export const PROGRAM_VERSION = "0.1.0";
/** Date of the last change of the manual page. */
export const MANUAL_DATE = "2026-11-29";
