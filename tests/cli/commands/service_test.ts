/** `service systemd`: the unit that is printed. */

import { assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { systemdUnit } from "../../../src/cli/commands/service.ts";
import { FakeHost } from "../../support/fake_host.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

Deno.test("service systemd: the unit of the program that is there, and of no other manager", async () => {
  const host = new FakeHost();
  assertDeepStrictEquals(await host.run("service systemd"), {
    code: 0,
    out: systemdUnit("/usr/local/bin/l2tp", undefined),
    err: "",
  });
  Object.defineProperty(host.lazy.system, "programPath", { value: "/opt/l2tp" });
  assertMatch((await host.run("service systemd")).out, /^ExecStart=\/opt\/l2tp daemon --keep$/m);
  assertStrictEquals((await host.run("service")).err, 'Error: argument "systemd" is required\n');
  const { code, err } = await host.run("service openrc");
  assertEquals([code, err], [255, 'Error: argument "openrc" is wrong: there is a unit for systemd\n']);
  assertStrictEquals((await host.run("service systemd now")).code, 255);
});

Deno.test("service systemd config FILE: the daemon applies the file, and again on a reload", async () => {
  const host = new FakeHost();
  const plain = (await host.run("service systemd")).out;
  assertNotMatch(plain, /^ExecReload/m, "without a file the signal ends the daemon");
  const { code, out } = await host.run("service systemd config /etc/l2tp/l2tp.toml");
  assertStrictEquals(code, 0);
  assertMatch(out, /^ExecStart=\/usr\/local\/bin\/l2tp daemon --keep config \/etc\/l2tp\/l2tp\.toml$/m);
  assertMatch(out, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  assertMatch(out, /^RestartPreventExitStatus=255$/m);
  for (const words of ["config", "config l2tp.toml", "config /a%b", "config /a b", "file /a"]) {
    assertStrictEquals((await host.run(`service systemd ${words}`)).code, 255, words);
  }
});
