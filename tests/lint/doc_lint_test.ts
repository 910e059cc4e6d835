import assert from "node:assert/strict";
import { seriousCodes } from "./doc_lint.ts";

Deno.test("seriousCodes(): everything but missing comments", () => {
  const missing = "\x1b[31merror[missing-jsdoc]\x1b[0m: exported symbol is missing JSDoc documentation\n";
  const hidden = "error[private-type-ref]: public type 'a' references private type 'B'\n";
  assert.deepEqual(seriousCodes("Checked 1 file\n", true), []);
  assert.deepEqual(seriousCodes(missing, false), []);
  assert.deepEqual(seriousCodes(missing + hidden, false), ["private-type-ref"]);
  assert.deepEqual(seriousCodes("error: Module not found\n", false), ["failed"]);
});
