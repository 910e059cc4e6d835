import assert from "node:assert/strict";
import { pppdExitText } from "../../../src/model/ppp/pppd.ts";

Deno.test("pppdExitText(): pppd(8)'s exit statuses, signals, and what it does not tell of", () => {
  assert.equal(pppdExitText({ status: 0 }), "the peer ended it (exit status 0)");
  assert.equal(pppdExitText({ status: 11 }), "the peer did not prove who it is (exit status 11)");
  assert.equal(
    pppdExitText({ status: 19 }),
    "the peer does not take us for who we say we are (exit status 19)",
  );
  assert.equal(pppdExitText({ status: 20 }), "for a reason of its own (exit status 20)");
  assert.equal(pppdExitText({ status: 137, signal: "SIGKILL" }), "it was ended by SIGKILL");
});
