import { assertEquals } from "@std/assert";
import { seriousCodes } from "./doc_lint.ts";

Deno.test("seriousCodes(): everything but missing comments", () => {
  const missing = "\x1b[31merror[missing-jsdoc]\x1b[0m: exported symbol is missing JSDoc documentation\n";
  const hidden = "error[private-type-ref]: public type 'a' references private type 'B'\n";
  assertEquals(seriousCodes("Checked 1 file\n", true), []);
  assertEquals(seriousCodes(missing, false), []);
  assertEquals(seriousCodes(missing + hidden, false), ["private-type-ref"]);
  assertEquals(seriousCodes("error: Module not found\n", false), ["failed"]);
});
