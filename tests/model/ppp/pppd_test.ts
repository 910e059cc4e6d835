import { assertStrictEquals } from "@std/assert";
import { pppdExitText } from "../../../src/model/ppp/pppd.ts";

Deno.test("pppdExitText(): pppd(8)'s exit statuses, signals, and what it does not tell of", () => {
  assertStrictEquals(pppdExitText({ status: 0 }), "the peer ended it (exit status 0)");
  assertStrictEquals(pppdExitText({ status: 11 }), "the peer did not prove who it is (exit status 11)");
  assertStrictEquals(
    pppdExitText({ status: 19 }),
    "the peer does not take us for who we say we are (exit status 19)",
  );
  assertStrictEquals(pppdExitText({ status: 20 }), "for a reason of its own (exit status 20)");
  assertStrictEquals(pppdExitText({ status: 137, signal: "SIGKILL" }), "it was ended by SIGKILL");
});
