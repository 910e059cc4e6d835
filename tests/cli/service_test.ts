/** `service systemd`: the unit that is printed. */

import assert from "node:assert/strict";
import { systemdUnit } from "../../src/cli/service.ts";
import { FakeWorld } from "../support/fake_world.ts";

Deno.test("service systemd: the unit of the program that is there, and of no other manager", async () => {
  const world = new FakeWorld();
  assert.deepEqual(await world.run("service systemd"), {
    code: 0,
    out: systemdUnit("/usr/local/bin/l2tp"),
    err: "",
  });
  Object.defineProperty(world.ports, "programPath", { value: "/opt/l2tp" });
  assert.match((await world.run("service systemd")).out, /^ExecStart=\/opt\/l2tp daemon --keep$/m);
  assert.equal((await world.run("service")).err, 'Error: argument "systemd" is required\n');
  const { code, err } = await world.run("service openrc");
  assert.deepEqual([code, err], [255, 'Error: argument "openrc" is wrong: there is a unit for systemd\n']);
  assert.equal((await world.run("service systemd now")).code, 255);
});
