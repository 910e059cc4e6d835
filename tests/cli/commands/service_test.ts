/** `service systemd`: the unit that is printed. */

import assert from "node:assert/strict";
import { systemdUnit } from "../../../src/cli/commands/service.ts";
import { FakeHost } from "../../support/fake_host.ts";

Deno.test("service systemd: the unit of the program that is there, and of no other manager", async () => {
  const host = new FakeHost();
  assert.deepEqual(await host.run("service systemd"), {
    code: 0,
    out: systemdUnit("/usr/local/bin/l2tp", undefined),
    err: "",
  });
  Object.defineProperty(host.lazy.system, "programPath", { value: "/opt/l2tp" });
  assert.match((await host.run("service systemd")).out, /^ExecStart=\/opt\/l2tp daemon --keep$/m);
  assert.equal((await host.run("service")).err, 'Error: argument "systemd" is required\n');
  const { code, err } = await host.run("service openrc");
  assert.deepEqual([code, err], [255, 'Error: argument "openrc" is wrong: there is a unit for systemd\n']);
  assert.equal((await host.run("service systemd now")).code, 255);
});

Deno.test("service systemd config FILE: the daemon applies the file, and again on a reload", async () => {
  const host = new FakeHost();
  const plain = (await host.run("service systemd")).out;
  assert.doesNotMatch(plain, /^ExecReload/m, "without a file the signal ends the daemon");
  const { code, out } = await host.run("service systemd config /etc/l2tp/l2tp.toml");
  assert.equal(code, 0);
  assert.match(out, /^ExecStart=\/usr\/local\/bin\/l2tp daemon --keep config \/etc\/l2tp\/l2tp\.toml$/m);
  assert.match(out, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  assert.match(out, /^RestartPreventExitStatus=255$/m);
  for (const words of ["config", "config l2tp.toml", "config /a%b", "config /a b", "file /a"]) {
    assert.equal((await host.run(`service systemd ${words}`)).code, 255, words);
  }
});
